"""What ``create`` ends with: one sentence of figures, and the commands to go on with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from edge_effnet.boards.table import THIS, Board
from edge_effnet.heads.learning.cross_validation import FOLDS
from edge_effnet.metrics import Comparison, Predictions
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.metrics.one_model.classification import confusion
from edge_effnet.plurals import counted
from edge_effnet.ui.console import megabytes
from edge_effnet.ui.shown_commands import camera_command, over_ssh, own_command

PI = "your-name@raspberrypi.local"
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Result:
    """The file to take.

    Attributes:
        small: for the board.
        reference: its float file; None without one.
        predictions: of the small file on photos that it had not learned from; None without any.
        comparison: with the float file, on the same photos; None without.
        tuned: whether the whole network was trained.
    """

    small: Path
    reference: Path | None
    predictions: Predictions | None
    comparison: Comparison | None
    tuned: bool = False


def sentence(result: Result) -> str:
    """How often it is right, what int8 costs, and its size."""
    size = megabytes(result.small.stat().st_size)
    found = result.predictions
    if found is None or found.truth is None:
        return f"How often it is right is not known: no class has two different photos. {size}."
    right, images = int(found.right.sum()), len(found.right)
    low, high = (100 * bound for bound in wilson_interval(right, images))
    blind = 100 * max(Counter(map(int, found.truth)).values()) / images
    return (
        f"Right on {right} of {counted(images, 'photo')} that it had never seen "
        f"({100 * right / images:.0f} %;"
        f" with 95 % confidence {low:.0f} to {high:.0f} % of such photos; guessing would get "
        f"{blind:.0f} %); {_int8(result, images)}; {size}."
    )


def how_measured(result: Result) -> str:
    """What "never seen" means, in a sentence."""
    if result.tuned:
        return (
            "These photos were held out from training; which epoch is kept was chosen on them, so "
            "expect slightly less on others."
        )
    return (
        "Measured by cross-validation: the photos were divided into "
        f"{FOLDS} parts, and each part was answered by a network taught on the other "
        f"{FOLDS - 1} alone (copies of a photo stay in its part). The file has learned from all "
        "of them."
    )


def mistakes(result: Result) -> str | None:
    """The commonest, in one line; None without any."""
    found = result.predictions
    if found is None or found.truth is None:
        return None
    names = found.label_names
    cells = confusion(found.answers, found.truth, len(names)).mistakes()
    shown = ", ".join(
        f"{names[true]} answered {names[answered]} ({images})"
        for true, answered, images in cells[:_SHOWN]
    )
    others = sum(images for _, _, images in cells[_SHOWN:])
    more = f"; {others} in other ways" if others else ""
    return f"Commonest mistakes: {shown}{more}." if shown else None


def _int8(result: Result, images: int) -> str:
    paired = result.comparison.paired if result.comparison else None
    if result.comparison is None or paired is None:
        return "what int8 costs was not measured, for there is no float network on this machine"
    low, high = paired.drop_interval_points
    floating, ours = (
        int(one.right.sum())
        for one in (
            result.comparison.reference_predictions,
            result.comparison.candidate_predictions,
        )
    )
    counts = f"int8 {ours}, float {floating} of {images} right: "
    if paired.proves_drop:
        return (
            f"{counts}int8 costs {paired.drop_points:.1f} points against float (95 % interval "
            f"{low:.1f} to {high:.1f})"
        )
    if high < 0:
        return f"{counts}int8 is {-paired.drop_points:.1f} points above float on them"
    return (
        f"{counts}int8 costs nothing that {counted(images, 'photo')} can show (at most "
        f"{max(0.0, paired.drop_at_most_points):.1f} points against float, with 95 % confidence)"
    )


def commands(result: Result, board: Board) -> dict[str, str]:
    """Lines to copy, by what they do."""
    files = [path for path in (result.small, result.reference) if path is not None]
    if board.name == THIS:
        return {"run": camera_command(own_command(), list(map(str, files)))}
    pushed = " ".join(quote(str(path)) for path in files)
    camera = camera_command("effnet/bin/edge-effnet", [path.name for path in files])
    return {
        "copy": f"{own_command()} push {PI} {pushed}",
        "run": over_ssh(f"ssh {PI}", camera),
    }
