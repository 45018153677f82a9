"""Why a model is not faster on this machine's CPU: findings, each with its fix."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from edge_effnet.measure.delegation import Delegation, delegation
from edge_effnet.measure.environment import Environment
from edge_effnet.measure.finding import Finding
from edge_effnet.measure.latency import interleaved_latency, warm_up
from edge_effnet.measure.old_runtime import kernels_finding
from edge_effnet.measure.storage import Storage, integer_layers, storage_of, stored_text
from edge_effnet.plurals import counted
from edge_effnet.runtime.interpreter import open_interpreter
from edge_effnet.tflite.reader import Structure, read_structure

MOST_PIECES = 3  # of a network, between which the delegate hands over
CHEAP_SHARE = 0.05  # of all values that are computed: operators that make no more cost nothing
TIMING_SECONDS = 0.6
THREADS_GAIN = 0.9  # more threads are worth it where they take less than this share of the time
_SHOWN = 4
_CHEAP = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SOFTMAX"}
_HEAVY = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV", "BATCH_MATMUL"}


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


# What ``ModelDiagnosis.to_json`` says of a file that cannot be run.
NOT_TIMED: dict[str, Any] = {
    "storage": None,
    "delegated_share": None,
    "delegation": None,
    "median_ms": {},
    "findings": [],
}


def diagnose_model(
    path: Path, environment: Environment, command: str | None = None
) -> ModelDiagnosis:
    """Open a model on this machine, look at who computes it, and time it briefly.

    Args:
        command: that makes it faster, where there is one.

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
        storage_finding(structure, command),
        (None if opened[0].notice else kernels_finding(environment, [storage]))
        or delegation_finding(taken, opened[0].notice, structure, command),
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


def storage_finding(structure: Structure, command: str | None) -> Finding:
    """What a model's storage means for its speed: in part int8, slow where most of it is not."""
    storage = storage_of(structure)
    if storage == "int8":
        return Finding("full-integer", False, "full integers: the recipe that can be fast")
    if storage == "int8-answer":
        what = (
            f"{stored_text(structure)}: the recipe that can be fast; an Edge TPU leaves that layer "
            "to the CPU (--edgetpu without --teachable maps it)"
        )
        return Finding("integer-to-the-answer", False, what)
    if storage == "int8-part":
        what = (
            f"{stored_text(structure)}: the others are computed in float, with its accuracy and at "
            "its speed; an Edge TPU computes none of them"
        )
        integer, layers = integer_layers(structure)
        slow = 2 * integer < layers
        return Finding("integer-in-part", slow, what, command if slow else None)
    return Finding(f"recipe-{storage}", True, _STORAGE_COSTS[storage], command)


def delegation_finding(
    taken: Delegation | None, notice: str | None, structure: Structure, command: str | None
) -> Finding:
    """Who computes a model: slow only where what the delegate leaves out costs something."""
    if notice:
        return Finding("delegate-refused", True, notice, "update the runtime, or convert it again")
    if taken is None:
        what = "this runtime does not tell what the XNNPACK delegate took"
        return Finding("delegation-unknown", False, what)
    share = f"the XNNPACK delegate took {taken.delegated} of {counted(taken.operators, 'operator')}"
    left, costly = _counted(taken.left), _counted(_costly(taken, structure))
    if not costly and taken.partitions <= MOST_PIECES:
        said = f"; the rest costs nothing ({left})" if left else ""
        return Finding("delegated", False, share + said)
    pieces = f" in {taken.partitions} pieces" if taken.partitions > 1 else ""
    what = f"{costly or left} left to the runtime's own, slower kernels: {share}{pieces}"
    fix = command or "the network is faster without these: replace them where it is built"
    return Finding("fallbacks", True, what, fix)


def _counted(operators: Sequence[tuple[str, int]]) -> str:
    """``2 × QUANTIZE, 1 × SOFTMAX``."""
    shown = ", ".join(f"{count} × {name}" for name, count in operators[:_SHOWN])
    return f"{shown} …" if len(operators) > _SHOWN else shown


def _costly(taken: Delegation, structure: Structure) -> list[tuple[str, int]]:
    """Of the operators that were left out, those that compute more than a small share."""
    sizes: dict[str, list[int]] = defaultdict(list)
    for operator in structure.operators:
        made = sum(structure.tensors[index].elements for index in operator.outputs)
        sizes[operator.name].append(made)
    most = CHEAP_SHARE * sum(map(sum, sizes.values()))
    return [
        (name, count)
        for name, count in taken.left
        if name in _HEAVY
        or (name not in _CHEAP and sum(sorted(sizes[name], reverse=True)[:count]) > most)
    ]


def _shown_ms(value: float) -> str:
    return f"{value:.1f} ms" if value >= 0.1 else f"{value:.2g} ms"


def _thread_findings(medians: dict[int, float]) -> Iterator[Finding]:
    most = max(medians)
    if most == 1:
        return
    one, many = medians[1], medians[most]
    line = f"one thread {_shown_ms(one)}, {most} threads {_shown_ms(many)}"
    if many < THREADS_GAIN * one:
        yield Finding("threads", False, f"{line}: threads help here")
        return
    yield Finding(
        "threads",
        False,
        f"{line}: more threads do not help a network this small, or other programs use the cores; "
        "run with one thread, and use the other cores for other images",
    )
