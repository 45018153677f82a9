"""What a training run came to, for people."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING

from edge_effnet.ui.console import console
from edge_effnet.ui.reports.previous import compared
from edge_effnet.ui.shown_commands import own_command
from edge_effnet.ui.tables import say, table

if TYPE_CHECKING:
    from edge_effnet.training.run_folder.result import TrainingResult


def print_run(result: TrainingResult) -> None:
    """Print the epochs of a run, its best one, and the command that comes next."""
    out = console()
    epochs = table(
        *("epoch", "in training:\nloss", "\nright %", "held out:\nloss", "\nright %"),
        *("gap", "rate", "seconds"),
    )
    for row in result.rows:
        epochs.add_row(
            "head" if row.epoch == 0 else str(row.epoch),
            "–" if row.loss is None else f"{row.loss:.3f}",
            "–" if row.accuracy is None else f"{100 * row.accuracy:.1f}",
            f"{row.val_loss:.3f}",
            f"{100 * row.val_accuracy:.1f}",
            "–" if row.gap is None else f"{100 * row.gap:+.1f}",
            "–" if row.epoch == 0 else f"{row.learning_rate:.1e}",
            f"{row.seconds:.0f}",
            style="bold" if row is result.best else "",
        )
    out.print(epochs)
    best = result.best
    where = "the classifier alone" if best.epoch == 0 else f"epoch {best.epoch}"
    early = f"; stopped early, {result.config.patience} epochs without a better one"
    if best.epoch == 0 and any(row.val_accuracy > best.val_accuracy for row in result.rows):
        where += " (what fine-tuning gained on so few images may be luck)"
    out.print(
        f"best: {where}, {best.right_text} at {result.resolution} px"
        + (early if result.stopped_early else ""),
        soft_wrap=True,
    )
    if result.against is not None:
        for line in compared(result.against, "images"):
            say(out, line)
    plot = result.folder / "curves.png"
    shown = f"; plot: {plot}" if plot.exists() else ""
    out.print(f"weights: {result.checkpoint}{shown}", soft_wrap=True)
    config = result.config
    images = (
        f"--data {quote(config.data)}"
        if config.val is None
        else f"--calibration {quote(config.data)} --data {quote(config.val)}"
    )
    out.print(
        f"next: {own_command()} convert --variant {quote(config.variant)} "
        f"--weights {quote(str(result.checkpoint))} {images} --int8",
        soft_wrap=True,
    )
