"""``edge-effnet scale``: the largest network within your budgets."""

from __future__ import annotations

from pathlib import Path

import click

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.scaling import Fit, largest_within, scaled_variant
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.console import console, megabytes, millions
from edge_effnet.ui.options import classes_option, force_option
from edge_effnet.ui.output import claim_outputs
from edge_effnet.ui.quantities import Amount
from edge_effnet.ui.tables import table

_AMOUNT = Amount()


@click.command()
@click.option("--phi", type=float, help="Compound coefficient: 0 is B0, negative is smaller.")
@click.option(
    "--max-macs", type=_AMOUNT, metavar="N", help="Multiply-adds for one image, e.g. 200M."
)
@click.option("--max-params", type=_AMOUNT, metavar="N", help="Parameters, e.g. 3M.")
@click.option("--max-size", type=_AMOUNT, metavar="BYTES", help="Size of the int8 file, e.g. 4MB.")
@click.option(
    "--max-memory", type=_AMOUNT, metavar="BYTES", help="Peak int8 activations, e.g. 2MB."
)
@classes_option
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the network as a variant file.",
)
@force_option
def command(
    phi: float | None,
    max_macs: float | None,
    max_params: float | None,
    max_size: float | None,
    max_memory: float | None,
    classes: int,
    out: Path | None,
    force: bool,
) -> None:
    """Find the largest compound-scaled network within budgets, and which budget limits it.

    B1–B7 are published rows, not members of this family: φ = 1 gives 257 px, B1 has 240.

    \b
    Examples:
      edge-effnet scale --phi -2
      edge-effnet scale --max-macs 200M --max-size 4MB -o small.json
      edge-effnet convert --variant small.json --int8
    """
    asked = {"macs": max_macs, "params": max_params, "size": max_size, "memory": max_memory}
    budgets = {name: amount for name, amount in asked.items() if amount is not None}
    if (phi is None) == (not budgets):
        raise UsageProblem(
            "scale takes either --phi or budgets",
            found="both" if budgets else "neither",
            fix="for example: edge-effnet scale --max-macs 200M",
        )
    if phi is not None:
        spec = scaled_variant(phi)
        fit = Fit(spec, phi, cost(spec, classes=classes), ())
    else:
        fit = largest_within(budgets, classes=classes)
    claim_outputs({"--out": out}, overwrite=force)
    if out is not None:
        write_variant(out, fit.spec, overwrite=force)
    _print(fit, budgets)
    if out is not None:
        console().print(f"wrote {out}: use it as --variant {out}")


def _print(fit: Fit, budgets: dict[str, float]) -> None:
    spec, total, screen = fit.spec, fit.total, console()
    screen.print(
        f"{spec.name}: φ = {fit.phi:g}, width ×{spec.width:.3f}, depth ×{spec.depth:.3f}, "
        f"{spec.resolution} px",
        style="bold",
    )
    costs = table("cost", "network", "budget", "", words={3})
    for name, label, value in _rows(total):
        show = megabytes if name in ("size", "memory") else millions
        costs.add_row(
            label,
            show(value),
            show(budgets[name]) if name in budgets else "–",
            "binds" if name in fit.binding else "",
        )
    screen.print(costs)


def _rows(total: Cost) -> list[tuple[str, str, float]]:
    return [
        ("macs", "multiply-adds", total.macs),
        ("params", "parameters", total.parameters),
        ("size", "int8 file", total.int8_bytes),
        ("memory", "peak int8 activations", total.peak_activations),
    ]
