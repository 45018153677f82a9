"""What evaluate and compare write to stdout: whole paths, short tables, or only JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from tests.conftest import Cli, RunCommand
from tests.edge_effnet.conftest import BLUE_IS_RED, CONTROL, RIGHT, MakeModel


def test_a_pipe_gets_paths_whole_and_as_they_are(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    folder = colour_folder.rename(colour_folder.with_name("[red] :dog: é" + " and more" * 15))
    model = colour_model().rename(folder.with_name("[bold] " + "m" * 120 + ".tflite"))
    for arguments in (("evaluate", model), ("compare", model, model)):
        code, out, _ = cli(*arguments, "--data", folder)
        assert code == 0
        assert folder.name in out
        assert model.name in out


def test_a_thousand_classes_stay_on_a_page(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    labels = ("red", "green", "blue", *(f"[bold]no. {number}, never seen" for number in range(997)))
    weights = np.concatenate([BLUE_IS_RED, np.zeros((997, 3))])
    ours = colour_model("float.tflite", np.concatenate([RIGHT, np.zeros((997, 3))]), labels)
    theirs = colour_model("int8.tflite", weights, labels)
    for arguments in (("evaluate", theirs), ("compare", ours, theirs)):
        code, out, _ = cli(*arguments, "--data", colour_folder)
        assert code == 0
        assert len(out.splitlines()) < 60


def test_the_installed_command_speaks_only_json_on_stdout(
    edge_effnet: RunCommand, colour_model: MakeModel, colour_folder: Path
) -> None:
    done = edge_effnet("evaluate", colour_model(), "--data", colour_folder, "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["top1"] == 100
    assert not CONTROL.search(done.stderr)
