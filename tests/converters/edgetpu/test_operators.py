"""Rules of the Edge TPU preflight, one small file each: what is taken and what is refused."""

from __future__ import annotations

from typing import Any

import flatbuffers
import numpy as np
import pytest

from converters.edgetpu.operators import MAX_SOFTMAX
from converters.edgetpu.preflight import OperatorOutcome, preflight
from edge_effnet.runtime.edgetpu import PACKAGE
from tests.converters.network_builder import NetworkBuilder

SCALE = np.array([0.1], np.float32)
Shape = tuple[int, ...]


class Quantized(NetworkBuilder):
    """Tensors of int8; ``constant`` and ``words`` are stored in the file."""

    def data(self, shape: Shape) -> int:
        return self.tensor("data", shape, dtype="int8", scales=SCALE)

    def constant(self, values: np.ndarray) -> int:
        return self.tensor("constant", values.shape, values.astype(np.int8), scales=SCALE)

    def words(self, *values: int) -> int:
        return self.tensor("words", (len(values),), np.array(values, np.int32))

    def outcome(self, inputs: list[int], output: int) -> OperatorOutcome:
        (found,) = preflight(self.pack(inputs[0], [output]), "one operator").ops
        return found


def one(kind: str, before: Shape, after: Shape, words: tuple[int, ...] = (), **options: Any) -> Any:
    """The outcome of an operator that makes ``after`` of ``before``; ``words`` are its second
    input."""
    made = Quantized()
    inputs = [made.data(before)] + ([made.words(*words)] if words else [])
    output = made.data(after)
    table = options.pop("table", "")
    made.operator(kind, inputs, output, table, **options)
    return made.outcome(inputs, output)


def resized(before: int, after: int, *, aligned: bool, channels: int = 2) -> OperatorOutcome:
    found: OperatorOutcome = one(
        "RESIZE_BILINEAR",
        (1, before, before, channels),
        (1, after, after, channels),
        (after, after),
        table="ResizeBilinearOptions",
        alignCorners=aligned,
    )
    return found


def test_bilinear_weights_fit_into_8_bits() -> None:
    assert resized(33, 33, aligned=True).mapped
    assert "unproven" not in resized(24, 48, aligned=False).reason
    assert "8 bits" in resized(33, 513, aligned=True).reason
    assert "8 bits" in resized(1, 33, aligned=True).reason
    between = resized(33, 513, aligned=False)  # 15.5 x 15.5
    assert between.mapped
    assert "unproven" in between.reason


def test_a_large_enlargement_does_not_fit_into_memory() -> None:
    assert resized(64, 128, aligned=False, channels=32).mapped
    assert resized(256, 512, aligned=False, channels=32).code == "too_large"


def test_softmax_takes_one_row_of_16_k_scores() -> None:
    assert one("SOFTMAX", (1, MAX_SOFTMAX), (1, MAX_SOFTMAX)).mapped
    assert "16,384" in one("SOFTMAX", (1, MAX_SOFTMAX + 1), (1, MAX_SOFTMAX + 1)).reason
    assert "row" in one("SOFTMAX", (1, 3, 5), (1, 3, 5)).reason


@pytest.mark.parametrize("scales", [1, 8])
def test_a_fully_connected_layer_has_one_scale_or_one_for_each_channel(scales: int) -> None:
    made = Quantized()
    weights = made.tensor(
        "weights", (8, 4), np.ones((8, 4), np.int8), scales=np.full(scales, 0.1, np.float32)
    )
    inputs, output = [made.data((1, 4)), weights, -1], made.data((1, 8))
    made.operator("FULLY_CONNECTED", inputs, output, "FullyConnectedOptions")
    assert made.outcome(inputs, output).mapped


def test_split_leaves_the_batch_alone() -> None:
    def split(axis: int, *shapes: Shape) -> OperatorOutcome:
        made = Quantized()
        source, axes = made.data((2, 6)), made.words(axis)
        parts = [made.data(shape) for shape in shapes]
        made.operator("SPLIT", [axes, source], parts[0], "SplitOptions", numSplits=len(parts))
        made.graph.operators[0].outputs = np.array(parts, np.int32)
        return made.outcome([source], parts[0])

    assert split(1, (2, 3), (2, 3)).mapped
    assert split(0, (2, 6)).mapped  # one part: nothing is split
    assert "batch" in split(0, (1, 6), (1, 6)).reason


def test_tile_spreads_a_pixel_over_a_map() -> None:
    assert one("TILE", (1, 1, 1, 8), (1, 5, 5, 8), (1, 5, 5, 1)).mapped
    assert "three dimensions" in one("TILE", (1, 1, 1, 8), (2, 5, 5, 8), (2, 5, 5, 1)).reason


def test_pack_leaves_the_batch_alone() -> None:
    made = Quantized()
    inputs = [made.data((4,)), made.data((4,))]
    columns, rows = made.data((4, 2)), made.data((2, 4))
    made.operator("PACK", inputs, columns, "PackOptions", axis=1, valuesCount=2)
    made.operator("PACK", inputs, rows, "PackOptions", axis=0, valuesCount=2)
    taken, refused = preflight(made.pack(inputs[0], [columns, rows]), "pack").ops
    assert taken.mapped
    assert "packs the batch" in refused.reason


