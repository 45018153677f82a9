"""A pipe, which nobody writes to, in the place of every file that a command reads: opening one
would wait for ever."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel

pytestmark = pytest.mark.timeout(60)

COMMANDS = {
    "classify MODEL": ("classify", "PIPE", "image.png"),
    "classify IMAGE": ("classify", "MODEL", "PIPE"),
    "classify --labels": ("classify", "MODEL", "image.png", "--labels", "PIPE"),
    "evaluate MODEL": ("evaluate", "PIPE", "--data", "photos"),
    "evaluate --data": ("evaluate", "MODEL", "--data", "PIPE"),
    "evaluate --labels": ("evaluate", "MODEL", "--data", "photos", "--labels", "PIPE"),
    "compare REFERENCE": ("compare", "PIPE", "MODEL", "--data", "photos"),
    "compare CANDIDATE": ("compare", "MODEL", "PIPE", "--data", "photos"),
    "convert --model": ("convert", "--model", "PIPE", "--int8"),
    "convert --variant": ("convert", "--variant", "./PIPE", "--int8"),
    "convert --weights": ("convert", "--variant", "b0", "--weights", "./PIPE", "--int8"),
    "convert --labels": ("convert", "--model", "MODEL", "--labels", "PIPE", "--int8"),
    "convert --data": ("convert", "--model", "MODEL", "--data", "PIPE", "--int8"),
    "convert --calibration": ("convert", "--model", "MODEL", "--calibration", "PIPE", "--int8"),
    "prune --variant": ("prune", "--variant", "./PIPE", "--data", "photos", "--target-macs", "0.7"),
    "prune --data": ("prune", "--variant", "b0", "--data", "PIPE", "--target-macs", "0.7"),
    "train --data": ("train", "--variant", "b0", "--data", "PIPE"),
    "train --val": ("train", "--variant", "b0", "--data", "photos", "--val", "PIPE"),
    "train --config": ("train", "--config", "PIPE", "--data", "photos"),
    "bench MODEL": ("bench", "PIPE"),
    "bench --data": ("bench", "MODEL", "--data", "PIPE"),
    "bench --append": ("bench", "MODEL", "--append", "PIPE"),
    "report": ("report", "PIPE"),
    "camera --model": ("camera", "--model", "PIPE", "--source", "photos"),
    "camera --compare": ("camera", "--model", "MODEL", "--compare", "PIPE", "--source", "photos"),
    "camera --labels": ("camera", "--model", "MODEL", "--labels", "PIPE", "--source", "photos"),
    "camera --source": ("camera", "--model", "MODEL", "--source", "PIPE"),
    "camera --source-file": ("camera", "--model", "MODEL", "--source-file", "PIPE"),
    "camera --truth": ("camera", "--model", "MODEL", "--source", "photos", "--truth", "PIPE"),
    "doctor": ("doctor", "PIPE"),
    "doctor FOLDER": ("doctor", "folder"),
    "convert FOLDER": ("convert", "--model", "folder", "--int8"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_a_pipe_is_refused_by_name(
    arguments: tuple[str, ...],
    colour_model: MakeModel,
    colour_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cli: Cli,
) -> None:
    colour_model("MODEL")
    (tmp_path / "photos").symlink_to(colour_folder)
    (tmp_path / "image.png").symlink_to(next((colour_folder / "red").iterdir()))
    for pipe in ("PIPE", "folder/saved_model.pb", "folder/variables/variables.index"):
        (tmp_path / pipe).parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(tmp_path / pipe)
    monkeypatch.chdir(tmp_path)
    code, _, said = cli(*arguments)
    assert code in (1, 2)
    *_, error = said.strip().splitlines()
    assert error.startswith("error:")
    assert "PIPE" in error or "folder" in error
