"""Progress over stages: bars on a terminal, a line per stage in a log."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

import edge_effnet
from edge_effnet.ui.progress import progress_of, stages

ROOT = Path(edge_effnet.__file__).parents[1]
SCRIPT = """
from edge_effnet.ui.progress import stages
with stages() as stage:
    done = stage("exporting", None)
    done(1)
    done = stage("calibrating", 3)
    for count in (1, 2, 3):
        done(count)
print("result")
"""


def test_a_log_gets_one_line_when_a_stage_ends(capsys: pytest.CaptureFixture[str]) -> None:
    with stages() as stage:
        stage("exporting", None)(1)
        done = stage("calibrating", 3)
        done(1)
        assert re.fullmatch(r"exporting: \d+\.\d s\n", capsys.readouterr().err)
        done(2)
        assert capsys.readouterr().err == ""
        done(3)
    captured = capsys.readouterr()
    assert re.fullmatch(r"calibrating: \d+\.\d s\n", captured.err)
    assert captured.out == ""


def test_a_job_that_does_not_finish_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_of("evaluating") as show:
        show(1, 2)
        assert capsys.readouterr().err == ""
        show(2, 2)
    assert re.fullmatch(r"evaluating: \d+\.\d s\n", capsys.readouterr().err)
    with progress_of("evaluating") as show:
        show(1, 2)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_bars_on_stderr_only() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            stdout=subprocess.PIPE,
            stderr=theirs,
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
            text=True,
            check=True,
        )
        os.close(theirs)
        shown = terminal.read(100_000).decode()
    assert done.stdout == "result\n"
    assert "exporting" in shown
    assert "3/3" in shown
    assert "✓" in shown