@pytest.mark.parametrize(
    ("value", "others", "said"),
    [(0, 1, None), (1, 1, "other than zeros"), (0, 2, "more than one tensor")],
)
def test_a_constant_in_a_concatenation_pads_with_zeros(
    value: int, others: int, said: str | None
) -> None:
    made = Quantized()
    inputs = [made.data((1, 2)) for _ in range(others)]
    inputs.append(made.constant(np.full((1, 2), value)))
    output = made.data((1, 2 * len(inputs)))
    made.operator("CONCATENATION", inputs, output, "ConcatenationOptions", axis=1)
    found = made.outcome(inputs, output)
    assert found.mapped == (said is None)
    assert said is None or said in found.reason


@pytest.mark.parametrize(("kind", "mapped"), [(np.int32, True), (np.int64, False)])
def test_the_amounts_of_pad_are_int32(kind: type, mapped: bool) -> None:
    made = Quantized()
    amounts = np.array([[0, 0], [1, 1], [1, 1], [0, 0]], kind)
    inputs = [made.data((1, 4, 4, 2)), made.tensor("amounts", (4, 2), amounts)]
    output = made.data((1, 6, 6, 2))
    made.operator("PAD", inputs, output)
    found = made.outcome(inputs, output)
    assert found.mapped == mapped
    assert ("int64" in found.reason) != mapped


def test_constants_behind_the_model_are_not_found() -> None:
    made = Quantized()
    inputs = [made.data((1, 4)), made.constant(np.ones((8, 4))), -1]
    output = made.data((1, 8))
    made.operator("FULLY_CONNECTED", inputs, output)
    stored = made.tree.buffers[-1]
    stored.data, stored.offset, stored.size = None, 1000, 32
    builder = flatbuffers.Builder()
    made.graph.inputs, made.graph.outputs = np.array(inputs[:1]), np.array([output])
    builder.Finish(made.tree.Pack(builder), b"TFL3")
    model = bytes(builder.Output()).ljust(1000, b"\0") + bytes(32)
    (found,) = preflight(model, "behind").ops
    assert "behind the model" in found.reason


@pytest.mark.parametrize(
    ("before", "order", "mapped", "said"),
    [
        ((1, 4, 4, 8), (0, 3, 1, 2), False, "channels first"),
        ((1, 8, 4, 4), (0, 2, 3, 1), False, "channels first"),
        ((1, 1, 1, 8), (0, 3, 1, 2), True, "unproven"),  # the numbers stay where they are
        ((1, 4, 6, 8), (0, 1, 3, 2), True, "unproven"),
        ((1, 4, 6, 8), (0, 2, 1, 3), True, "mapped to the Edge TPU"),
    ],
)
def test_a_transpose_leaves_the_channels_in_place(
    before: Shape, order: Shape, mapped: bool, said: str
) -> None:
    found = one("TRANSPOSE", before, tuple(before[axis] for axis in order), order)
    assert found.mapped == mapped
    assert said in found.reason


@pytest.mark.parametrize("package", [True, False])
def test_the_compilers_operator_counts_with_its_program_alone(package: bool) -> None:
    made = Quantized()
    inputs, output = [made.data((1, 4))], made.data((1, 4))
    made.operator("CUSTOM", inputs, output)
    made.tree.operatorCodes[0].customCode = b"edgetpu-custom-op"
    made.graph.operators[0].customOptions = list(bytes(8) + PACKAGE * package)
    found = made.outcome(inputs, output)
    assert found.mapped == package
    assert ("not its program" in found.reason) != package


def test_what_comes_after_an_operator_that_stays_stays_too() -> None:
    """Compiler 16 on Dense, Dense, sin, Dense, as github.com/ricardodeazambuja/LibrEdgeTPU says
    (docs/HARDWARE_ANALYSIS.md)."""
    made = Quantized()
    weights = made.constant(np.ones((4, 4)))
    data = [made.data((1, 4)) for _ in range(4)]
    floats = [made.tensor("float", (1, 4)) for _ in range(2)]
    answer = made.data((1, 4))
    for kind, inputs, output in (
        ("FULLY_CONNECTED", [data[0], weights, -1], data[1]),
        ("FULLY_CONNECTED", [data[1], weights, -1], data[2]),
        ("DEQUANTIZE", [data[2]], floats[0]),
        ("SIN", [floats[0]], floats[1]),
        ("QUANTIZE", [floats[1]], data[3]),
        ("FULLY_CONNECTED", [data[3], weights, -1], answer),
    ):
        made.operator(kind, inputs, output)
    found = preflight(made.pack(data[0], [answer]), "sin")
    assert [entry.mapped for entry in found.ops] == [True, True, False, False, False, False]
    assert (found.subgraphs, found.supported_pieces) == (1, 2)
