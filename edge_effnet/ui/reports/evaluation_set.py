"""What is said, before any figure, of the images that a command runs on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from edge_effnet.ui.console import console, echo, print_note

if TYPE_CHECKING:
    from edge_effnet.data.dataset import Dataset
    from edge_effnet.data.division.trained_on import EvaluationSet
    from edge_effnet.runtime.evaluating.plan import EvaluationPlan


def print_plan(plan: EvaluationPlan, *, shown: bool) -> None:
    """How the models run, what was read and left out, and what is wrong with what is left.

    Args:
        shown: whether stdout is for people; else what was left out goes to stderr.
    """
    for line in plan.notices:
        print_note(line)
    print_data(plan.given)
    print_evaluation_set(console(stderr=not shown), plan.evaluation_set)
    for line in plan.warnings:
        print_note(line)


def print_evaluation_set(out: Console, chosen: EvaluationSet | None) -> None:
    """The line that stands first, where there is one."""
    if chosen is not None and chosen.line:
        style = "" if chosen.is_evidence else "bold yellow"
        out.print(chosen.line, style=style, markup=False, highlight=False, soft_wrap=True)


def print_data(dataset: Dataset) -> None:
    """Say on stderr what is run on: the classes, so that a folder of folders that are none is
    seen, and what was left out."""
    for line in dataset.lines():
        echo(f"data: {line}", err=True)
