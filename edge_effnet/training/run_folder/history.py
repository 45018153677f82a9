"""A run's history as files: ``history.csv`` and, with the extra ``report``, ``curves.png``."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from edge_effnet import plots
from edge_effnet.files.write import write_atomically
from edge_effnet.training.run_folder.trainer_state import EpochRow

HISTORY_FILE, CURVES_FILE = "history.csv", "curves.png"
COLUMNS = (
    "epoch",
    "loss",
    "accuracy",
    "val_loss",
    "val_accuracy",
    "gap",
    "learning_rate",
    "seconds",
)


def write_history(folder: Path, rows: Sequence[EpochRow]) -> None:
    """Write both files anew, the curves only where they can be drawn; each is whole or not there.

    Raises:
        OutputError: the folder cannot be written.
    """
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(COLUMNS)
    for row in rows:
        values = (getattr(row, name) for name in COLUMNS)
        lines.writerow(["" if value is None else _short(value) for value in values])
    write_atomically(folder / HISTORY_FILE, text.getvalue().encode(), overwrite=True)
    if plots.missing_extra() is None:
        write_atomically(folder / CURVES_FILE, curves_png(rows), overwrite=True)


def curves_png(rows: Sequence[EpochRow]) -> bytes:
    """Loss and accuracy over the epochs, training and validation, as a PNG file."""

    def curve(name: str, field: str, factor: float) -> plots.Curve:
        known = [(row.epoch, getattr(row, field)) for row in rows]
        known = [(epoch, factor * value) for epoch, value in known if value is not None]
        return name, [epoch for epoch, _ in known], [value for _, value in known]

    panels = [
        plots.Panel(title, (curve("training", own, factor), curve("validation", other, factor)))
        for title, own, other, factor in (
            ("loss", "loss", "val_loss", 1),
            ("accuracy, %", "accuracy", "val_accuracy", 100),
        )
    ]
    return plots.as_png(plots.lines(panels, "epoch"))


def _short(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"
