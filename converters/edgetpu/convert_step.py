"""What ``convert --edgetpu`` does after the int8 file: check its operators, compile it.

The compiler drops whatever stands behind a model, so the card is put back behind what it makes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from converters.edgetpu.compiler import COMPILER, CompilerLog, compile_model, find_compiler
from converters.edgetpu.preflight import Preflight, preflight
from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import read_model_bytes


@dataclass(frozen=True)
class EdgeTpuOutcome:
    """What became of an int8 file on its way to the Edge TPU.

    Attributes:
        path: of the int8 file, which any runtime runs.
        compiled: of the file for the Edge TPU; None without the compiler.
        refused: the compiler's error, where it refuses the model.
    """

    path: Path
    preflight: Preflight
    compiled: Path | None = None
    log: CompilerLog | None = None
    refused: ModelError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "compiled": str(self.compiled) if self.compiled else None,
            "compiler": asdict(self.log) if self.log else None,
            **({"refused": str(self.refused)} if self.refused else {}),
            **self.preflight.to_json(),
        }


def compiled_path(path: Path) -> Path:
    """Where the compiled model goes: ``lite0-edgetpu-compiled.tflite``."""
    return path.with_name(f"{path.stem}-compiled.tflite")


def finish_for_edgetpu(path: Path) -> EdgeTpuOutcome:
    """Check an artifact's operators, and compile it where the compiler is installed.

    Both outcomes are written into the model card, the compiled model beside the file.

    Raises:
        OutputError: something cannot be written.
    """
    model = split_archive(read_model_bytes(path), str(path))[0]
    found = preflight(model, str(path))
    card = read_artifact(path).card
    if card is None:
        raise ValueError(f"{path} was not written by convert")
    outcome = found.to_json()
    left = [entry for entry in outcome.pop("ops") if not entry["mapped"]]
    card = replace(
        card, steps=(*card.steps, {"step": "edge tpu preflight", **outcome, "left_on_cpu": left})
    )
    write_artifact(path, model, card, overwrite=True)
    compiler = find_compiler()
    if compiler is None:
        return EdgeTpuOutcome(path, found)
    try:
        made = compile_model(compiler, model, path.name)
    except ModelError as error:  # the file itself stays
        return EdgeTpuOutcome(path, found, refused=error)
    target = compiled_path(path)
    measured = card.measured and {
        **card.measured,
        "of": "the file before compilation, on a CPU; the Edge TPU may round otherwise",
    }
    step = {
        "step": "compiled",
        "by": f"{COMPILER} {made.log.version}",
        "of_sha256": card.model_sha256,
        **asdict(made.log),
    }
    name = card.name + "-compiled"
    compiled_card = replace(card, name=name, steps=(*card.steps, step), measured=measured)
    write_artifact(target, made.model, compiled_card, overwrite=True)
    return EdgeTpuOutcome(path, found, target, made.log)
