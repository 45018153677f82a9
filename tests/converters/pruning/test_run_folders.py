"""A pruning run never takes the folder of a run of another kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.files.locks import locked_run
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from tests.conftest import Cli

PRUNE = ("prune", "--variant", "b0", "--data", "signs", "--target-macs", "0.7", "--run")


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    CONFIG_FILE.write(folder, TrainConfig(data="signs"))
    (folder / "best.h5").write_text("days of training")
    return folder


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "force"])
def test_trained_weights_are_not_replaced(force: tuple[str, ...], trained: Path, cli: Cli) -> None:
    code, _, error = cli(*PRUNE, trained, *force)
    assert code == 1
    assert "run holds files that such a run would replace, and is none; found best.h5; " in error
    assert (trained / "best.h5").read_text() == "days of training"
    assert {path.name for path in trained.iterdir()} == {"best.h5", "config.json"}


def test_a_run_in_use_is_refused(tmp_path: Path, cli: Cli) -> None:
    with locked_run(tmp_path / "run"):
        code, _, error = cli(*PRUNE, tmp_path / "run")
    assert code == 1
    assert "run is being written by another process" in error
