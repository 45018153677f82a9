"""The files of a run's history."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from edge_effnet import plots
from edge_effnet.errors import MissingExtra
from edge_effnet.training.run_folder.history import write_history
from edge_effnet.training.run_folder.trainer_state import EpochRow

ROWS = [
    EpochRow(0, None, None, 2.0, 0.25, 0.01, 3.0),
    EpochRow(1, 1.5, 0.5, 1.25, 0.75, 0.01, 3.0),
]


def test_the_first_row_may_lack_what_training_tells(tmp_path: Path) -> None:
    write_history(tmp_path, ROWS)
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[1].startswith("0,,,2,0.25,")
    image = cv2.imread(str(tmp_path / "curves.png"))
    assert image is not None
    assert image.shape[1] > 2 * image.shape[0]


def test_without_matplotlib_the_table_is_written_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = MissingExtra("matplotlib", "report", "drawing plots")
    monkeypatch.setattr(plots, "missing_extra", lambda: missing)
    write_history(tmp_path, ROWS)
    assert [path.name for path in tmp_path.iterdir()] == ["history.csv"]
