"""``edge-effnet regress``: has anything become slower since?"""

from __future__ import annotations

from pathlib import Path

import click

from edge_effnet.errors import LimitMissed
from edge_effnet.plurals import counted, plural
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import Share

_FILE = click.Path(path_type=Path)


@click.command("regress")
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option(
    "--max",
    "limit",
    default="5%",
    show_default=True,
    type=Share(high=10),
    metavar="SHARE",
    help="Growth of a median allowed, 5% or 0.05.",
)
@click.option("--allow-missing", is_flag=True, help="NEW may lack models of OLD.")
@click.option("--other-device", is_flag=True, help="Compare results of different devices.")
@json_option
@force_option
def command(
    old: Path,
    new: Path,
    limit: float,
    allow_missing: bool,
    other_device: bool,
    json_to: str | None,
    force: bool,
) -> None:
    """Compare two results of bench; exit with 3 where a model became slower, or was not measured.

    Slower means: the median grew by more than --max, and the 95 % interval of the ratio
    excludes 1. Of a file with several results the last one counts.

    \b
    Examples:
      edge-effnet regress main.json branch.json
      edge-effnet regress main.json branch.json --max 10% --json -
    """
    from benchmarks.results.regression import regress
    from benchmarks.results.store import read_results
    from benchmarks.results.tables import print_regression
    from edge_effnet.ui.console import console

    claim_outputs({"--json": json_to}, overwrite=force)
    outcome = regress(
        read_results(old)[-1], read_results(new)[-1], limit=limit, other_device=other_device
    )
    if json_to != "-":
        print_regression(console(), outcome)
    if json_to is not None:
        write_json(outcome.to_json(), json_to, overwrite=force)
    if outcome.regressed:
        worst = max(outcome.regressed, key=lambda row: row.ratio.value if row.ratio else 0)
        growth = 100 * (worst.ratio.value - 1) if worst.ratio else 0
        raise LimitMissed(
            f"{len(outcome.regressed)} of {counted(len(outcome.rows), 'case')} became slower",
            found=f"{worst.title} by {growth:.1f} %",
            expected=f"at most {100 * limit:g} %",
            fix="find the change that did it, or allow it with --max",
        )
    missing = [row.title for row in outcome.rows if row.kind == "missing"]
    if missing and not allow_missing:
        raise LimitMissed(
            f"{len(missing)} of {counted(len(outcome.rows), 'case')} "
            f"{plural(len(missing), 'was', 'were')} not measured again",
            found=f"no {missing[0]} in {new}",
            expected="every model, thread count and delegate of the old result",
            fix="measure them too, or add --allow-missing",
        )
