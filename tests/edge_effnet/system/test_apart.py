"""A process of its own: what it imports, how its end is told, and its limits."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from edge_effnet.measure.probe import probe
from edge_effnet.system.apart import run_apart, started_apart
from tests.edge_effnet.conftest import MakeModel

MODULE = """
import os, sys, time
from edge_effnet.system.apart import end_with_input, limit_cpu, limit_memory

def main(what, *more):
    if what == "talk":
        end_with_input()
    print("begun", *more, flush=True)
    if what == "kill":
        os.kill(os.getpid(), 11)
    if what == "sleep":
        time.sleep(60)
    if what == "memory":
        limit_memory(64 << 20)
        bytearray(512 << 20)
    if what == "cpu":
        limit_cpu(1)
        while True:
            pass
    if what == "talk":
        time.sleep(60)
    print(len(sys.stdin.buffer.read()), os.environ.get("COLOUR"))
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "on_path").mkdir()
    (tmp_path / "on_path" / "worker_for_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path / "on_path"))
    return "worker_for_a_test"


def test_arguments_content_and_variables_arrive(module: str) -> None:
    done = run_apart(
        module, "work", "a b", seconds=30, content=b"123", environment={"COLOUR": "red"}
    )
    assert (done.code, done.lines, done.last_error) == (0, ("begun a b", "3 red"), "")


def test_other_places_on_the_path_and_a_very_long_limit_are_no_error(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, Path("/nowhere")])
    assert run_apart(module, "work", seconds=10**18 - 1).code == 0


@pytest.mark.parametrize("program", [None, "", "/usr/bin/uwsgi"])
def test_a_program_that_holds_python_is_not_started_again(
    module: str, program: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(OSError, match="no Python that could be started"):
        run_apart(module, "work", seconds=30)


def test_how_it_ended_is_told(module: str) -> None:
    assert run_apart(module, "kill", seconds=30).code == -11
    with pytest.raises(subprocess.TimeoutExpired):
        run_apart(module, "sleep", seconds=1)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of Linux")
def test_limits_end_it(module: str) -> None:
    done = run_apart(module, "memory", seconds=30)
    assert (done.code, done.last_error) == (1, "MemoryError")
    assert run_apart(module, "cpu", seconds=30).code == -24  # SIGXCPU


def test_nothing_is_imported_from_the_folder_it_is_started_in(
    colour_model: MakeModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = colour_model("a.tflite").resolve()
    (tmp_path / "hostile").mkdir()
    for name in ("json", "numpy", "argparse", "edge_effnet"):
        (tmp_path / "hostile" / f"{name}.py").write_text("raise SystemExit('imported from here')")
    monkeypatch.chdir(tmp_path / "hostile")
    assert probe(model).first_ms > 0


def test_one_that_is_talked_with_ends_with_who_started_it(module: str) -> None:
    with started_apart(module, "talk") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.stdin.close()
        assert process.wait(timeout=20) == 1


def test_one_that_is_talked_with_is_killed_by_an_error(module: str) -> None:
    with pytest.raises(KeyboardInterrupt), started_apart(module, "sleep") as process:
        raise KeyboardInterrupt
    assert process.returncode == -signal.SIGKILL
