"""What is said, before any figure, of the images that judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from edge_effnet.ui.options import console
from edge_effnet.ui.tables import print_notice

if TYPE_CHECKING:
    from edge_effnet.artifact import Card
    from edge_effnet.data.dataset import Dataset
    from edge_effnet.data.trained_on import Judged


def choose_judges(dataset: Dataset, cards: Sequence[Card | None], *, shown: bool) -> Judged:
    """Leave out what the models were trained on and say so first; warn of what is left.

    Args:
        cards: of the models.
        shown: whether stdout is for people; else the line goes to stderr.
    """
    from edge_effnet.data.split import judging_warnings
    from edge_effnet.data.trained_on import judge_on

    judged = judge_on(dataset, [step for card in cards if card for step in card.steps])
    print_judged(console(stderr=not shown), judged)
    for line in judging_warnings(judged.dataset, dataset):
        print_notice(line)
    return judged


def print_judged(out: Console, judged: Judged | None) -> None:
    """The line that stands first, where there is one."""
    if judged is not None and judged.line:
        style = "" if judged.is_evidence else "bold yellow"
        out.print(judged.line, style=style, markup=False, highlight=False, soft_wrap=True)
