"""Tables for people: one model's figures, and two models side by side.

Everything fits 80 columns, and a network of 1000 classes still gives a page: the worst
classes, the commonest mistakes, the first flipped images, and how many more there are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence

import click
import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge_effnet.commands.options import console, megabytes
from edge_effnet.metrics import Comparison, Paired, Skipped, Summary
from edge_effnet.metrics.comparison import PROVE_BELOW_POINTS
from edge_effnet.metrics.paired import wilson_interval

ALL_CLASSES_UP_TO = 20
ROWS = 10
NAME_CELLS = 22
FLIP_CELLS = 14
IMAGE_CELLS = 20


def print_notice(notice: str | None) -> None:
    """Say on stderr how a model runs, where that needs saying."""
    if notice:
        click.echo(f"note: {notice}", err=True)


def print_summary(summary: Summary, source: str) -> None:
    """Print one model's report; ``source`` says where the images come from."""
    out, name = console(), summary.predictions.name
    classes = len(summary.predictions.labels)
    _say(out, f"{name} on {source}: {summary.images} images, {classes} classes known", "bold")
    low, high = summary.top1_interval_percent
    figures = _grid()
    for k, share in sorted(summary.top_percent.items()):
        if k == 1:
            figures.add_row("top-1", _percent(share), f"95 % interval {low:.1f} to {high:.1f}")
        elif k < classes:
            figures.add_row(f"top-{k}", _percent(share), "")
    balanced = _percent(summary.balanced_accuracy_percent)
    figures.add_row("balanced accuracy", balanced, "mean recall of the classes")
    figures.add_row("calibration error", *_calibration(summary))
    figures.add_row("blind answers", _percent(summary.chance_percent), "right by chance")
    out.print(figures)
    _print_classes(out, summary)
    _print_mistakes(out, summary)
    print_skipped(out, summary.predictions.skipped)
    print_warnings(out, summary.warnings)


def print_comparison(comparison: Comparison, source: str) -> None:
    """Print two models' report; ``source`` says where the images come from."""
    out = console()
    ours, theirs = comparison.reference_predictions, comparison.candidate_predictions
    for role, predictions in (("reference", ours), ("candidate", theirs)):
        model = predictions.model
        what = f"{model.path}  {megabytes(model.size_bytes)}" if model else predictions.name
        _say(out, f"{role}  {what}", "bold")
    _say(out, f"{comparison.images} images of {source}")
    if comparison.reference and comparison.candidate:
        _print_side_by_side(out, comparison.reference, comparison.candidate)
    low, high = comparison.agreement_interval_percent
    error = comparison.score_error
    out.print()
    _say(
        out,
        f"agreement {comparison.agreement_percent:.1f} % of the answers "
        f"(95 % interval {low:.1f} to {high:.1f})",
    )
    _say(
        out,
        f"score error: mean {error.mean_abs:.4f}, largest {error.max_abs:.3f}, "
        f"sum per image {error.mean_l1:.3f}",
    )
    if comparison.paired:
        for line in verdict(comparison.paired, comparison.images):
            _say(out, line)
    if comparison.reference and comparison.candidate:
        _print_class_changes(out, comparison.reference, comparison.candidate)
    _print_flips(out, comparison)
    print_skipped(out, ours.skipped)
    print_warnings(out, comparison.warnings)


def verdict(paired: Paired, images: int) -> list[str]:
    """What the paired test proves, and what it does not, in sentences."""
    low, high = paired.drop_interval_points
    lines = [
        f"drop {paired.drop_points:.1f} points, 95 % interval {low:.1f} to {high:.1f}: "
        f"{paired.lost} images lost, {paired.gained} gained (McNemar p = {paired.mcnemar_p:.2g})"
    ]
    if paired.proves_drop:
        lines.append("proven: the candidate is less accurate than the reference")
    elif high < 0:
        lines.append("proven: the candidate is more accurate than the reference")
    else:
        lines.append(f"not proven: that the two differ in accuracy at all, on {images} images")
    most = paired.drop_at_most_points
    if most > 0:
        lines.append(f"proven: the drop is at most {most:.1f} points (one-sided, 95 %)")
    if low < PROVE_BELOW_POINTS <= most and paired.images_to_prove:
        lines.append(
            f"to prove a drop under {PROVE_BELOW_POINTS:g} point, if there is none, takes about "
            f"{_round_up(paired.images_to_prove):,} images at this rate of flips"
        )
    return lines


def _print_side_by_side(out: Console, ours: Summary, theirs: Summary) -> None:
    table = _table("", "reference", "candidate", "change")
    known = len(ours.predictions.labels)
    rows: list[tuple[str, float, float]] = [
        (f"top-{k}", share, theirs.top_percent[k])
        for k, share in sorted(ours.top_percent.items())
        if k == 1 or k < known
    ]
    balanced = ours.balanced_accuracy_percent, theirs.balanced_accuracy_percent
    rows.append(("balanced accuracy", *balanced))
    for name, one, other in rows:
        table.add_row(name, _percent(one), _percent(other), f"{other - one:+.1f}")
    if ours.calibration_error is not None and theirs.calibration_error is not None:
        one, other = ours.calibration_error, theirs.calibration_error
        table.add_row("calibration error", f"{one:.3f}", f"{other:.3f}", f"{other - one:+.3f}")
    out.print(table)


