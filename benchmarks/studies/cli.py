"""What the studies share: the installed command, and errors as one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from edge_effnet.errors import EdgeEffnetError


def run_installed(
    *words: object, folder: Path | None = None, captured: bool = False, fix: str | None = None
) -> None:
    """Run ``edge-effnet WORDS``; what it prints on stdout is dropped.

    Args:
        folder: where it runs.
        captured: whether its stderr is kept from ours.

    Raises:
        EdgeEffnetError: it failed; says its last line where that was not shown.
    """
    done = subprocess.run(
        [sys.executable, "-m", "edge_effnet", *map(str, words)],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE if captured else None,
        text=True,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or f"exit code {done.returncode}").strip().splitlines()
        by_hand = f"run it by hand: edge-effnet {' '.join(map(str, words))}"
        raise EdgeEffnetError(
            f"edge-effnet {words[0]} failed",
            found=said[-1],
            fix=fix or (by_hand if captured else "see its own lines above"),
        )


def run_study(command: click.Command) -> None:
    """Run a study's command; what a user can put right is one line."""
    try:
        command()
    except EdgeEffnetError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
