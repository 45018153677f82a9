"""The classic table, on your own device: EfficientNet B0–B7 beside those it was built to beat.

    python -m benchmarks.studies.classic_table models/                      # what is there already
    python -m benchmarks.studies.classic_table models/ --make b0,b1,densenet121,resnet50
    python -m benchmarks.studies.classic_table models/ --device your-name@raspberrypi.local

Size, parameters, depth and top-1 as published; the time is measured, all files in turn in one
run. Files are ``NAME-float32.tflite`` and ``NAME-int8.tflite``, as ``edge-effnet convert`` writes
them; ``--make`` calls it for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from benchmarks.devices.targets import find_targets, measure_all, release_all
from benchmarks.results.result import Case, Result
from benchmarks.results.tables import machine_line
from benchmarks.spec import BenchSpec
from benchmarks.studies.classic_networks import CLASSIC, SOURCE, ClassicNetwork
from benchmarks.studies.cli import run_installed, run_study
from edge_effnet.artifact import read_artifact
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.measure.statistics import Ratio, paired_ratio
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.progress import stages
from edge_effnet.ui.tables import table

FORMAT = "edge-effnet/classic-table"
KINDS = ("float32", "int8")


@dataclass(frozen=True)
class ClassicRow:
    """A network with what was measured of it; None where its file is not there.

    Attributes:
        int8_of_float: medians, of samples taken in turn.
        random_weights: then only its time means something.
    """

    network: ClassicNetwork
    float32: Case | None
    int8: Case | None
    int8_of_float: Ratio | None
    random_weights: bool

    @property
    def steady(self) -> bool:
        """Whether the samples of its files are to be believed."""
        return all(case.verdict.valid for case in (self.float32, self.int8) if case)

    def to_json(self, *, timed: bool) -> dict[str, Any]:
        row = {
            **asdict(self.network),
            "random_weights": self.random_weights,
            "steady": self.steady,
        }
        for kind, case in (("float32", self.float32), ("int8", self.int8)):
            row[f"{kind}_bytes"] = case and case.size_bytes
            row[f"{kind}_ms"] = case.spread.p50_ms if case and timed else None
        row["int8_of_float"] = asdict(self.int8_of_float) if self.int8_of_float and timed else None
        return row


def find_files(folder: Path) -> dict[tuple[str, str], Path]:
    """(name, kind) of every file of the table that is in a folder."""
    return {
        (name, kind): path
        for name in CLASSIC
        for kind in KINDS
        if (path := folder / f"{name}-{kind}.tflite").is_file()
    }


def make_missing(folder: Path, names: Sequence[str], weights: str) -> None:
    """Call the installed command for networks that have not both files.

    Raises:
        EdgeEffnetError: a conversion failed; its own line is on stderr.
    """
    there = find_files(folder)
    for name in names:
        if all((name, kind) in there for kind in KINDS):
            continue
        click.echo(f"making {name}", err=True)
        run_installed(
            *("convert", CLASSIC[name].option, name, "--int8", "--weights", weights),
            *("--out", folder, "--force"),
            # A table of times needs no more:
            *("--calibration-images", 20, "--eval-images", 20),
            fix="see its own lines; --weights random needs no download, or leave it out",
        )


def classic_rows(
    result: Result, files: Mapping[tuple[str, str], Path], random: set[str]
) -> list[ClassicRow]:
    """One row for each network that was measured, in the table's order."""
    cases = {case.file: case for case in result.cases}
    rows = []
    for name, network in CLASSIC.items():
        found = {kind: cases.get(str(files.get((name, kind)))) for kind in KINDS}
        ours, theirs = found["int8"], found["float32"]
        if ours or theirs:
            ratio = paired_ratio(ours.samples_ms, theirs.samples_ms) if ours and theirs else None
            rows.append(ClassicRow(network, theirs, ours, ratio, name in random))
    return rows


def has_random_weights(path: Path) -> bool:
    """Whether a file's card says that its weights mean nothing."""
    card = read_artifact(path).card
    return card is not None and card.weights.get("kind") == "random"


