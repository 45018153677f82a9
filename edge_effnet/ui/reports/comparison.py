"""Two models' report, side by side, for people."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_effnet.heads.kinds import NO_LABEL
from edge_effnet.metrics import (
    Comparison,
    Paired,
    Summary,
    ValueSummary,
)
from edge_effnet.metrics.intervals import interval_text, round_up
from edge_effnet.metrics.two_models.paired import PROVE_BELOW_POINTS
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.tables import (
    ROWS,
    name_text,
    print_losses,
    print_rows,
    print_skipped,
    print_warnings,
    say,
    share,
    short_names,
    shown_of,
    table,
)

FLIP_CELLS = 14
NO_DROP = "the reference is no better than chance on these images: a drop from it says nothing"
NOTHING_PROVEN = "nothing is proven: the network was trained on these images"
IMAGE_CELLS = 20


def print_comparison(comparison: Comparison, source: str, *, is_evidence: bool = True) -> None:
    """Print two models' report.

    Args:
        source: where the images come from.
        is_evidence: False where a model was trained on them, so that they prove nothing.
    """
    out = console()
    ours, theirs = comparison.reference_predictions, comparison.candidate_predictions
    print_losses(out, comparison.losses)
    for role, predictions in (("reference", ours), ("candidate", theirs)):
        model = predictions.model
        what = f"{model.path}  {megabytes(model.size_bytes)}" if model else predictions.name
        say(out, f"{role}  {what}", "bold")
    say(out, f"{counted(comparison.images, 'image')} of {source}")
    if comparison.reference and comparison.candidate:
        out.print(_side_by_side(comparison.reference, comparison.candidate))
    out.print()
    for line in _agreement_lines(comparison):
        say(out, line)
    if comparison.reference and comparison.reference.at_chance:
        say(out, NO_DROP)
    elif comparison.paired:
        for line in conclusions(comparison.paired, comparison.images, is_evidence=is_evidence):
            say(out, line)
    if comparison.scenes and comparison.agreement_percent is not None:
        say(out, comparison.scenes.proof)
    if comparison.reference and comparison.candidate:
        _print_class_changes(out, comparison.reference, comparison.candidate)
    _print_flips(out, comparison)
    print_skipped(out, ours.skipped)
    print_warnings(out, comparison.warnings[len(comparison.losses) :])


def _agreement_lines(comparison: Comparison) -> list[str]:
    lines = []
    if comparison.agreement_percent is not None:
        several = comparison.reference_predictions.task == "labels"
        interval = comparison.agreement_interval_percent
        within = f" ({interval_text(interval)})" if interval else ""
        lines.append(
            f"agreement {comparison.agreement_percent:.1f} % of the "
            f"{'sets of labels' if several else 'answers'}{within}"
        )
    if error := comparison.score_error:
        lines.append(
            f"score error: mean {error.mean_abs:.4f}, largest {error.max_abs:.3f}, "
            f"sum per image {error.mean_l1:.3f}"
        )
    if moved := comparison.value_difference:
        spread = "" if moved.of_spread is None else f" ({moved.of_spread:.1%} of their spread)"
        lines.append(
            f"difference of the values: mean {moved.mean_abs:.4g}{spread}, "
            f"largest {moved.max_abs:.4g}"
        )
    if unknown := comparison.unknown:
        lines.append(
            f'answered "unknown": {counted(unknown.reference, "image")} by the reference, '
            f"{unknown.candidate} by the candidate, {unknown.differ} by one of them alone"
        )
    return lines


def conclusions(paired: Paired, images: int, *, is_evidence: bool = True) -> list[str]:
    """What the paired test proves, and what it does not, in sentences.

    Args:
        is_evidence: as ``print_comparison``.
    """
    counts = f"{counted(paired.lost, 'image')} lost, {paired.gained} gained"
    if not paired.bounded:
        return [f"drop {paired.drop_points:.1f} points: {counts}"]
    if not is_evidence:
        return [f"drop {paired.drop_points:.1f} points: {counts}", NOTHING_PROVEN]
    low, high = paired.drop_interval_points
    lines = [
        f"drop {paired.drop_points:.1f} points, 95 % interval {low:.1f} to {high:.1f}: "
        f"{counts} (McNemar p = {paired.mcnemar_p:.2g})"
    ]
    if paired.proves_drop:
        lines.append("proven: the candidate is less accurate than the reference")
    elif high < 0:
        lines.append("proven: the candidate is more accurate than the reference")
    else:
        lines.append(
            f"not proven: that the two differ in accuracy at all, on {counted(images, 'image')}"
        )
    most = paired.drop_at_most_points
    if most > 0:
        lines.append(f"proven: the drop is at most {most:.1f} points (one-sided, 95 %)")
    if low < PROVE_BELOW_POINTS <= most and paired.images_to_prove:
        lines.append(
            f"to prove a drop under {PROVE_BELOW_POINTS:g} point, if there is none, takes about "
            f"{round_up(paired.images_to_prove):,} images at this rate of flips"
        )
    return lines


def _side_by_side(ours: Summary, theirs: Summary) -> Table:
    rows = table("", "reference", "candidate", "change")
    others = {figure.name: figure for figure in theirs.figures}
    for one in ours.figures:
        other = others.get(one.name)
        if one.compared and one.value is not None and other and other.value is not None:
            signed = one.form.removesuffix(" %").replace("{:", "{:+")
            rows.add_row(one.name, one.text, other.text, signed.format(other.value - one.value))
    return rows


def _print_class_changes(out: Console, ours: Summary, theirs: Summary) -> None:
    if isinstance(ours, ValueSummary) or isinstance(theirs, ValueSummary):
        return
    was, now = ours.per_class, theirs.per_class
    names, change = short_names(ours.predictions.labels), now.correct - was.correct
    moved = np.flatnonzero((was.support > 0) & (change != 0))
    changed = sorted(map(int, moved), key=lambda index: (change[index], was.support[index]))
    shown = shown_of(changed)
    if not shown:
        return
    before, after, f1 = was.recall, now.recall, now.f1
    rows = table(
        "recall, most images lost first", "images", "reference", "candidate", "change", "F1"
    )
    for index in shown:
        rows.add_row(
            name_text(names[index]),
            str(was.support[index]),
            share(before[index]),
            share(after[index]),
            f"{after[index] - before[index]:+.2f}",
            share(f1[index]),
        )
    more = len(changed) - len(shown)
    print_rows(
        out, rows, f"{counted(more, 'class', 'classes')} more with another recall" if more else ""
    )


def _print_flips(out: Console, comparison: Comparison) -> None:
    if not comparison.flips:
        return
    names = short_names(comparison.reference_predictions.labels, FLIP_CELLS)
    order = {"lost": 0, "changed": 0, "gained": 1, "other": 2}
    flips = sorted(comparison.flips, key=lambda flip: order[flip.kind])
    rows = table("flipped, lost first", "true", "reference", "candidate", words={1, 2, 3})
    for flip in flips[:ROWS]:
        image = flip.path.name
        true = "?" if flip.truth is None else _answer_text(flip.truth, names)
        rows.add_row(
            # The end of a file name tells images apart, the beginning seldom does.
            Text(image if len(image) <= IMAGE_CELLS else "…" + image[1 - IMAGE_CELLS :]),
            Text(true),
            Text(f"{_answer_text(flip.reference, names)} {flip.reference_score:.2f}"),
            Text(f"{_answer_text(flip.candidate, names)} {flip.candidate_score:.2f}"),
        )
    more = len(flips) - ROWS
    print_rows(
        out, rows, f"{counted(more, 'flipped image')} more; --json lists them all" * (more > 0)
    )


def _answer_text(chosen: Sequence[int], names: Sequence[str]) -> str:
    return ", ".join(names[index] for index in chosen) or NO_LABEL
