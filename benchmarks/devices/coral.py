"""A Coral Edge TPU on this machine: models compiled for it run there, others on the CPU beside it.

Which is which is in the files: a compiled one holds the Edge TPU's operator. Measuring both in
one run, in turn, is how to see what the Edge TPU is worth.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.accuracy import measure_accuracy, plan_accuracy
from benchmarks.harness import measure as measure_latency
from benchmarks.harness import probe_all
from benchmarks.results.result import Result
from benchmarks.spec import BenchSpec
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.measure.coral import CoralParts, diagnose_coral, find_coral
from edge_effnet.measure.validity import Remark, Validity
from edge_effnet.runtime.edgetpu import is_compiled, refuse_crash
from edge_effnet.runtime.interpreter import load_runtime
from edge_effnet.stages import StartStage
from edge_effnet.system.cpu import ROOT
from edge_effnet.tflite.reader import read_structure

NEEDED = {"no-libedgetpu", "no-edgetpu"}


def measure(spec: BenchSpec, _address: str, stage: StartStage, *, root: Path = ROOT) -> Result:
    """Latency, memory and accuracy as on the CPU, with the Edge TPU behind compiled files.

    Args:
        root: where /sys and /dev are looked for.

    Raises:
        EdgeEffnetError: no library, no Edge TPU, or a library that crashes with this runtime.
        UsageProblem: none of the models is compiled for it.
    """
    compiled = [path for path in spec.models if is_compiled(read_structure(path))]
    if not compiled:
        raise UsageProblem(
            "no model is compiled for the Edge TPU",
            found=", ".join(path.name for path in spec.models),
            expected="at least one file that edgetpu_compiler made",
            fix="edge-effnet convert --edgetpu on an x86-64 Linux with edgetpu_compiler",
        )
    parts = find_coral(root)
    for finding in diagnose_coral(parts):
        if finding.code in NEEDED:
            raise EdgeEffnetError(finding.what, fix=finding.fix or "see edge-effnet doctor")
    runtime = load_runtime()
    refuse_crash(compiled[0], f"{runtime.name} {runtime.version}")
    # Fresh processes first: a stick serves one process at a time.
    probes = probe_all(spec, stage)
    plan = plan_accuracy(spec, stage)
    result = measure_latency(spec, probes, stage)
    result = replace(
        result,
        device="coral",
        settings={**result.settings, "coral": asdict(parts)},
        verdict=Validity((*result.verdict.remarks, *_remarks(parts))),
        cases=tuple(
            case
            if Path(case.file) in compiled
            else replace(
                case, notice=f"{case.name} is not compiled for the Edge TPU: it ran on the CPU"
            )
            for case in result.cases
        ),
    )
    return result.with_accuracy(measure_accuracy(spec, plan, stage) if plan else None)


def refuse_compiled(spec: BenchSpec) -> None:
    """Keep what only an Edge TPU runs from being measured under another device's name.

    Raises:
        UsageProblem: a model is compiled for the Edge TPU.
    """
    for path in spec.models:
        if is_compiled(read_structure(path)):
            raise UsageProblem(
                f"{path} is compiled for the Edge TPU and runs nowhere else",
                fix="add --device coral, or measure the file from before its compilation",
            )


def _remarks(parts: CoralParts) -> list[Remark]:
    """What to know of how the stick is connected."""
    return [
        Remark(finding.code, invalid=False, what=finding.what, fix=finding.fix or "")
        for finding in diagnose_coral(parts)
        if finding.code == "usb-2"
    ]
