"""Rerun the figures that the README states, and print stated against found.

    make figures
    EDGE_EFFNET_REFERENCE=… make figures ARGS="--only v2-b0 --json figures.json"

Exit code 1 where a figure differs by more than its tolerance, or its run failed. What is not rerun
is said at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import click

from benchmarks.studies.cli import run_study
from benchmarks.studies.readme_figures.documents import find_words, read_documents
from benchmarks.studies.readme_figures.runs import REFERENCE, RUNS, Run, Workspace, reference_folder
from benchmarks.studies.readme_figures.table import FIGURES, StatedFigure
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.stages import StartStage
from edge_effnet.ui.console import console
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.progress import stages
from edge_effnet.ui.quantities import OneOf
from edge_effnet.ui.tables import name_text, table

FORMAT, VERSION = "edge-effnet/readme-figures", 2
NOT_RERUN = (
    "times (edge-effnet bench on your machine), studies of hours, other tools (the other modules "
    "of benchmarks.studies), and what others report"
)
Verdict = Literal["agrees", "differs", "failed", "not rerun"]


@dataclass(frozen=True)
class FigureOutcome:
    """One figure: what is stated where, and what was found.

    Attributes:
        stated, found: in the figure's own unit; ``found`` is None where nothing was.
        reason: why nothing was found.
    """

    figure: StatedFigure
    document: str
    stated: float
    found: float | None
    reason: str | None

    @property
    def verdict(self) -> Verdict:
        if self.found is None:
            return "failed" if self.reason and self.reason.startswith("error") else "not rerun"
        near = abs(self.found - self.stated) <= self.figure.tolerance
        return "agrees" if near else "differs"

    def to_json(self) -> dict[str, Any]:
        own = {key: value for key, value in asdict(self).items() if key != "figure"}
        return {**asdict(self.figure), **own, "verdict": self.verdict}


def rerun(asked: Sequence[str], workspace: Workspace, stage: StartStage) -> list[FigureOutcome]:
    """Run what was asked for, in the order of ``RUNS``, and hold it against the documents.

    Raises:
        DataError: words that do not stand in the documents.
    """
    documents = read_documents()
    stated = [(figure, *find_words(figure.words, documents)) for figure in FIGURES]
    found: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for run in RUNS.values():
        reason = _reason(run, asked, workspace, reasons)
        if reason is None:
            done = stage(f"rerunning {run.name}", None)
            try:
                found[run.name] = run.find(workspace)
            except EdgeEffnetError as error:
                reason = f"error: {error}"
            done(1)
        if reason is not None:
            reasons[run.name] = reason
    return [
        FigureOutcome(
            figure,
            document,
            number if number is not None else float("nan"),
            found[figure.run][figure.key] if figure.run in found else None,
            reasons.get(figure.run),
        )
        for figure, document, number in stated
    ]


def _reason(
    run: Run, asked: Sequence[str], workspace: Workspace, reasons: dict[str, str]
) -> str | None:
    """Why a run is left out, or None."""
    if run.name not in asked:
        return "not asked for"
    if run.needs_reference and workspace.reference is None:
        return f"needs the photos and weights that {REFERENCE} names"
    missing = [name for name in run.after if name in reasons]
    return f"comes after {missing[0]}: {reasons[missing[0]]}" if missing else None


def _print(outcomes: Sequence[FigureOutcome]) -> None:
    out = console()
    rows = table("where it says", "stated", "found", "verdict", "run", words=(3, 4))
    for outcome in outcomes:
        rows.add_row(
            name_text(outcome.figure.words),
            f"{outcome.stated:g}",
            "–" if outcome.found is None else f"{outcome.found:.4g}",
            outcome.verdict,
            outcome.figure.run,
            style="yellow" if outcome.verdict in ("differs", "failed") else None,
        )
    out.print(rows)
    for run in RUNS:
        reasons = {row.reason for row in outcomes if row.figure.run == run and row.reason}
        for reason in reasons:
            out.print(f"not found again, {run}: {reason}", markup=False)
    out.print(f"not rerun: {NOT_RERUN}")
    counts = {kind: sum(row.verdict == kind for row in outcomes) for kind in ("agrees", "differs")}
    out.print(f"{counts['agrees']} figures agree, {counts['differs']} differ", style="bold")


@click.command()
@click.option("--only", multiple=True, type=OneOf(list(RUNS)), metavar="RUN", help="Just this run.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the files that are made, which then stay.",
)
@json_option
@force_option
def command(only: tuple[str, ...], work: Path | None, json_to: str | None, force: bool) -> None:
    """Rerun the README's figures: some ten minutes on two cores."""
    claim_outputs({"--json": json_to}, overwrite=force)
    with ExitStack() as stack:
        folder = work or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        stage = stack.enter_context(stages())
        outcomes = rerun(only or list(RUNS), Workspace(folder.resolve(), reference_folder()), stage)
    if json_to != "-":
        _print(outcomes)
    if json_to is not None:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "figures": [outcome.to_json() for outcome in outcomes],
        }
        write_json(document, json_to, overwrite=force)
    if any(outcome.verdict in ("differs", "failed") for outcome in outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    run_study(command)
