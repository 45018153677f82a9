"""``--recall`` and ``--precision`` on the command line, and their figures for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted
from edge_effnet.ui.quantities import Share

if TYPE_CHECKING:
    from edge_effnet.heads.thresholds import Measure, ThresholdCounts
    from edge_effnet.metrics import KeptPoints, OperatingPoints
    from edge_effnet.runtime.evaluating.operating_points import AskedTarget

    _Asked = click.ParamType[tuple[str, float]]
else:  # generic since click 8.2, which Raspberry Pi OS lacks
    _Asked = click.ParamType

_Function = TypeVar("_Function", bound=Callable[..., Any])
_SHARE = Share(low_open=True)


class ClassShare(_Asked):
    """``stop=0.95`` or ``stop=95%``, to ("stop", 0.95); a class's name may hold ``=``."""

    name = "class=share"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,  # noqa: ARG002
    ) -> tuple[str, float]:
        if not isinstance(value, str):
            return value  # type: ignore[no-any-return]  # click asks twice
        option = max(param.opts, key=len) if param is not None else "the value"
        name, sign, share = value.rpartition("=")
        if not sign or not name.strip():
            raise UsageProblem(
                f"{option} is not understood",
                found=repr(value),
                expected="a class and a share, CLASS=SHARE",
                fix=f"for example {option} stop=0.95",
            )
        return name.strip(), _SHARE.parse(share, option)


def target_options(where: str) -> Callable[[_Function], _Function]:
    """``--recall`` and ``--precision``.

    Args:
        where: what is done with the threshold, for ``--help``.
    """

    def decorate(function: _Function) -> _Function:
        for measure, which in (
            ("precision", "the lowest threshold that reaches this precision"),
            ("recall", "the highest threshold that still reaches this recall"),
        ):
            function = click.option(
                f"--{measure}",
                f"{measure}_targets",
                type=ClassShare(),
                multiple=True,
                metavar="CLASS=SHARE",
                help=f"Choose for a class {which} on one half of the images, {where}.",
            )(function)
        return function

    return decorate


def asked_targets(
    recall: tuple[tuple[str, float], ...], precision: tuple[tuple[str, float], ...]
) -> list[AskedTarget]:
    """The values of both options."""
    from edge_effnet.runtime.evaluating.operating_points import AskedTarget

    return [AskedTarget("recall", name, share) for name, share in recall] + [
        AskedTarget("precision", name, share) for name, share in precision
    ]


def print_operating_points(found: OperatingPoints, *, is_evidence: bool = True) -> None:
    """Each threshold with what it is worth on images that did not choose it.

    Args:
        is_evidence: False where the model was trained on the images, so that they prove nothing.
    """
    from edge_effnet.ui.console import console
    from edge_effnet.ui.reports.comparison import NOTHING_PROVEN
    from edge_effnet.ui.tables import grid, say

    out = console()
    out.print()
    say(
        out,
        f"thresholds chosen on {counted(found.chosen_on, 'image')}, evaluated on the other "
        f"{found.evaluated_on}",
        "bold",
    )
    for line in found.notices:
        say(out, f"note: {line}", "dim")
    for point in found.points:
        target, chosen = point.target, point.threshold
        at = f": from a score of {chosen.threshold:.6g} on" if chosen else ""
        say(out, f"{target.label!r}, {target.text}{at}")
        if chosen is not None:
            right, images = chosen.chosen_on.part(target.measure)
            rows = grid()
            for name, value, remark in _figures(chosen.evaluated_on):
                rows.add_row(f"  {name}", value, remark)
            out.print(rows)
            say(
                out,
                f"  ({target.measure} where it was chosen: {right} of {counted(images, 'image')})",
                "dim",
            )
        known = is_evidence or chosen is None
        say(out, f"  {point.conclusion if known else NOTHING_PROVEN}", _STYLES[point.outcome])
    if any(one.threshold and one.target.measure == "precision" for one in found.points):
        say(
            out,
            "precision holds where as large a share of the images is of the class as here",
            "dim",
        )


_STYLES = {"proven": "green", "open": "yellow", "missed": "bold yellow", "none": "bold yellow"}
_VERDICTS = {"kept": "green", "open": "yellow", "lost": "bold red"}


def _figures(counts: ThresholdCounts) -> list[tuple[str, str, str]]:
    measures: tuple[Measure, ...] = ("recall", "precision")
    rows = [(str(name), *_share(*counts.part(name))) for name in measures]
    return [*rows, ("false alarms", *_share(counts.false_alarms, counts.others))]


def _share(part: int, whole: int) -> tuple[str, str]:
    """In percent, and of what with its interval."""
    from edge_effnet.metrics.intervals import interval_text, wilson_interval

    if not whole:
        return "–", "of no image"
    low, high = wilson_interval(part, whole)
    return f"{100 * part / whole:.1f} %", (
        f"{part} of {counted(whole, 'image')}, {interval_text((100 * low, 100 * high))}"
    )


def print_kept_points(kept: KeptPoints, *, is_evidence: bool = True) -> None:
    """Both models at the same thresholds, and whether the second keeps what was chosen.

    Args:
        is_evidence: False where a model was trained on the images, so that they prove nothing.
    """
    from edge_effnet.ui.console import console
    from edge_effnet.ui.reports.comparison import NOTHING_PROVEN
    from edge_effnet.ui.shown_commands import commands_as_called
    from edge_effnet.ui.tables import say, table

    out = console()
    out.print()
    say(
        out,
        f"operating points on {counted(kept.images, 'image')}; thresholds {kept.origin}",
        "bold",
    )
    for line in kept.notices:
        say(out, f"note: {line}", "dim")
    for point in kept.points:
        target = point.target
        say(out, f"{target.label!r}, {target.text}: from a score of {point.threshold:.6g} on")
        rows = table("", "reference", "candidate", "of images")
        ours, theirs = _figures(point.reference), _figures(point.candidate)
        counts = (
            f"{point.reference.found}, {point.candidate.found} of {point.reference.of_class}",
            f"{point.reference.found} of {point.reference.reached}, "
            f"{point.candidate.found} of {point.candidate.reached}",
            f"{point.reference.false_alarms}, {point.candidate.false_alarms} of "
            f"{point.reference.others}",
        )
        for one, other, of in zip(ours, theirs, counts, strict=True):
            rows.add_row(f"  {one[0]}", one[1], other[1], of)
        out.print(rows)
        line = commands_as_called(point.conclusion) if is_evidence else NOTHING_PROVEN
        say(out, f"  {line}", _VERDICTS[point.verdict] if is_evidence else "yellow")
    for line in kept.without:
        say(out, line, "yellow")
