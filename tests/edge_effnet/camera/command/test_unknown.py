"""``edge-effnet camera`` with a taught file: a frame like none of the photos is unknown."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.cli import run
from tests.edge_effnet.camera.conftest import Cli, wait_for
from tests.edge_effnet.conftest import MakeModel


@pytest.fixture
def shown(tmp_path: Path, colour_folder: Path) -> Path:
    """Frames that are red, blue, blue, green."""
    frames = tmp_path / "shown"
    frames.mkdir()
    for number, colour in enumerate(("red", "blue", "blue", "green")):
        shutil.copy(colour_folder / colour / f"{number}.png", frames)
    return frames


def lines_of(out: str, kind: str = "answer") -> list[dict[str, Any]]:
    return [line for line in map(json.loads, out.splitlines()) if line["type"] == kind]


def test_lines_say_unknown_and_the_similarity(cli: Cli, taught_model: Path, shown: Path) -> None:
    code, out, err = cli("--model", taught_model, "--source", shown, "--jsonl", "-")
    answers = lines_of(out)
    assert code == 0
    assert [line["label"] for line in answers] == ["red", "unknown", "unknown", "green"]
    known, other = answers[0]["similarity"], answers[1]["similarity"]
    assert other < 0.9 < known
    assert len(answers[1]["best"]) == len(answers[0]["best"]) == 2  # the scores stay to be seen
    assert 'answered "unknown": 2 frames (50.0 %), like none that were taught' in err


def test_other_files_know_no_similarity(cli: Cli, colour_model: MakeModel, shown: Path) -> None:
    _, out, err = cli("--model", colour_model(), "--source", shown, "--jsonl", "-")
    assert all("similarity" not in line for line in lines_of(out))
    assert "unknown" not in err.replace(str(shown), "")


def test_an_unknown_frame_runs_the_command_of_unknown_alone(
    cli: Cli, taught_model: Path, shown: Path, tmp_path: Path
) -> None:
    for frame in ("0.png", "3.png"):  # two blue ones are left
        (shown / frame).unlink()
    write = "import sys; open(sys.argv[1], 'w').write(sys.argv[2])"
    hooks = [
        ("--on", label, shlex.join([sys.executable, "-c", write, str(tmp_path / label), "{label}"]))
        for label in ("red", "green", "unknown")
    ]
    code, _, _ = cli(
        *("--model", taught_model, "--source", shown, "--json", tmp_path / "run.json"),
        *(word for hook in hooks for word in hook),
    )
    assert code == 0
    assert json.loads((tmp_path / "run.json").read_text())["unknown"] == 2
    wait_for((tmp_path / "unknown").exists)
    assert not (tmp_path / "red").exists()
    assert not (tmp_path / "green").exists()


def test_the_reference_says_its_own_similarity(cli: Cli, taught_model: Path, shown: Path) -> None:
    again = shutil.copy(taught_model, taught_model.with_name("again.tflite"))
    _, out, _ = cli(
        *("--model", taught_model, "--compare", again, "--source", shown, "--jsonl", "-")
    )
    ours = [line["similarity"] for line in lines_of(out)]
    assert [line["reference_similarity"] for line in lines_of(out, "comparison")] == ours


def test_a_class_called_unknown_and_the_answer_are_one(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    shown: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """So that ``--on unknown`` runs for both."""
    photos, model = tmp_path / "photos", tmp_path / "two.tflite"
    shutil.copytree(colour_folder / "red", photos / "red")
    shutil.copytree(colour_folder / "green", photos / "Unknown")
    assert run(["teach", str(photos), "--base", str(colour_model()), "--out", str(model)]) == 0
    capsys.readouterr()
    _, out, _ = cli("--model", model, "--source", shown, "--jsonl", "-")
    labels = [line["label"] for line in lines_of(out)]
    assert labels == ["red", "Unknown", "Unknown", "Unknown"]
