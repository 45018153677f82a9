"""Why a model is not faster here: findings about a machine and a model file, each with its fix.

Sources of the figures: the README's measurements, and for Arm the published latencies of
MobileNetV2 int8 on Raspberry Pi 3 to 5.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal

from edge_effnet.errors import ModelError
from edge_effnet.measure.delegation import Delegation, delegation
from edge_effnet.measure.environment import INT8_FEATURES, Environment
from edge_effnet.measure.latency import interleaved_latency, warm_up
from edge_effnet.measure.rules import GOVERNOR_FIX, SLOW_GOVERNORS
from edge_effnet.measure.system_state import SystemState
from edge_effnet.runtime.interpreter import open_interpreter
from edge_effnet.tflite.reader import Structure, read_structure

Storage = Literal["float32", "float16", "weights8", "dynamic", "int16x8", "int8"]
ENOUGH_DELEGATED = 0.95
TIMING_SECONDS = 0.6
THREADS_GAIN = 0.9  # more threads are worth it where they take less than this share of the time
_SHAPE_OPS = {"SHAPE", "STRIDED_SLICE", "PACK"}
# extra of the distribution: a module it brings
EXTRAS = {
    "convert": "ai_edge_quantizer",
    "train": "tensorflow",
    "report": "matplotlib",
    "tflite-runtime": "tflite_runtime",
    "remote": "asyncssh",
}


@dataclass(frozen=True)
class Finding:
    """One reason; ``slow`` marks what costs speed, the others are good to know."""

    code: str
    slow: bool
    what: str
    fix: str | None = None


@dataclass(frozen=True)
class ModelDiagnosis:
    """A model on this machine's CPU.

    Attributes:
        storage: how the file keeps weights and activations, by the recipes' names.
        delegation: None where the runtime does not tell.
        median_ms: of one inference, by threads; a quick look, not a benchmark.
    """

    path: Path
    storage: Storage
    delegation: Delegation | None
    median_ms: dict[int, float]
    findings: tuple[Finding, ...]

    def to_json(self) -> dict[str, Any]:
        taken = self.delegation
        return {
            "file": str(self.path),
            "storage": self.storage,
            "delegated_share": taken.share if taken else None,
            "delegation": asdict(taken) if taken else None,
            "median_ms": {str(threads): value for threads, value in self.median_ms.items()},
            "findings": [asdict(finding) for finding in self.findings],
        }


def installed_extras() -> dict[str, bool]:
    """Which extras are there, without importing them."""
    return {extra: importlib.util.find_spec(module) is not None for extra, module in EXTRAS.items()}


def diagnose_machine(environment: Environment, state: SystemState) -> Iterator[Finding]:
    """What of the machine decides the speed of int8, and what holds it back now."""
    if environment.runtime is None:
        yield Finding(
            "no-runtime",
            True,
            "no TFLite runtime is installed",
            "pip install ai-edge-litert (32-bit: pip install 'edge-effnet[tflite-runtime]')",
        )
    elif environment.runtime.startswith("tflite-runtime"):
        yield Finding(
            "old-runtime",
            True,
            f"{environment.runtime} is the last of its line; its kernels are old",
            "use a 64-bit system with LiteRT: pip install ai-edge-litert",
        )
    if environment.int8_features:
        names = "; ".join(f"{name}: {INT8_FEATURES[name]}" for name in environment.int8_features)
        yield Finding("int8-fast", False, f"this CPU multiplies int8 fast ({names})")
    else:
        yield Finding(
            "no-dot-product",
            True,
            "this CPU has no instructions for int8 products: int8 is about as fast as float, "
            "and still a third of the size",
            "a Raspberry Pi 5 (Cortex-A76) or an x86 CPU with VNNI has them",
        )
    if environment.bits == 32:
        yield Finding(
            "32-bit",
            True,
            "the system is 32-bit: fewer registers, older kernels",
            "install the 64-bit Raspberry Pi OS where the board can run it",
        )
    if environment.emulated:
        yield Finding("emulated", True, f"the CPU is emulated: {environment.emulated}", None)
    if slow := sorted(SLOW_GOVERNORS & set(state.governors)):
        yield Finding("governor", True, f"the clock is governed by {', '.join(slow)}", GOVERNOR_FIX)
    if state.throttled:
        yield Finding(
            "throttled",
            True,
            f"the board was throttled or short of power (0x{state.throttled:x})",
            "use the board's own power supply, and a heat sink or fan",
        )


def storage_of(structure: Structure) -> Storage:
    """How a file keeps its numbers, told from the tensors of its heavy operators."""
    heavy = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV"}
    tensors = structure.tensors
    kinds: set[tuple[str, str]] = set()
    for op in structure.operators:
        if op.name in heavy and len(op.inputs) > 1:
            kinds.add((tensors[op.inputs[0]].dtype, tensors[op.inputs[1]].dtype))
    constants = {tensor.dtype for tensor in tensors if tensor.constant_bytes > 64}
    if any(activation == "int16" for activation, _ in kinds):
        return "int16x8"
    if any(activation in {"int8", "uint8"} for activation, _ in kinds):
        return "int8"
    if any(weight in {"int8", "uint8"} for _, weight in kinds):
        return "dynamic"
    if constants & {"int8", "uint8"}:
        return "weights8"
    return "float16" if "float16" in constants else "float32"


def diagnose_model(path: Path, environment: Environment) -> ModelDiagnosis:
    """Open a model on this machine, look at who computes it, and time it briefly.

    Raises:
        ModelError: no model, or it does not run.
        MissingExtra: no runtime.
    """
    structure = read_structure(path)
    storage = storage_of(structure)
    counts = sorted({1, environment.cores})
    opened = [open_interpreter(path, threads=count) for count in counts]
    taken = delegation(opened[0].interpreter)
    calls: list[Callable[[], object]] = [model.interpreter.invoke for model in opened]
    warm_up(calls)
    latencies = interleaved_latency(
        calls, min_seconds=TIMING_SECONDS, min_rounds=5, warmup_rounds=0
    )
    medians = {
        count: median(latency.samples_ms) for count, latency in zip(counts, latencies, strict=True)
    }
    found = [
        _storage_finding(storage),
        _delegation_finding(taken, opened[0].notice, storage),
        *_shape_findings(structure),
        *_thread_findings(medians),
    ]
    return ModelDiagnosis(path, storage, taken, medians, tuple(found))


_STORAGE_COSTS = {
    "float32": "it is a float file: nothing in it is computed in int8",
    "float16": "float16 weights halve the size; the CPU computes in float32",
    "weights8": "int8 weights only: a small file that is computed in float, at float's speed",
    "dynamic": "dynamic range: activations are quantized anew at every layer, which costs "
    "more than int8 products save",
    "int16x8": "XNNPACK has no int16 activations: ten and more times slower than float",
}


def _storage_finding(storage: Storage) -> Finding:
    if storage == "int8":
        return Finding("full-integer", False, "full integers: the recipe that can be fast")
    fix = "edge-effnet convert --int8 with calibration images"
    return Finding(f"recipe-{storage}", True, _STORAGE_COSTS[storage], fix)


def _delegation_finding(taken: Delegation | None, notice: str | None, storage: Storage) -> Finding:
    if notice:
        return Finding("delegate-refused", True, notice, "update the runtime, or convert it again")
    if taken is None:
        what = "this runtime does not tell what the XNNPACK delegate took"
        return Finding("delegation-unknown", False, what)
    share = f"the XNNPACK delegate took {taken.delegated} of {taken.operators} operators"
    left = ", ".join(f"{count} × {name}" for name, count in taken.left[:4])
    if taken.share >= ENOUGH_DELEGATED and taken.partitions <= 3:
        return Finding("delegated", False, share + (f"; not {left}" if left else ""))
    pieces = f" in {taken.partitions} pieces" if taken.partitions > 1 else ""
    fix = (
        "edge-effnet convert --int8: full integers are all taken"
        if storage != "int8"
        else "XNNPACK has none of these: export with a fixed batch of 1, or replace them"
    )
    return Finding(
        "fallbacks", True, f"{share}{pieces}; left to the runtime's own kernels: {left}", fix
    )


def _shape_findings(structure: Structure) -> Iterator[Finding]:
    names = [op.name for op in structure.operators if op.name in _SHAPE_OPS]
    if "SHAPE" in names:
        yield Finding(
            "dynamic-shapes",
            True,
            f"{len(names)} operators compute shapes at run time (a dynamic batch) and cut the "
            "network into pieces",
            "export with a fixed batch of 1, as edge-effnet convert does",
        )


def _thread_findings(medians: dict[int, float]) -> Iterator[Finding]:
    most = max(medians)
    if most == 1:
        return
    one, many = medians[1], medians[most]
    line = f"one thread {one:.1f} ms, {most} threads {many:.1f} ms"
    if many < THREADS_GAIN * one:
        yield Finding("threads", False, f"{line}: threads help here")
        return
    yield Finding(
        "threads",
        False,
        f"{line}: more threads do not help a network this small, or other programs use the cores",
        "run with one thread, and use the other cores for other images",
    )


def require_model(path: Path) -> None:
    """Refuse early what is no model.

    Raises:
        ModelError: missing, no TFLite model, or damaged.
    """
    if not read_structure(path).operators:
        raise ModelError(f"{path} holds no operators", fix="give a classification model")
