"""What ``convert --edgetpu`` does after the int8 file: look at it, compile it, say what is next.

The compiler drops whatever stands behind a model, so the card is put back behind what it makes.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from converters.conversion import ConvertConfig, output_paths
from converters.edgetpu.compiler import COMPILER, CompilerLog, compile_model, find_compiler
from converters.edgetpu.preflight import Preflight, preflight
from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.files import refuse_existing
from edge_effnet.tflite.reader import read_model_bytes
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.preflight import print_preflight


@dataclass(frozen=True)
class EdgeTpuOutcome:
    """What became of an int8 file on its way to the Edge TPU.

    Attributes:
        path: of the int8 file, which any runtime runs.
        compiled: of the file for the Edge TPU; None without the compiler.
    """

    path: Path
    preflight: Preflight
    compiled: Path | None = None
    log: CompilerLog | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "file": str(self.path),
            "compiled": str(self.compiled) if self.compiled else None,
            "compiler": asdict(self.log) if self.log else None,
            **self.preflight.to_json(),
        }


def compiled_path(path: Path) -> Path:
    """Where the compiled model goes: ``lite0-edgetpu-compiled.tflite``."""
    return path.with_name(f"{path.stem}-compiled.tflite")


def refuse_compiled(name: str, config: ConvertConfig) -> None:
    """Refuse before any work what could not be written after it.

    Raises:
        OutputError: the compiled file exists.
    """
    paths = output_paths(name, config)
    for recipe in config.recipes:
        if recipe.edge_tpu:
            refuse_existing(compiled_path(paths[recipe.name]), overwrite=config.force)


def finish_for_edgetpu(path: Path) -> EdgeTpuOutcome:
    """Look at an artifact as the compiler would, and compile it where the compiler is here.

    Both outcomes are written into the model card, the compiled model beside the file.

    Raises:
        ModelError: the compiler refuses the model; the file itself stays.
        OutputError: something cannot be written.
    """
    model = split_archive(read_model_bytes(path))[0]
    found = preflight(model, str(path))
    card = read_artifact(path).card
    if card is None:
        raise ValueError(f"{path} was not written by convert")
    said = found.to_json()
    left = [entry for entry in said.pop("ops") if not entry["mapped"]]
    card = replace(
        card, steps=(*card.steps, {"step": "edge tpu preflight", **said, "left_on_cpu": left})
    )
    write_artifact(path, model, card, overwrite=True)
    compiler = find_compiler()
    if compiler is None:
        return EdgeTpuOutcome(path, found)
    made = compile_model(compiler, model, path.name)
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


def print_outcome(outcome: EdgeTpuOutcome) -> None:
    """Print the preflight, what the compiler said, and the next step."""
    out = console()
    out.print()
    print_preflight({"file": outcome.path, **outcome.preflight.to_json()})
    if outcome.log is None:
        out.print(f"not compiled: {COMPILER} is not on PATH")
        out.print(
            f"next: sudo apt install {COMPILER.replace('_', '-')} on x86-64 Linux (package source: "
            "coral.ai/docs/edgetpu/compiler), then this command again with --force"
        )
        return
    log = outcome.log
    out.print(
        f"compiled by {COMPILER} {log.version}: {log.mapped} of {log.operations} operators in "
        f"{log.subgraphs} piece; {megabytes(log.cached_bytes)} of weights on the chip, "
        f"{megabytes(log.streamed_bytes)} streamed"
    )
    for operator, count, status in log.statuses:
        if not status.startswith("Mapped"):
            out.print(f"  {count} × {operator}: {status}")
    if log.mapped != outcome.preflight.mapped:
        out.print(
            f"the preflight had said {outcome.preflight.mapped} operators: please report this "
            "model, the rules are to learn from it",
            style="yellow",
        )
    compiled = quote(str(outcome.compiled))
    out.print(
        f"next: edge-effnet bench {compiled} --device coral, where the stick is", soft_wrap=True
    )
