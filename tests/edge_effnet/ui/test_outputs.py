"""Every command refuses to write over what it reads, or two things into one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli

PRUNE = ("prune", "--variant", "b0", "--data", "x", "--target-macs", "0.7")
# Each writes IN, which it reads. The files need not be good: outputs are looked at first.
OVER_INPUTS = [
    ("evaluate", "IN", "--data", "photos", "--json", "IN"),
    ("compare", "other", "IN", "--data", "photos", "--json", "IN"),
    ("classify", "IN", "cat.jpg", "--json", "IN"),
    ("classify", "model", "IN", "--json", "IN"),
    ("bench", "IN", "--json", "IN"),
    ("regress", "IN", "new", "--json", "IN"),
    ("report", "new", "IN", "-o", "IN"),
    ("camera", "--model", "IN", "--jsonl", "IN"),
    ("camera", "--source", "IN.avi", "--record", "IN.avi"),
    ("camera", "--truth", "IN", "--json", "IN"),
    ("convert", "--model", "IN", "--int8", "--json", "IN"),
    ("convert", "--model", "x.h5", "--labels", "IN", "--int8", "--json", "IN"),
    ("train", "--data", "IN", "--json", "IN"),
    ("search", "--data", "IN", "--out", "r", "--json", "IN"),
    (*PRUNE, "--weights", "IN", "--json", "IN"),
    ("doctor", "IN", "--json", "IN"),
]
TWICE = [
    ("camera", "--json", "IN", "--jsonl", "IN"),
    ("compare", "a", "b", "--data", "x", "--json", "IN.svg", "--layers", "--plot", "IN.svg"),
    ("bench", "x", "--json", "IN", "--append", "IN"),
    ("prune", "--variant", "b0", "--data", "x", "--sensitivity", "--json", "IN", "--plot", "IN"),
]
# Files that a command writes by itself, into the folder of its run or beside its models.
OF_ITS_OWN = [
    ("train", "--data", "signs", "--run", "r", "--json", "r/history.csv"),
    ("train", "--data", "signs", "--variant", "b0", "--json", "runs/b0-signs/best.h5"),
    ("search", "--data", "signs", "--out", "r", "--json", "r/trials/baseline-seed0/best.h5"),
    (*PRUNE, "--run", "r", "--json", "r/step-1/cut.h5"),
    (*PRUNE, "--run", "r", "--json", "r/b0-macs70.json"),
    ("convert", "--int8", "--variant", "b0", "--json", "b0-trials.json"),
    ("convert", "--int8", "--variant", "b0", "--json", "b0-qat.state"),
    ("convert", "--prune", "0.3", "--int8", "--variant", "b0", "--json", "runs/b0-macs70/best.h5"),
]
FOLDERS = [
    ("train", "--data", "signs", "--run", "r", "--json", "r"),
    ("convert", "--int8", "--variant", "b0", "--out", "models", "--json", "models"),
    ("camera", "--compare", "x", "--save-differences", "d", "--json", "d"),
]


@pytest.mark.parametrize("command", OF_ITS_OWN, ids=" ".join)
def test_what_a_command_writes_by_itself_is_no_output(
    command: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = _run(command, cli, tmp_path, monkeypatch)
    assert "--json is a file that the command writes itself" in error
    assert code == 2


@pytest.mark.parametrize("command", FOLDERS, ids=" ".join)
def test_a_folder_that_a_command_makes_is_no_file(
    command: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = _run(command, cli, tmp_path, monkeypatch)
    assert "cannot be a file and the folder" in error
    assert code == 2


@pytest.mark.parametrize("command", OVER_INPUTS, ids=" ".join)
def test_inputs_are_never_written_over(
    command: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = _run(command, cli, tmp_path, monkeypatch)
    assert code == 2
    assert "would replace what the command reads" in error


@pytest.mark.parametrize("command", TWICE, ids=" ".join)
def test_two_outputs_are_two_files(
    command: tuple[str, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, error = _run(command, cli, tmp_path, monkeypatch)
    assert code == 2
    assert "two outputs are the same file" in error


def test_camera_refuses_a_recording_before_it_empties_the_lines(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("camera", "--jsonl", "IN", "--record", "x.xyz")
    code, error = _run(command, cli, tmp_path, monkeypatch)
    assert code == 2
    assert "--record cannot write .xyz" in error


def _run(
    command: tuple[str, ...], cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str]:
    monkeypatch.chdir(folder)
    for name in ("IN", "IN.avi", "IN.svg"):
        Path(name).write_text("precious")
    code, _, error = cli(*command, "--force")
    for name in ("IN", "IN.avi", "IN.svg"):
        assert Path(name).read_text() == "precious"
    assert len(list(folder.iterdir())) == 3  # no folder and no lock is left
    return code, error
