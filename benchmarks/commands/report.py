"""``edge-effnet report``: results as one page for the browser."""

from __future__ import annotations

from pathlib import Path

import click

from edge_effnet.ui.options import force_option

_FILE = click.Path(path_type=Path)


@click.command("report")
@click.argument("sources", nargs=-1, required=True, type=_FILE)
@click.option(
    "-o",
    "--out",
    type=_FILE,
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="The page.",
)
@click.option("--title", default="EfficientNet on this device", show_default=True)
@click.option(
    "--flips",
    type=click.IntRange(0, 500),
    default=24,
    show_default=True,
    help="Flipped images shown for each comparison.",
)
@click.option(
    "--maps",
    type=click.IntRange(0, 500),
    default=24,
    show_default=True,
    help="How many of them get maps of what each model looked at; needs the models.",
)
@force_option
def command(
    sources: tuple[Path, ...], out: Path, title: str, flips: int, maps: int, force: bool
) -> None:
    """Draw SOURCES as one self-contained page that also reads well on a phone.

    SOURCES are JSON files of bench, evaluate, compare, convert and camera, in any mixture. The
    page says first what to do; below stand accuracy against latency, latency distributions,
    thresholds with their precision-recall curves, images that are answered otherwise with what
    each model looked at, changes by class, confusion matrices, the machine and whether its times
    are valid.

    \b
    Examples:
      edge-effnet report result.json
      edge-effnet report result.json comparison.json -o page.html --title "Signs on a Pi 4"
    """
    from benchmarks.report.page import render, require_extra
    from benchmarks.report.sources import read_sources
    from edge_effnet.files.write import text_bytes, write_atomically
    from edge_effnet.ui.console import echo
    from edge_effnet.ui.output import claim_outputs

    require_extra()
    claim_outputs({"--out": out}, overwrite=force)
    page = render(read_sources(sources), title=title, flips=flips, maps=maps)
    write_atomically(out, text_bytes(page), overwrite=force)
    echo(f"written to {out}")
