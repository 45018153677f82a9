"""Every command refuses to write over what it reads, or two things into one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Cli

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
    ("prune", "--variant", "b0", "--weights", "IN", "--data", "x", "--json", "IN"),
    ("doctor", "IN", "--json", "IN"),
]
TWICE = [
    ("camera", "--json", "IN", "--jsonl", "IN"),
    ("compare", "a", "b", "--data", "x", "--json", "IN.svg", "--layers", "--plot", "IN.svg"),
    ("bench", "x", "--json", "IN", "--append", "IN"),
    ("prune", "--variant", "b0", "--data", "x", "--sensitivity", "--json", "IN", "--plot", "IN"),
]


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
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    return code, error
