"""``edge-effnet doctor``: what this machine runs fast, and why a model is not faster here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.measure.finding import Finding
from edge_effnet.plugins import PARTS, load
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console
from edge_effnet.ui.model_command import ModelCommand
from edge_effnet.ui.options import (
    output_options,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import OneOf
from edge_effnet.ui.reports.preflight import print_preflight
from edge_effnet.ui.shown_commands import commands_as_called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge_effnet.measure.environment import Environment
    from edge_effnet.measure.file_description.description import FileDescription

FORMAT = "edge-effnet/doctor"
VERSION = 1


@click.command("doctor", cls=ModelCommand)
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option(
    "--device",
    type=OneOf(["cpu", "coral"]),
    default="cpu",
    show_default=True,
    help="coral looks at the Edge TPU, and at what its compiler would make of MODEL.",
)
@output_options
def command(model: Path | None, device: str, json_to: str | None, force: bool) -> None:
    """Say what is installed, what this machine runs fast, and what MODEL is: who made it, what it
    expects, what is wrong with it, why it is not faster, and the command that helps.

    MODEL can be any file: .tflite, Keras, SavedModel, a zip of Teachable Machine, PyTorch, ONNX …
    With --device coral and a MODEL: which of its operators the Edge TPU would take, why not,
    and what to change. That needs neither the device nor its compiler.

    \b
    Examples:
      edge-effnet doctor
      edge-effnet doctor b0-int8.tflite
      edge-effnet doctor keras_model.h5
      edge-effnet doctor lite0-int8.tflite --device coral --json -
    """
    from edge_effnet.measure.coral import coral_lines, diagnose_coral, find_coral
    from edge_effnet.measure.diagnosis import diagnose_machine, installed_extras
    from edge_effnet.measure.environment import read_environment
    from edge_effnet.measure.file_description.describe import describe_file
    from edge_effnet.measure.system_state import read_system_state
    from edge_effnet.tflite.reader import read_structure

    claim_outputs({"--json": json_to}, overwrite=force)
    described = describe_file(model) if model is not None and device == "cpu" else None
    if model is not None and device != "cpu":
        read_structure(model)  # refuse early what is no model
    environment, state = read_environment(), read_system_state()
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "device": device,
        "environment": asdict(environment),
        "state": asdict(state),
        "extras": installed_extras(),
    }
    speed, coral = tuple[Finding, ...](), list[tuple[str, str]]()
    if device == "cpu":
        findings = tuple(diagnose_machine(environment, state))
        document["findings"] = [asdict(finding) for finding in findings]
        document["model"] = None
        if described:
            document["model"], speed = _timed(described, environment)
    else:
        parts = find_coral()
        findings, coral = tuple(diagnose_coral(parts)), coral_lines(parts)
        document["findings"] = [asdict(finding) for finding in findings]
        outcome = load(PARTS["doctor --device coral"])(model).to_json() if model else {}
        document["edgetpu"] = {"file": str(model) if model else None, **asdict(parts), **outcome}
    if json_to != "-":
        _print(document, findings, coral)
        if described:
            _print_file(described, speed, document["extras"])
    if json_to is not None:
        write_json(document, json_to, overwrite=force)


def _timed(
    described: FileDescription, environment: Environment
) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """What a file is and, where it runs, how fast: as JSON, and the findings about its speed."""
    from edge_effnet.errors import EdgeEffnetError
    from edge_effnet.measure.model_diagnosis import NOT_TIMED, diagnose_model

    said = described.to_json()
    if not described.runs:
        return {**NOT_TIMED, **said}, ()
    try:
        found = diagnose_model(described.path, environment, described.command)
    except EdgeEffnetError as error:
        failed = Finding("does-not-run", True, f"it does not run here: {error.what}", error.fix)
        return {**NOT_TIMED, **said, "findings": [asdict(failed)]}, (failed,)
    return {**found.to_json(), **said}, found.findings


def _print(
    document: dict[str, Any], machine: Sequence[Finding], coral: Sequence[tuple[str, str]]
) -> None:
    out, where = console(), document["environment"]
    name = where["device"] or where["cpu"] or where["machine"]
    out.print(f"{name}, {counted(where['cores'], 'core')}, {where['bits']}-bit", style="bold")
    out.print(f"runtime  {where['runtime'] or 'none'}")
    out.print(f"OpenCV   {where['opencv'] or 'none'}")
    there = [extra for extra, found in document["extras"].items() if found]
    lacking = [extra for extra, found in document["extras"].items() if not found]
    out.print(f"extras   {', '.join(there) or 'none'}; not installed: {', '.join(lacking)}")
    for part, found in coral:
        out.print(f"{part:<10} {found}")
    _print_findings(machine)
    if "ops" in document.get("edgetpu", {}):
        out.print()
        print_preflight(document["edgetpu"])


def _print_file(
    described: FileDescription, speed: Sequence[Finding], extras: Mapping[str, bool]
) -> None:
    """A file in words, what is wrong with it, and the one command that helps."""
    out = console()
    out.print()
    out.print(str(described.path), style="bold", markup=False, soft_wrap=True)
    for word, said in described.facts:
        out.print(f"{word:<8} {said}", markup=False, highlight=False, soft_wrap=True)
    _print_findings(described.problems, word="wrong: ", besides=described.command)
    _print_findings(speed, besides=described.command)
    if described.command is None:
        return
    if described.extra is not None and not extras[described.extra]:
        out.print(f"first    pip install 'edge-effnet[{described.extra}]'", markup=False)
    out.print(
        f"to do    {commands_as_called(described.command)}",
        style="bold",
        markup=False,
        soft_wrap=True,
    )
    if "PHOTOS" in described.command:
        labelled = "--data PHOTOS" in described.command
        folders = ", in it a folder for each class" if labelled else "; no labels are needed"
        out.print(f"         PHOTOS: a folder with your photos{folders}")


def _print_findings(
    findings: Sequence[Finding], word: str = "", besides: str | None = None
) -> None:
    """
    Args:
        word: before each of them; by default ``slow:`` where it is so.
        besides: a fix that is printed elsewhere.
    """
    out = console()
    for finding in findings:
        style = "yellow" if finding.slow or word else ""
        start = word or ("slow: " if finding.slow else "      ")
        out.print(start + finding.what, style=style, markup=False, soft_wrap=True)
        if finding.fix and finding.fix != besides:
            out.print(
                f"        to fix: {commands_as_called(finding.fix)}", markup=False, soft_wrap=True
            )
