"""``push`` with OpenSSH's own server and pip, on an emulated Pi that has no edge-effnet."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet import __version__
from tests.pi.conftest import User

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def photos(user: User) -> Path:
    folder = user.home / "photos of signs"
    done = user.run("signs", "render", folder, "-n", 16, "--size", 64, "--format", "png")
    assert done.returncode == 0, done.stderr
    return folder


def test_a_pi_with_nothing_answers_after_one_command(
    user: User, pi64: str, model: Path, photos: Path, wheels: Path
) -> None:
    command = ("push", f"pi@{pi64}", model, photos, "--to", "first try", "--wheels", wheels)
    done = user.run(*command)
    assert done.returncode == 0, done.stderr
    assert f"installed edge-effnet {__version__} there, in ~/effnet" in done.stdout
    assert "'effnet/bin/edge-effnet camera --model '\"'\"'first try/" in done.stdout
    count = sum(path.is_file() for path in photos.rglob("*.png"))
    assert f"copied {count + 1} files (" in done.stdout
    there = f"'first try/{photos.name}'"
    assert len(user.ssh(pi64, f"find {there} -name '*.png'").splitlines()) == count
    first = next(path for path in sorted(photos.rglob("*.png")))
    name = f"first try/{photos.name}/{first.relative_to(photos).as_posix()}"
    answers = user.ssh(
        pi64, f"effnet/bin/edge-effnet classify 'first try/{model.name}' '{name}' --top 1"
    )
    assert first.name in answers
    again = user.run(*command)
    assert again.returncode == 0, again.stderr
    assert f"copied 0 files (0 MB) to {pi64}; {count + 1} were there already" in again.stdout
    assert "installed" not in again.stdout
    user.ssh(pi64, "rm -rf 'first try' effnet .cache/edge-effnet")
