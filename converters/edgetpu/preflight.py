"""Edge TPU preflight: what ``edgetpu_compiler`` would make of a file, from the file alone.

The compiler (version 16, the last there is) hands the Edge TPU what its delegate supports and
cuts the graph as every TFLite delegate does (tensorflow/lite/graph_info.cc,
``PartitionGraphIntoIndependentNodeSubsets``): in the order of execution, pieces of supported
and of unsupported operators take turns, each as large as its inputs allow. Only the first
supported piece goes to the device; what is supported but comes later stays on the CPU ("More
than one subgraph is not supported").

What an operator must be like to be supported is ``converters.edgetpu.operators``. Checked against
true outcomes of compiled networks; none of an EfficientNet-B0 is known, so that its answer is
unproven.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from converters.edgetpu.float_answer import LEFT, answer_operators
from converters.edgetpu.graph import Graph
from converters.edgetpu.operators import ON_CHIP_BYTES, Refusal, refusal, unproven
from converters.edgetpu.versions import too_new
from edge_effnet.runtime.edgetpu import holds_package
from edge_effnet.tflite.reader import Operator, Structure, parse_structure, read_model_bytes

_ON_CHIP_USABLE = 7_600_000  # what compiler logs leave of the chip's memory for weights
_ACTIVATIONS = {"ELU", "GELU", "HARD_SWISH", "LEAKY_RELU", "RELU_0_TO_1"}  # it has none of them
BEHIND = "supported, but after an operator that is not: only one piece goes to the Edge TPU"
MAPPED = "mapped to the Edge TPU"


OutcomeCode = Literal["mapped", "behind", "answer", "float", "too_large", "unsupported"]


@dataclass(frozen=True)
class OperatorOutcome:
    """What becomes of one operator.

    Attributes:
        code: ``mapped``; ``behind``, supported but after an operator that is not; ``answer``, in
            float behind all else, see ``float_answer``; else why the Edge TPU does not support
            it: ``float``, ``too_large`` or anything else.
        reason: the same in words.
    """

    index: int
    op: str
    mapped: bool
    reason: str
    code: OutcomeCode


@dataclass(frozen=True)
class Preflight:
    """The outcome for a whole file.

    Attributes:
        subgraphs: the compiler would make for the device: 0 or 1.
        supported_pieces: of the graph; more than 1 means that supported operators are left.
        weight_bytes: of the mapped operators; what exceeds the chip is streamed every time.
        changes: what to change, in words, the most useful first.
        warnings: what the outcome rests on.
    """

    ops: tuple[OperatorOutcome, ...]
    subgraphs: int
    supported_pieces: int
    weight_bytes: int
    changes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def mapped(self) -> int:
        return sum(outcome.mapped for outcome in self.ops)

    def to_json(self) -> dict[str, Any]:
        return {
            "ops": [asdict(outcome) for outcome in self.ops],
            "mapped": self.mapped,
            "on_cpu": len(self.ops) - self.mapped,
            "subgraphs": self.subgraphs,
            "supported_pieces": self.supported_pieces,
            "weight_bytes": self.weight_bytes,
            "on_chip_bytes": ON_CHIP_BYTES,
            "fits_on_chip": self.weight_bytes <= _ON_CHIP_USABLE,
            "changes": list(self.changes),
            "warnings": list(self.warnings),
        }


def preflight_file(path: Path) -> Preflight:
    """Examine a model file.

    Raises:
        ModelError: missing, no TFLite model, or damaged.
    """
    return preflight(read_model_bytes(path), str(path))


def preflight(model: bytes, name: str) -> Preflight:
    """Examine a model's bytes; ``name`` is used in errors.

    Raises:
        ModelError: no TFLite model, or damaged.
    """
    structure = parse_structure(model, name)
    graph = Graph(model, structure)
    if compiled := [op for op in structure.operators if holds_package(op)]:
        return _already_compiled(structure, compiled)
    unreadable = too_new(structure)
    refusals = {
        op.index: Refusal(unreadable) if unreadable else refusal(op, graph)
        for op in structure.operators
    }
    answer = answer_operators(structure)
    pieces = supported_pieces(structure, {i for i, refused in refusals.items() if refused is None})
    first = set(pieces[0]) if pieces else set()
    ops = tuple(
        OperatorOutcome(op.index, op.name, False, LEFT, "answer")
        if op.index in answer
        else _outcome(op, graph, refusals[op.index], first)
        for op in structure.operators
    )
    weight_bytes = _weight_bytes(structure, first)
    return Preflight(
        ops=ops,
        subgraphs=1 if first else 0,
        supported_pieces=len(pieces),
        weight_bytes=weight_bytes,
        changes=tuple(_changes(structure, refusals, answer, len(pieces), weight_bytes)),
        warnings=tuple(_warnings(structure, first, graph)),
    )


def supported_pieces(structure: Structure, supported: set[int]) -> list[list[int]]:
    """Cut the graph into pieces and return the supported ones, first first.

    A piece takes, in order, every operator of its kind whose inputs are ready: made by earlier
    operators, constant, or given to the model. The first ready operator decides its kind.
    """
    made = {tensor for op in structure.operators for tensor in op.outputs}
    missing = {
        op.index: {tensor for tensor in op.inputs if tensor in made} for op in structure.operators
    }
    ready: set[int] = set()
    waiting: list[Operator] = list(structure.operators)
    pieces: list[list[int]] = []
    while waiting:
        kind: bool | None = None
        piece: list[int] = []
        left: list[Operator] = []
        for op in waiting:
            own = op.index in supported
            if missing[op.index] <= ready and kind in (None, own):
                kind = own
                piece.append(op.index)
                ready.update(op.outputs)
            else:
                left.append(op)
        if not piece:  # a cycle: no runtime would run it
            break
        if kind:
            pieces.append(piece)
        waiting = left
    return pieces


def _outcome(
    op: Operator, graph: Graph, refused: Refusal | None, first: set[int]
) -> OperatorOutcome:
    if refused is not None:
        return OperatorOutcome(op.index, op.name, False, refused.reason, refused.code)
    if op.index not in first:
        return OperatorOutcome(op.index, op.name, False, BEHIND, "behind")
    note = unproven(op, graph)
    return OperatorOutcome(
        op.index, op.name, True, f"{MAPPED}; {note}" if note else MAPPED, "mapped"
    )


def _weight_bytes(structure: Structure, mapped: set[int]) -> int:
    used = {t for op in structure.operators if op.index in mapped for t in op.inputs if t >= 0}
    return sum(structure.tensors[tensor].constant_bytes for tensor in used)


def _changes(
    structure: Structure,
    refusals: dict[int, Refusal | None],
    answer: frozenset[int],
    pieces: int,
    weight_bytes: int,
) -> list[str]:
    lines = []
    if unreadable := too_new(structure):
        return [f"{unreadable}: convert the model again with edge-effnet convert --edgetpu"]
    reasons = Counter(
        (structure.operators[index].name, refused)
        for index, refused in refusals.items()
        if refused is not None and index not in answer
    )
    floats = sum(count for (_, refused), count in reasons.items() if refused.code == "float")
    if floats > len(structure.operators) / 2:
        lines.append("convert to full integers: edge-effnet convert --edgetpu")
    elif floats:
        lines.append("let the file take and give integers (--io uint8): float stays on the CPU")
    for (name, refused), count in reasons.most_common():
        if name in _ACTIVATIONS:
            lines.append(
                f"{count} × {name}: {refused.reason}; take an activation it has, ReLU6 best of all "
                "(variants lite0–lite4 and edgetpu-s–l)"
            )
        elif refused.code == "too_large":
            lines.append(f"{count} × {name}: {refused.reason}; convert at a lower --resolution")
        elif refused.code != "float":
            lines.append(f"{count} × {name}: {refused.reason}")
    if pieces > 1:
        lines.append(
            f"the supported operators lie in {pieces} pieces: move what is not supported to the "
            "end of the network, or out of it"
        )
    if weight_bytes > _ON_CHIP_USABLE:
        lines.append(
            f"{(weight_bytes - _ON_CHIP_USABLE) / 1e6:.1f} MB of weights do not fit on the chip "
            "and cross the bus for every image: choose a smaller variant or prune"
        )
    return lines


def _warnings(structure: Structure, mapped: set[int], graph: Graph) -> list[str]:
    lines = []
    kinds = {structure.operators[index].name for index in mapped}
    if {"LOGISTIC", "MUL", "MEAN"} <= kinds:
        lines.append(
            "networks with squeeze-and-excite and swish (B0–B7, V2) are unproven: no true "
            "outcome of one is known; the variants lite0–lite4 and edgetpu-s–l avoid both"
        )
    if notes := sum(bool(unproven(structure.operators[index], graph)) for index in mapped):
        lines.append(f"{notes} mapped operators are beyond what has been seen to map")
    return lines


def _already_compiled(structure: Structure, compiled: list[Operator]) -> Preflight:
    own = {op.index for op in compiled}
    answer = answer_operators(structure)

    def outcome(op: Operator) -> OperatorOutcome:
        if op.index in own:
            return OperatorOutcome(op.index, op.name, True, "compiled for the Edge TPU", "mapped")
        if op.index in answer:
            return OperatorOutcome(op.index, op.name, False, LEFT, "answer")
        return OperatorOutcome(op.index, op.name, False, "left on the CPU", "unsupported")

    return Preflight(
        ops=tuple(map(outcome, structure.operators)),
        subgraphs=len(own),
        supported_pieces=len(own),
        weight_bytes=0,
        changes=(),
        warnings=("this file is compiled already; its weights lie inside the compiled piece",),
    )
