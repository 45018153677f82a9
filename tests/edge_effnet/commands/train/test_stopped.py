"""Training that is killed, interrupted, or finds no room: what is kept, and how it goes on."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

import numpy as np

from edge_effnet.training.run_folder.checkpointing import read_state
from tests.edge_effnet.commands.train.runs import (
    SMALL,
    command,
    start,
    wait_for_step,
)
from tests.edge_effnet.training.conftest import colours, tiny, tiny_file

__all__ = ["colours", "tiny", "tiny_file"]  # fixtures


def test_killed_and_resumed_is_the_same_as_never_killed(
    tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    how = ("--data", colours, "--variant", tiny_file, *SMALL, "--epochs", "16", "--patience", "0")
    how = (*how, "--mixup", "0.2", "--ema", "0.9", "--drop-connect", "0.3", "--save-every", "0")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(*how, "--run", whole), check=True, capture_output=True)
    process = start(*how, "--run", killed)
    wait_for_step(killed, 3, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    at = read_state(killed / "last.state").progress
    assert not at.finished
    again = subprocess.run(command("--resume", killed), check=True, capture_output=True, text=True)
    assert f"epoch {at.epoch}/16" in again.stderr
    assert f"epoch {at.epoch - 1}/16" not in again.stderr
    ours, theirs = read_state(whole / "last.state"), read_state(killed / "last.state")
    for part in ("model", "optimizer"):
        for one, other in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_array_equal(one, other)
    assert [row.val_loss for row in ours.progress.rows] == [
        row.val_loss for row in theirs.progress.rows
    ]


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, colours: Path, tiny_file: Path) -> None:
    folder = tmp_path / "run"
    process = start(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--epochs", "5000"),
        *("--patience", "0", "--save-every", "0", "--run", folder),
    )
    wait_for_step(folder, 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"edge-effnet train --resume {shlex.quote(str(folder))}" in err
    assert "Traceback" not in err
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_disk_that_fills_up_at_a_checkpoint(
    tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    """A limit on the size of files stands in for the disk: config.json fits, a state does not, so
    there is nothing to go on with."""
    done = subprocess.run(
        [
            *("bash", "-c", 'ulimit -f 64; exec "$@"', "limited"),
            *command("--data", colours, "--variant", tiny_file, *SMALL),
            *("--run", str(tmp_path / "run")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"EDGE_EFFNET_NATIVE_LOG": ""},
    )
    assert done.returncode == 1, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert "cannot be written" in line
    assert "File too large" in line
    assert not (tmp_path / "run").exists()
