"""One model's report, for people."""

from __future__ import annotations

import numpy as np
from rich.console import Console
from rich.table import Table

from edge_effnet.metrics import ClassSummary, LabelSummary, Summary, ValueSummary
from edge_effnet.metrics.intervals import wilson_interval
from edge_effnet.ui.console import console
from edge_effnet.ui.tables import (
    ROWS,
    grid,
    interval_text,
    name_text,
    percent,
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
    known = _KNOWN[predictions.task].format(len(predictions.labels))
    say(out, f"{predictions.name} on {source}: {summary.images} images, {known}", "bold")
    if isinstance(summary, ClassSummary):
        out.print(_class_figures(summary))
        _print_classes(out, summary)
        _print_mistakes(out, summary)
    elif isinstance(summary, LabelSummary):
        out.print(_label_figures(summary))
        _print_labels(out, summary)
    else:
        out.print(_value_figures(summary))
    print_skipped(out, predictions.skipped)
    print_warnings(out, summary.warnings)


_KNOWN = {"classes": "{} classes known", "labels": "{} labels known", "value": "a value each"}


def _class_figures(summary: ClassSummary) -> Table:
    figures = grid()
    within = interval_text(summary.top1_interval_percent)
    figures.add_row("top-1", percent(summary.top1_percent), within)
    for k in summary.informative_tops:
        figures.add_row(f"top-{k}", percent(summary.top_percent[k]), "")
    balanced = percent(summary.balanced_accuracy_percent)
    figures.add_row("balanced accuracy", balanced, "mean recall of the classes")
    figures.add_row("calibration error", *_calibration(summary))
    figures.add_row("blind answers", percent(summary.chance_percent), "right by chance")
    return figures


def _label_figures(summary: LabelSummary) -> Table:
    within = interval_text(summary.exact_match_interval_percent)
    mean = summary.mean_average_precision_percent
    figures = grid()
    figures.add_row(
        "exact match",
        percent(summary.exact_match_percent),
        f"all labels right; {within}",
    )
    figures.add_row("label decisions", percent(summary.decisions_percent), "right, yes or no")
    if mean is not None:
        figures.add_row("mean average precision", percent(mean), "of the labels, by their scores")
    threshold = summary.predictions.effective_head.threshold
    figures.add_row("threshold", f"{threshold:g}", "of a score, above which a label is answered")
    return figures


def _value_figures(summary: ValueSummary) -> Table:
    figures = grid()
    figures.add_row("mean absolute error", f"{summary.mean_abs_error:.4g}", "")
    figures.add_row("root mean square error", f"{summary.root_mean_square_error:.4g}", "")
    if summary.r2 is not None:
        figures.add_row("R²", f"{summary.r2:.3f}", "1 is exact, 0 no better than the mean")
    return figures


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
        rest = f"{len(others)} classes more, with a mean recall of {mean:.2f}"
    print_rows(out, rows, rest)


def _print_mistakes(out: Console, summary: ClassSummary) -> None:
    mistakes, names = summary.confusion.mistakes(), short_names(summary.predictions.labels)
    if not mistakes:
        return
    rows = table("commonest mistakes", "images", "answered", words={2})
    for true, answered, images in mistakes[:ROWS]:
        rows.add_row(name_text(names[true]), str(images), name_text(names[answered]))
    others = sum(images for _, _, images in mistakes[ROWS:])
    print_rows(out, rows, f"{others} images more, mistaken in other ways" if others else "")


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
    print_rows(out, rows, f"{more} labels more; --json lists them all" if more else "")


def _calibration(summary: ClassSummary) -> tuple[str, str]:
    if summary.calibration_error is None:
        return "–", "the scores are no probabilities"
    return f"{summary.calibration_error:.3f}", "mean gap between confidence and accuracy"
