"""From what was typed after ``edge-effnet prune`` to a PruneConfig."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import click

from converters.pruning.config import PruneConfig
from edge_effnet.data.signs.option import named_source
from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import not_understood, read_amount
from edge_effnet.ui.missing import missing
from edge_effnet.ui.options import given_flags
from edge_effnet.ui.quantities import LEAST_AMOUNT, Share

TARGETS = {
    "target_macs": "macs",
    "target_params": "params",
    "target_size": "size",
    "target_latency": "latency",
    "unstructured": "zeros",
}
_NO_MATTER_ON_RESUME = {"resume", "threads", "json_to", "force", "runs"}


def config_of(options: dict[str, Any]) -> PruneConfig:
    """What a new run is training.

    Raises:
        UsageProblem: something is missing, or does not go together.
        ModelError: a network that is no variant of ours.
    """
    from converters.pruning.convert_step import refuse_foreign

    refuse_foreign(options["model"], options["variant"], options["weights"])
    for name in ("variant", "data"):
        if options[name] is None:
            raise missing(name)
    if options["plot"] is not None and not options["sensitivity"]:
        raise UsageProblem(
            "--plot draws what --sensitivity measures",
            found="no --sensitivity",
            fix="add it, or leave --plot out",
        )
    given = [name for name in TARGETS if options[name] is not None]
    if len(given) > 1 or (bool(given) == options["sensitivity"]):
        raise UsageProblem(
            "--sensitivity prunes nothing and takes no target"
            if options["sensitivity"]
            else "prune takes one target",
            found=" and ".join(map(_flag, given)) or "none",
            expected=None if options["sensitivity"] else f"one of {', '.join(map(_flag, TARGETS))}",
            fix="for example --target-macs 0.7 alone: keep 70 % of the multiply-adds",
        )
    target, measure = 0.5, "macs"  # of --sensitivity, which makes no use of it
    if given:
        measure = TARGETS[given[0]]
        target = parse_target(_flag(given[0]), options[given[0]])
    own = {entry.name for entry in fields(PruneConfig)} - {"measure", "target", "data"}
    return PruneConfig(
        measure=measure,  # type: ignore[arg-type]
        target=target,
        data=named_source(options["data"]),
        **{name: options[name] for name in own},
    )


def parse_target(option: str, given: str | float) -> float:
    """``0.7`` or ``70%`` of what it is now, an amount, ``150M``, ``12MB``; of a latency ``10ms``.

    Raises:
        UsageProblem: neither, or a latency without its unit.
    """
    if not isinstance(given, str):
        return given
    share = Share(low_open=True, high_open=True)
    if option != "--target-latency":
        if given.strip().endswith("%"):
            return share.parse(given, option)
        amount = read_amount(given, option)
        if 1 <= amount < LEAST_AMOUNT:  # 70 is neither a share nor meant as an amount
            raise not_understood(
                option,
                given,
                expected="a share below 1, a percentage, or an amount such as 150M",
                example=f"{given.strip()}%" if amount < 100 else "0.7",
            )
        return amount
    text = given.strip().lower()
    try:
        value = float(text.removesuffix("ms")) if text.endswith("ms") else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < 1e6:
        raise not_understood(option, given, expected="milliseconds", example="10ms")
    return value


def refuse_other_settings(context: click.Context) -> None:
    """Raise UsageProblem where ``--resume`` stands beside what would make it another run."""
    if given := given_flags(context, besides=_NO_MATTER_ON_RESUME):
        raise UsageProblem(
            "--resume goes on with the run's own settings",
            found=", ".join(given),
            fix="leave these out, or start a new run",
        )


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
