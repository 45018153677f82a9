"""``edge-effnet doctor``: what this machine runs fast, and why a model is not faster here."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.plugins import PARTS, load
from edge_effnet.ui.console import console
from edge_effnet.ui.options import (
    output_options,
)
from edge_effnet.ui.output import refuse_bad_output, write_json
from edge_effnet.ui.preflight import print_preflight
from edge_effnet.ui.quantities import OneOf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_effnet.measure.diagnosis import Finding

FORMAT = "edge-effnet/doctor"
VERSION = 1


@click.command("doctor")
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
    """Say what is installed, what this machine runs fast, and why MODEL is not faster.

    With --device coral and a MODEL: which of its operators the Edge TPU would take, why not,
    and what to change. That needs neither the device nor its compiler.

    \b
    Examples:
      edge-effnet doctor
      edge-effnet doctor b0-int8.tflite
      edge-effnet doctor lite0-int8.tflite --device coral --json -
    """
    from edge_effnet.measure.coral import coral_lines, diagnose_coral, find_coral
    from edge_effnet.measure.diagnosis import (
        diagnose_machine,
        diagnose_model,
        installed_extras,
        require_model,
    )
    from edge_effnet.measure.environment import read_environment
    from edge_effnet.measure.system_state import read_system_state

    refuse_bad_output(json_to, overwrite=force)
    if model is not None:
        require_model(model)
    environment, state = read_environment(), read_system_state()
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "device": device,
        "environment": asdict(environment),
        "state": asdict(state),
        "extras": installed_extras(),
    }
    diagnosis, coral = None, list[tuple[str, str]]()
    if device == "cpu":
        findings = tuple(diagnose_machine(environment, state))
        diagnosis = diagnose_model(model, environment) if model else None
        document["findings"] = [asdict(finding) for finding in findings]
        document["model"] = diagnosis.to_json() if diagnosis else None
    else:
        parts = find_coral()
        findings, coral = tuple(diagnose_coral(parts)), coral_lines(parts)
        document["findings"] = [asdict(finding) for finding in findings]
        outcome = load(PARTS["doctor --device coral"])(model).to_json() if model else {}
        document["edgetpu"] = {"file": str(model) if model else None, **asdict(parts), **outcome}
    if json_to != "-":
        _print(document, findings, diagnosis.findings if diagnosis else (), coral)
    if json_to is not None:
        write_json(document, json_to, overwrite=force)


def _print(
    document: dict[str, Any],
    machine: Sequence[Finding],
    model: Sequence[Finding],
    coral: Sequence[tuple[str, str]],
) -> None:
    out, where = console(), document["environment"]
    name = where["device"] or where["cpu"] or where["machine"]
    out.print(f"{name}, {where['cores']} cores, {where['bits']}-bit", style="bold")
    out.print(f"runtime  {where['runtime'] or 'none'}")
    out.print(f"OpenCV   {where['opencv'] or 'none'}")
    there = [extra for extra, found in document["extras"].items() if found]
    lacking = [extra for extra, found in document["extras"].items() if not found]
    out.print(f"extras   {', '.join(there) or 'none'}; not installed: {', '.join(lacking)}")
    for part, found in coral:
        out.print(f"{part:<10} {found}")
    _print_findings(machine)
    if document.get("model"):
        out.print()
        out.print(f"{document['model']['file']}", style="bold")
        _print_findings(model)
    if "ops" in document.get("edgetpu", {}):
        out.print()
        print_preflight(document["edgetpu"])


def _print_findings(findings: Sequence[Finding]) -> None:
    out = console()
    for finding in findings:
        style = "yellow" if finding.slow else ""
        out.print(("slow: " if finding.slow else "      ") + finding.what, style=style)
        if finding.fix:
            out.print(f"        to fix: {finding.fix}")