def table_cells(rows: Sequence[ClassicRow], *, timed: bool) -> tuple[list[str], list[list[str]]]:
    """Headings and cells, for a terminal and for Markdown alike."""
    headings = [
        "network",
        "params",
        "depth",
        "top-1",
        "float",
        "time",
        "int8",
        "time",
        "int8 / float",
    ]
    lines = []
    for row in rows:
        network, ratio = row.network, row.int8_of_float if timed else None
        cells = [
            network.title + " †" * row.random_weights + " ?" * (not row.steady),
            f"{network.parameters_millions:.1f} M",
            "–" if network.depth is None else str(network.depth),
            f"{network.top1_percent:.1f} %",
        ]
        for case in (row.float32, row.int8):
            cells.append("–" if case is None else megabytes(case.size_bytes))
            cells.append(f"{case.spread.p50_ms:.1f} ms" if case and timed else "–")
        cells.append(
            "–" if ratio is None else f"{ratio.value:.2f} ({ratio.low:.2f}–{ratio.high:.2f})"
        )
        lines.append(cells)
    return headings, lines


def notes(rows: Sequence[ClassicRow], result: Result) -> list[str]:
    """What stands under the table: where its figures come from and what spoils them."""
    lines = [
        f"top-1, parameters and depth are {SOURCE}",
        f"time: median of one inference, {machine_line(result)}",
    ]
    if any(row.random_weights for row in rows):
        lines.append("† random weights: the time means something, the answers do not")
    lines += [
        f"not valid: {problem.what}; to fix: {problem.fix}" for problem in result.verdict.problems
    ]
    if any(not row.steady for row in rows):
        lines.append("? not valid: these samples are not steady; --seconds measures for longer")
    return lines + (["valid: nothing seen that spoils the times"] if result.valid else [])


def _names(text: str | None) -> list[str]:
    if text is None:
        return []
    names = list(CLASSIC) if text == "all" else text.split(",")
    if unknown := [name for name in names if name not in CLASSIC]:
        raise UsageProblem(
            "--make names a network that is not in the table",
            found=", ".join(unknown),
            expected=f"all, or some of {', '.join(CLASSIC)}",
            fix="for example --make b0,densenet121",
        )
    return names


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--make", "make", metavar="all|NAME,…", help="Convert these where files are missing.")
@click.option("--weights", default="imagenet", show_default=True, help="For --make; or random.")
@click.option("--device", default="cpu", show_default=True, help="As for edge-effnet bench.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 256))
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.05, 3600))
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown.")
@json_option
@force_option
def command(
    folder: Path,
    make: str | None,
    weights: str,
    device: str,
    threads: int,
    seconds: float,
    as_markdown: bool,
    json_to: str | None,
    force: bool,
) -> None:
    """Draw the classic table from the files in FOLDER, measured on this device.

    \b
    Examples:
      python -m benchmarks.studies.classic_table models/
      python -m benchmarks.studies.classic_table models/ --make all --markdown
      python -m benchmarks.studies.classic_table models/ --make b0,resnet50 --weights random
    """
    claim_outputs({"--json": json_to}, overwrite=force)
    make_missing(folder, _names(make), weights)
    files = find_files(folder)
    if not files:
        raise UsageProblem(
            f"{folder} holds no file of the table",
            expected="NAME-float32.tflite or NAME-int8.tflite, such as b0-int8.tflite",
            fix="make some: --make b0,densenet121 (--weights random needs no download)",
        )
    spec = BenchSpec(tuple(files.values()), threads=(threads,), seconds=seconds)
    with stages() as stage:
        (fetched,) = measure_all(spec, find_targets([device]), stage)
    if isinstance(fetched, EdgeEffnetError):
        raise fetched
    outcome = fetched.result
    random = {name for (name, _), path in files.items() if has_random_weights(path)}
    rows = classic_rows(outcome, files, random)
    if json_to is not None:
        document = {
            "format": FORMAT,
            "version": 1,
            "source": SOURCE,
            "rows": [row.to_json(timed=outcome.timed) for row in rows],
            "result": outcome.to_json(),
        }
        write_json(document, json_to, overwrite=force)
    if json_to != "-":
        _print(rows, outcome, as_markdown=as_markdown)
    for problem in release_all([fetched]):
        click.echo(f"note: {problem}", err=True)


def _print(rows: Sequence[ClassicRow], result: Result, *, as_markdown: bool) -> None:
    headings, lines = table_cells(rows, timed=result.timed)
    under = notes(rows, result)
    if as_markdown:
        bars = ["---"] + ["---:"] * (len(headings) - 1)
        click.echo("\n".join("| " + " | ".join(line) + " |" for line in (headings, bars, *lines)))
        click.echo("\n" + "\n".join(f"- {line}" for line in under))
        return
    out = console()
    rows_shown = table(*headings)
    for line in lines:
        rows_shown.add_row(*map(Text, line))
    out.print(rows_shown)
    for text in under:
        out.print(Text(text, style="yellow" if "not valid" in text else "dim"))


if __name__ == "__main__":
    run_study(command)
