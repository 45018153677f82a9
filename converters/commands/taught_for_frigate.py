"""``convert --for frigate`` of a file that was taught, which is int8 already."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from converters.commands.convert_report import print_frigate
from converters.config import ConvertConfig
from converters.frigate.taught import write_taught
from edge_effnet.artifact import Artifact
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.console import console
from edge_effnet.ui.options import given_flags
from edge_effnet.ui.output import write_json
from edge_effnet.ui.progress import stages
from edge_effnet.ui.reports.comparison import print_comparison
from edge_effnet.ui.reports.evaluation_set import print_evaluation_set

# The others change a conversion, or say of a model what a taught file says itself.
_OF_USE = frozenset(
    {"file", "target", "out", "data", "int8", "strict", "threads", "json_to", "force"}
)


def refuse_options_of_float(file: Path, context: click.Context) -> None:
    """Raise UsageProblem where an option was given that is for a float model.

    Args:
        file: that was taught.
    """
    if given := given_flags(context, besides=_OF_USE):
        raise UsageProblem(
            f"{file.name} was taught and is int8 already",
            found=" and ".join(given),
            expected="--data at most, on which it is compared with what is written",
            fix="leave the others out",
        )


def write_taught_for_frigate(
    file: Path, artifact: Artifact, config: ConvertConfig, options: Mapping[str, Any]
) -> None:
    """Write the folder and say what came of it.

    Args:
        file, artifact: what was taught.
        options: of the command.
    """
    with stages() as stage:
        written = write_taught(
            file,
            artifact,
            config.out,
            data=config.data,
            workers=config.workers,
            strict=config.strict,
            stage=stage,
        )
    if options["json_to"]:
        write_json(written.to_json(), options["json_to"], overwrite=config.force)
    if options["json_to"] == "-":
        return
    if written.plan is not None and written.comparison is not None:
        print_evaluation_set(console(), written.plan.evaluation_set)
        evidence = written.plan.evaluation_set.is_evidence
        print_comparison(written.comparison, written.plan.dataset.source, is_evidence=evidence)
    screen = console()
    for line in written.notes:
        screen.print(f"note: {line}")
    screen.print(f"written to {config.out.resolve()}", soft_wrap=True)
    print_frigate(config.out)
