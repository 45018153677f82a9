"""``convert --for frigate`` of a file that was taught, which is int8 already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.commands.convert_report import print_frigate
from converters.config import ConvertConfig
from converters.float_model.choice import ModelChoice
from converters.frigate.taught import write_taught
from edge_effnet.artifact import Artifact
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.console import console
from edge_effnet.ui.output import write_json
from edge_effnet.ui.progress import stages
from edge_effnet.ui.reports.comparison import print_comparison
from edge_effnet.ui.reports.evaluation_set import print_evaluation_set

# Options that change a conversion, or say of a model what a taught file says itself.
_USELESS = {
    "calibration": "--calibration",
    "labels": "--labels",
    "preprocess": "--preprocess",
    "head": "--head",
    "threshold": "--threshold",
    "full_integer": "--full-integer",
}


def write_taught_for_frigate(
    model: ModelChoice, artifact: Artifact, config: ConvertConfig, options: Mapping[str, Any]
) -> None:
    """Write the folder and say what came of it.

    Args:
        artifact: of the model.
        options: of the command.

    Raises:
        UsageProblem: options that are for a float model.
    """
    if model.file is None:
        raise ValueError("no file was taught")
    given = [flag for name, flag in _USELESS.items() if options[name]]
    given += ["a limit"] if config.limits is not None else []
    if given:
        raise UsageProblem(
            f"{model.file.name} was taught and is int8 already",
            found=" and ".join(given),
            expected="--data at most, on which it is compared with what is written",
            fix="leave the others out",
        )
    with stages() as stage:
        written = write_taught(
            model.file,
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
