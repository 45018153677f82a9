"""What is said, before any figure, of the images that a command runs on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from rich.console import Console

from edge_effnet.ui.console import console, print_note

if TYPE_CHECKING:
    from edge_effnet.artifact import Card
    from edge_effnet.data.dataset import Dataset
    from edge_effnet.data.trained_on import EvaluationSet


def choose_evaluation_set(
    dataset: Dataset, cards: Sequence[Card | None], *, shown: bool
) -> EvaluationSet:
    """Leave out what the models were trained on and say so first; warn of what is left.

    Args:
        cards: of the models.
        shown: whether stdout is for people; else the line goes to stderr.
    """
    from edge_effnet.data.split import evaluation_warnings
    from edge_effnet.data.trained_on import leave_out_trained

    chosen = leave_out_trained(dataset, [step for card in cards if card for step in card.steps])
    print_evaluation_set(console(stderr=not shown), chosen)
    for line in evaluation_warnings(chosen.dataset, dataset):
        print_note(line)
    return chosen


def print_evaluation_set(out: Console, chosen: EvaluationSet | None) -> None:
    """The line that stands first, where there is one."""
    if chosen is not None and chosen.line:
        style = "" if chosen.is_evidence else "bold yellow"
        out.print(chosen.line, style=style, markup=False, highlight=False, soft_wrap=True)


def print_data(dataset: Dataset) -> None:
    """Say on stderr what is run on: the classes, so that a folder of folders that are none is
    seen, and what was left out."""
    for line in dataset.lines():
        click.echo(f"data: {line}", err=True)
