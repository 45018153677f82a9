"""``edge-effnet train`` for tests: in this process, in one of its own, and refused."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from edge_effnet.errors import DataError
from edge_effnet.training.run_folder.checkpointing import read_state
from tests.conftest import Cli

SMALL = ("--weights", "random", "--epochs", "2", "--batch-size", "8", "--learning-rate", "0.01")


@pytest.fixture
def train(cli: Cli) -> Cli:
    """Run ``edge-effnet train`` in this process."""
    return partial(cli, "train")


def refused(answer: tuple[int, str, str], code: int, *parts: str) -> None:
    """One line, an exit code, no traceback."""
    got, out, err = answer
    line = err.strip().splitlines()[-1]
    assert got == code, err
    assert out == ""
    assert line.startswith("error: ")
    assert "to fix: " in line
    assert "Traceback" not in err
    for part in parts:
        assert part in line


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_effnet", "train", *map(str, arguments)]


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_step(folder: Path, epoch: int, process: subprocess.Popen[str]) -> None:
    """Until a state of that epoch, in its middle, is stored."""
    for _ in range(9000):
        assert process.poll() is None, process.communicate()[1]
        try:
            progress = read_state(folder / "last.state").progress
            if progress.epoch >= epoch and progress.step > 0:
                return
        except DataError:
            pass
        time.sleep(0.01)
    pytest.fail("no state was stored")
