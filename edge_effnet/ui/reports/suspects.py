"""Images that may hurt a data set, for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, echo
from edge_effnet.ui.tables import ROWS, name_text, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from edge_effnet.data.division.trained_on import SeenInTraining
    from edge_effnet.runtime.evaluating.suspects import Suspects


def print_suspects(suspects: Suspects, moved: list[Path] | None) -> None:
    """Likely wrong labels, copies, and the worst of each class.

    Args:
        moved: where the first are now; None where nothing was to be moved.
    """
    out, wrong = console(), suspects.wrong
    say(
        out,
        f"\nlikely wrong labels: {len(wrong)} of {counted(suspects.images, 'image')} (confident "
        "learning, Northcutt et al. 2021)",
        "bold",
    )
    if wrong:
        rows = table("image", "labelled", "", "likely", "")
        for one in wrong[:ROWS]:
            scores = (f"{one.probability:.2f}", f"{one.likely_probability:.2f}")
            labels = (name_text(one.label), name_text(one.likely))
            rows.add_row(name_text(str(one.path)), labels[0], scores[0], labels[1], scores[1])
        out.print(rows)
        _more(len(wrong))
    contradict = [one for one in suspects.copies if one.contradict]
    groups = counted(len(suspects.copies), "group") if suspects.copies else "none"
    if suspects.copies:
        groups += f", {len(contradict) or 'none'} of them under different labels"
    say(
        out,
        f"one image several times, or nearly, among {counted(suspects.given, 'image')}: {groups}",
        "bold",
    )
    for copies in suspects.copies[:ROWS]:
        shown = ", ".join(
            f"{path} ({label})" for path, label in zip(copies.paths, copies.labels, strict=True)
        )
        say(out, f"  {shown}")
    _more(len(suspects.copies))
    if suspects.trained is not None:
        _say_trained(out, suspects.trained)
    say(out, "least like their class, by the probability of their label", "bold")
    for label, found in suspects.worst[:ROWS]:
        say(out, f"  {label}: " + ", ".join(f"{path} {p:.2f}" for path, p in found))
    _more(len(suspects.worst))
    if moved is not None:
        echo(f"moved aside: {len(moved)}" + (f", to {moved[0].parent.parent}" if moved else ""))


def _say_trained(out: Console, trained: SeenInTraining) -> None:
    say(
        out,
        f"the model was trained on {len(trained.copies)} of these images; nearly the same as one "
        f"that it was trained on: {len(trained.near)} more",
        "bold",
    )
    for path in trained.near[:ROWS]:
        say(out, f"  {path}")
    _more(len(trained.near))


def _more(count: int) -> None:
    if count > ROWS:
        echo(f"and {count - ROWS} more; --json lists them all")
