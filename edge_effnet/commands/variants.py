"""``edge-effnet variants``: the table of networks and what each costs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from edge_effnet.architecture.cost import cost, stage_table
from edge_effnet.architecture.files import find_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.table import BOARD_NAMES
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.console import console, megabytes, millions
from edge_effnet.ui.options import classes_option, given_flags, output_options
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import OneOf
from edge_effnet.ui.tables import table


@click.command()
@click.argument("name", required=False)
@classes_option
@click.option(
    "--for",
    "board",
    type=OneOf(BOARD_NAMES),
    metavar="BOARD",
    help=f"How fast they are on a board, and which to take: {', '.join(BOARD_NAMES)} (the machine "
    "this runs on).",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="With --for: answers a second that the recommended one is to give.  [default: 10]",
)
@output_options
def command(
    name: str | None,
    classes: int,
    board: str | None,
    fps: float | None,
    json_to: str | None,
    force: bool,
) -> None:
    """List the networks and their costs, or show one stage by stage.

    NAME is a variant or a variant file (see edge-effnet scale). With --for BOARD: their latencies
    there in float and int8, published ones with their source and the others as estimates, the
    files that teach makes, and the network to take.

    \b
    Examples:
      edge-effnet variants
      edge-effnet variants b0
      edge-effnet variants --for pi4
      edge-effnet variants --for this --fps 2
      edge-effnet variants lite0 --for pizero2 --classes 5
      edge-effnet variants --json - | jq '.[] | select(.int8_bytes < 6e6) | .name'
    """
    if fps is not None and board is None:
        raise UsageProblem(
            "--fps says how fast a network is to be on a board",
            found="no --for",
            fix=f"name the board too: edge-effnet variants --for pi4 --fps {fps:g}",
        )
    chosen = [find_variant(name)] if name else list(VARIANTS.values())
    claim_outputs({"--json": json_to}, overwrite=force)
    if board is not None:
        _on_board(board, chosen, classes, fps, json_to, overwrite=force)
        return
    if json_to:
        entries = [_as_json(spec, classes) for spec in chosen]
        write_json(entries[0] if name else entries, json_to, overwrite=force)
        if json_to == "-":
            return
    out = console()
    if name:
        _print_one(chosen[0], classes)
        return
    costs = table("variant", "input", "parameters", "mult-adds", "memory", "float", "int8", "top-1")
    for spec in chosen:
        total = cost(spec, classes=classes)
        costs.add_row(
            spec.name,
            f"{spec.resolution} px",
            millions(total.parameters),
            millions(total.macs),
            megabytes(total.peak_activations),
            megabytes(total.float_bytes),
            megabytes(total.int8_bytes),
            f"{spec.published.top1:.1f} %" if spec.published else "–",
        )
    out.print(costs)
    out.print(
        "memory: peak activations of the int8 file, four times as much in float · float, int8:"
        " estimated file size · top-1: ImageNet, published, float",
        style="dim",
    )


def _on_board(
    name: str,
    specs: list[VariantSpec],
    classes: int,
    fps: float | None,
    json_to: str | None,
    *,
    overwrite: bool,
) -> None:
    from edge_effnet.boards.find import find_board
    from edge_effnet.boards.recommend import DEFAULT_FPS, recommend
    from edge_effnet.ui.reports.boards import TAUGHT_CLASSES, board_json, board_rows, print_board

    board = find_board(name)
    asked = "--classes" in given_flags(click.get_current_context(), besides=())
    rows = board_rows(board, specs, classes, classes if asked else TAUGHT_CLASSES)
    recommended = recommend(board, fps or DEFAULT_FPS)
    if json_to:
        write_json(board_json(board, rows, recommended), json_to, overwrite=overwrite)
    if json_to != "-":
        print_board(console(), board, rows, recommended)


def _as_json(spec: VariantSpec, classes: int) -> dict[str, Any]:
    published = asdict(spec.published) if spec.published else None
    return {
        "name": spec.name,
        "family": spec.family,
        "resolution": spec.resolution,
        "classes": classes,
        **asdict(cost(spec, classes=classes)),
        "published": published,
        "published_top1": spec.published.top1 if spec.published else None,
        "stages": [asdict(row) for row in stage_table(spec, classes=classes)],
    }


def _print_one(spec: VariantSpec, classes: int) -> None:
    out, total = console(), cost(spec, classes=classes)
    headings = ("stage", "operator", "layers", "in", "out", "parameters", "mult-adds")
    stages = table(*headings, words={1})
    for row in stage_table(spec, classes=classes):
        stages.add_row(
            row.stage,
            row.operator,
            str(row.layers),
            "×".join(map(str, row.shape_in)),
            "×".join(map(str, row.shape_out)),
            f"{row.parameters:,}",
            millions(row.macs) if row.macs else "–",
        )
    out.print(
        f"{spec.name}: width ×{spec.width:.4g}, depth ×{spec.depth:.4g}, {spec.resolution} px, "
        f"{spec.activation}",
        style="bold",
    )
    out.print(stages)
    out.print(
        f"{total.parameters:,} parameters ({total.trainable:,} trainable) · "
        f"{millions(total.macs)} multiply-adds · peak activations "
        f"{megabytes(total.peak_activations)} int8, {megabytes(4 * total.peak_activations)} float"
    )
    out.print(
        f"file about {megabytes(total.float_bytes)} float, {megabytes(total.int8_bytes)} int8"
        + (f" · published top-1 {spec.published.top1} %" if spec.published else "")
    )
    if spec.published and spec.published.macs_millions:
        out.print(
            f"published multiply-adds {spec.published.macs_millions:.0f} M count BatchNorm and "
            f"activation too; counted that way this network has "
            f"{millions(total.macs_and_elementwise)}",
            style="dim",
        )