def _print_classes(out: Console, summary: Summary) -> None:
    figures, names = summary.per_class, short_names(summary.predictions.labels)
    recall, precision, f1 = figures.recall, figures.precision, figures.f1
    # By the upper bound of the recall: one unlucky image of one is no proof of weakness.
    present = sorted(
        map(int, np.flatnonzero(figures.support)),
        key=lambda i: wilson_interval(int(figures.correct[i]), int(figures.support[i]))[1],
    )
    shown = present if len(present) <= ALL_CLASSES_UP_TO else present[:ROWS]
    table = _table("class, weakest first", "images", "recall", "precision", "F1")
    for index in shown:
        shares = (_share(values[index]) for values in (recall, precision, f1))
        table.add_row(_name(names[index]), str(figures.support[index]), *shares)
    out.print()
    out.print(table)
    if len(shown) < len(present):
        rest = present[len(shown) :]
        mean = float(np.mean(recall[rest]))
        _say(out, f"and {len(rest)} classes more, with a mean recall of {mean:.2f}", "dim")


def _print_mistakes(out: Console, summary: Summary) -> None:
    mistakes, names = summary.confusion.mistakes(), short_names(summary.predictions.labels)
    if not mistakes:
        return
    table = _table("commonest mistakes", "images", "answered", words={2})
    for true, answered, images in mistakes[:ROWS]:
        table.add_row(_name(names[true]), str(images), _name(names[answered]))
    out.print()
    out.print(table)
    rest = sum(images for _, _, images in mistakes[ROWS:])
    if rest:
        _say(out, f"and {rest} images more, mistaken in other ways", "dim")


def _print_class_changes(out: Console, ours: Summary, theirs: Summary) -> None:
    was, now = ours.per_class, theirs.per_class
    names, change = short_names(ours.predictions.labels), now.correct - was.correct
    moved = np.flatnonzero((was.support > 0) & (change != 0))
    changed = sorted(map(int, moved), key=lambda index: (change[index], was.support[index]))
    shown = changed if len(changed) <= ALL_CLASSES_UP_TO else changed[:ROWS]
    if not shown:
        return
    before, after, f1 = was.recall, now.recall, now.f1
    table = _table(
        "recall, most images lost first", "images", "reference", "candidate", "change", "F1"
    )
    for index in shown:
        table.add_row(
            _name(names[index]),
            str(was.support[index]),
            _share(before[index]),
            _share(after[index]),
            f"{after[index] - before[index]:+.2f}",
            _share(f1[index]),
        )
    out.print()
    out.print(table)
    if len(shown) < len(changed):
        _say(out, f"and {len(changed) - len(shown)} classes more with another recall", "dim")


def _print_flips(out: Console, comparison: Comparison) -> None:
    if not comparison.flips:
        return
    names = short_names(comparison.reference_predictions.labels, FLIP_CELLS)
    order = {"lost": 0, "changed": 0, "gained": 1, "other": 2}
    flips = sorted(comparison.flips, key=lambda flip: order[flip.kind])
    table = _table("flipped, lost first", "true", "reference", "candidate", words={1, 2, 3})
    for flip in flips[:ROWS]:
        image, true = flip.path.name, "?" if flip.truth is None else names[flip.truth]
        table.add_row(
            # The end of a file name tells images apart, the beginning seldom does.
            Text(image if len(image) <= IMAGE_CELLS else "…" + image[1 - IMAGE_CELLS :]),
            Text(true),
            Text(f"{names[flip.reference]} {flip.reference_score:.2f}"),
            Text(f"{names[flip.candidate]} {flip.candidate_score:.2f}"),
        )
    out.print()
    out.print(table)
    if len(flips) > ROWS:
        _say(out, f"and {len(flips) - ROWS} flipped images more; --json lists them all", "dim")


def print_skipped(
    out: Console, skipped: Sequence[Skipped], remedy: str = "; --strict refuses them"
) -> None:
    """Name the images that could not be read."""
    if not skipped:
        return
    out.print()
    noun = "image" if len(skipped) == 1 else "images"
    _say(out, f"skipped: {len(skipped)} unreadable {noun}{remedy}", "yellow")
    for image in skipped[:3]:
        _say(out, f"  {image.reason}")
    if len(skipped) > 3:
        _say(out, f"  and {len(skipped) - 3} more; --json lists them all", "dim")


def print_warnings(out: Console, warnings: Sequence[str]) -> None:
    if warnings:
        out.print()
    for line in warnings:
        _say(out, f"warning: {line}", "yellow")


def _grid() -> Table:
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(style="dim")
    return grid


def _table(*headings: str, words: Collection[int] = ()) -> Table:
    """A table whose first column and columns ``words`` hold words, the others numbers."""
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for place, heading in enumerate(headings):
        if place == 0 or place in words:
            table.add_column(heading, overflow="fold")
        else:
            table.add_column(heading, justify="right", no_wrap=True)
    return table


def _say(out: Console, line: str, style: str = "") -> None:
    out.print(Text(line, style=style))


def short_names(labels: Sequence[str], cells: int = NAME_CELLS) -> list[str]:
    """Labels for narrow columns: the first of ``tench, Tinca tinca`` where that is unique."""
    heads = [label.split(",")[0].strip() for label in labels]
    seen = Counter(heads)
    names = [
        head if seen[head] == 1 else f"{label} ({index})"
        for index, (head, label) in enumerate(zip(heads, labels, strict=True))
    ]
    return [name if len(name) <= cells else name[: cells - 1] + "…" for name in names]


def _name(text: str) -> Text:
    return Text(text)  # a label may hold what rich would read as markup


def _percent(value: float) -> str:
    return f"{value:.1f} %"


def _share(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.2f}"


def _calibration(summary: Summary) -> tuple[str, str]:
    if summary.calibration_error is None:
        return "–", "the scores are no probabilities"
    return f"{summary.calibration_error:.3f}", "mean gap between confidence and accuracy"


def _round_up(count: int) -> int:
    """To two digits: the figure rests on an estimate."""
    digits = len(str(count))
    return count if digits < 3 else (count // 10 ** (digits - 2) + 1) * 10 ** (digits - 2)
