"""One model's report, for people."""

from __future__ import annotations

import numpy as np
from rich.console import Console

from edge_effnet.metrics import ClassSummary, LabelSummary, Summary
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.plurals import counted
from edge_effnet.runtime.evaluating.others import OtherThings
from edge_effnet.ui.console import console
from edge_effnet.ui.tables import (
    ROWS,
    grid,
    name_text,
    print_rows,
    print_skipped,
    print_warnings,
    say,
    share,
    short_names,
    shown_of,
    table,
)


def print_summary(summary: Summary, source: str) -> None:
    """Print one model's report; ``source`` says where the images come from."""
    out, predictions = console(), summary.predictions
    labels = len(predictions.labels)
    known = {
        "classes": f"{counted(labels, 'class', 'classes')} known",
        "labels": f"{counted(labels, 'label')} known",
        "value": "a value each",
    }[predictions.task]
    say(out, f"{predictions.name} on {source}: {counted(summary.images, 'image')}, {known}", "bold")
    figures = grid()
    for figure in summary.figures:
        figures.add_row(figure.name, figure.text, figure.remark)
    out.print(figures)
    if isinstance(summary, ClassSummary):
        _print_classes(out, summary)
        _print_mistakes(out, summary)
    elif isinstance(summary, LabelSummary):
        _print_labels(out, summary)
    print_skipped(out, predictions.skipped)
    print_warnings(out, summary.warnings)


def print_others(seen: OtherThings) -> None:
    """What the model says of images of other things."""
    out = console()
    say(out, f"other things, {seen.source}: {seen.answers.text}")
    print_skipped(out, seen.skipped)


def _print_classes(out: Console, summary: ClassSummary) -> None:
    figures, names = summary.per_class, short_names(summary.predictions.labels)
    recall, precision, f1 = figures.recall, figures.precision, figures.f1
    # By the upper bound of the recall: one unlucky image of one is no proof of weakness.
    present = sorted(
        map(int, np.flatnonzero(figures.support)),
        key=lambda i: wilson_interval(int(figures.correct[i]), int(figures.support[i]))[1],
    )
    shown = shown_of(present)
    rows = table("class, weakest first", "images", "recall", "precision", "F1")
    for index in shown:
        shares = (share(values[index]) for values in (recall, precision, f1))
        rows.add_row(name_text(names[index]), str(figures.support[index]), *shares)
    rest = ""
    if others := present[len(shown) :]:
        mean = float(np.mean(recall[others]))
        rest = f"{counted(len(others), 'class', 'classes')} more, with a mean recall of {mean:.2f}"
    print_rows(out, rows, rest)


def _print_mistakes(out: Console, summary: ClassSummary) -> None:
    mistakes, names = summary.confusion.mistakes(), short_names(summary.predictions.labels)
    if not mistakes:
        return
    rows = table("commonest mistakes", "images", "answered", words={2})
    for true, answered, images in mistakes[:ROWS]:
        rows.add_row(name_text(names[true]), str(images), name_text(names[answered]))
    others = sum(images for _, _, images in mistakes[ROWS:])
    print_rows(
        out, rows, f"{counted(others, 'image')} more, mistaken in other ways" if others else ""
    )


def _print_labels(out: Console, summary: LabelSummary) -> None:
    figures, names = summary.per_class, short_names(summary.predictions.labels)
    columns = (figures.recall, figures.precision, figures.f1, summary.average_precision)
    order = sorted(map(int, figures.seen), key=lambda index: float(figures.f1[index]))
    shown = shown_of(order)
    rows = table(
        "label, weakest first", "true", "answered", "recall", "precision", "F1", "avg. precision"
    )
    for index in shown:
        counts = str(figures.support[index]), str(figures.answered[index])
        rows.add_row(
            name_text(names[index]), *counts, *(share(values[index]) for values in columns)
        )
    more = len(order) - len(shown)
    print_rows(out, rows, f"{counted(more, 'label')} more; --json lists them all" if more else "")
