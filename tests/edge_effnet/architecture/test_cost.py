"""Costs from the row alone, against the networks that are built and the files they become."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from converters.calibration.ranges import choose_ranges, collect_statistics
from converters.calibration.representative import Calibration
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.architecture.cost import cost, exported_operators, stage_table
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import Structure, parse_structure

BUILT = [
    VARIANTS["b0"],
    VARIANTS["b2"],
    VARIANTS["lite0"],
    VARIANTS["lite3"],
    VARIANTS["edgetpu-s"],
    VARIANTS["edgetpu-m"],
    VARIANTS["v2-b0"],
    VARIANTS["v2-s"],
    scaled_variant(-7.3),
]
# All parameters, moving statistics included, as keras.applications counts them.
KERAS_PARAMETERS = {
    "b0": 5_330_571,
    "b1": 7_856_239,
    "b2": 9_177_569,
    "b3": 12_320_535,
    "b4": 19_466_823,
    "b5": 30_562_527,
    "b6": 43_265_143,
    "b7": 66_658_687,
    "v2-b0": 7_200_312,
    "v2-b1": 8_212_124,
    "v2-b2": 10_178_374,
    "v2-b3": 14_467_622,
    "v2-s": 21_612_360,
    "v2-m": 54_431_388,
    "v2-l": 119_027_848,
}
MACS_PUBLISHED = {"lite0": 407, "lite1": 631, "lite2": 899, "lite3": 1440, "lite4": 2640}
# Millions of trainable parameters, as published with the reference implementation.
TRAINABLE_PUBLISHED = {
    "lite0": "4.65",
    "lite1": "5.42",
    "lite2": "6.09",
    "lite3": "8.20",
    "lite4": "13.01",
    "edgetpu-s": "5.44",
    "edgetpu-m": "6.90",
    "edgetpu-l": "10.59",
}


@pytest.mark.parametrize(
    ("spec", "classes"),
    [(spec, 7) for spec in BUILT] + [(VARIANTS["b0"], 1000)],
    ids=lambda value: value.name if isinstance(value, VariantSpec) else str(value),
)
def test_parameters_and_macs_are_those_of_the_built_network(
    spec: VariantSpec, classes: int
) -> None:
    from edge_effnet.network.build import build

    network = build(spec, classes=classes)
    total = cost(spec, classes=classes)
    assert total.parameters == network.count_params()
    assert total.trainable == sum(math.prod(w.shape) for w in network.trainable_weights)
    assert total.macs == sum(map(_layer_macs, network.layers))


def _layer_macs(layer: Any) -> int:
    """Each kernel weight works once for every pixel of the layer's output."""
    if type(layer).__name__ not in {"Conv2D", "DepthwiseConv2D", "Dense"}:
        return 0
    pixels = math.prod(layer.output.shape[1:-1])
    return pixels * math.prod(layer.kernel.shape)


@pytest.mark.parametrize("name", MACS_PUBLISHED)
def test_lite_costs_what_was_published(name: str) -> None:
    total = cost(VARIANTS[name])
    assert total.macs_and_elementwise / 1e6 == pytest.approx(MACS_PUBLISHED[name], rel=0.005)
    assert VARIANTS[name].published.macs_millions == MACS_PUBLISHED[name]


@pytest.mark.parametrize("name", KERAS_PARAMETERS)
def test_b_and_v2_have_the_parameters_of_keras_applications(name: str) -> None:
    assert cost(VARIANTS[name]).parameters == KERAS_PARAMETERS[name]


def test_every_variant_has_its_figure() -> None:
    assert set(KERAS_PARAMETERS) | set(TRAINABLE_PUBLISHED) == set(VARIANTS)


@pytest.mark.parametrize("name", TRAINABLE_PUBLISHED)
def test_lite_and_edgetpu_have_the_published_parameters(name: str) -> None:
    assert f"{cost(VARIANTS[name]).trainable / 1e6:.2f}" == TRAINABLE_PUBLISHED[name]


def test_a_pruned_row_costs_less() -> None:
    whole = VARIANTS["b0"]
    blocks = list(network_plan(whole).blocks)
    blocks[3] = replace(blocks[3], width_expanded=blocks[3].width_expanded // 2)
    pruned = replace(whole, blocks=tuple(blocks))
    lost = blocks[3].width_expanded  # as many as are left
    kernel = blocks[3].kernel ** 2
    per_channel = blocks[3].width_in + 4 + kernel + 4 + 2 * blocks[3].width_se + 1
    per_channel += blocks[3].width_out
    assert cost(whole).parameters - cost(pruned).parameters == lost * per_channel


def test_the_stage_table_is_the_papers() -> None:
    rows = stage_table(VARIANTS["b0"])
    assert [row.stage for row in rows] == [
        "image", "stem", "1", "2", "3", "4", "5", "6", "7", "head", "pool", "scores"
    ]  # fmt: skip
    assert [row.layers for row in rows[2:9]] == [1, 2, 2, 3, 3, 4, 1]
    assert [row.shape_out[2] for row in rows[1:10]] == [
        32, 16, 24, 40, 80, 112, 192, 320, 1280
    ]  # fmt: skip
    assert rows[3].operator == "MBConv6, 3×3, stride 2, SE"
    assert (rows[9].shape_out, rows[-1].shape_out) == ((7, 7, 1280), (1, 1, 1000))
    assert all(one.shape_out == other.shape_in for one, other in pairwise(rows))
    total = cost(VARIANTS["b0"])
    assert sum(row.parameters for row in rows) == total.parameters
    assert sum(row.macs for row in rows) == total.macs


def test_stage_1_is_not_mistaken_for_stage_10() -> None:
    stages = VARIANTS["b0"].stages
    deep = replace(VARIANTS["b0"], stages=(*stages, *[replace(stages[-1], width_in=320)] * 4))
    rows = stage_table(deep)
    assert [row.stage for row in rows][-5:-3] == ["10", "11"]
    assert sum(row.parameters for row in rows) == cost(deep).parameters


@dataclass(frozen=True)
class Exported:
    spec: VariantSpec
    model: bytes
    structure: Structure


@pytest.fixture(
    scope="module",
    params=[
        scaled_variant(-8),
        scaled_variant(-8, base=VARIANTS["lite0"]),
        scaled_variant(-9, base=VARIANTS["v2-b0"]),
        scaled_variant(-8, base=VARIANTS["edgetpu-s"]),
    ],
    ids=lambda spec: spec.name,
)
def exported(request: pytest.FixtureRequest) -> Exported:
    """A small network as a float file. Its one-dimensional weights are given noise: the file
    stores equal constants once, and a fresh network's biases are all 0."""
    from converters.float_model.export import export_network
    from edge_effnet.network.build import build

    network = build(request.param, classes=10)
    random = np.random.default_rng(1)
    for layer in network.layers:
        for weight in layer.weights if type(layer).__name__ != "Normalization" else ():
            if len(weight.shape) == 1:
                weight.assign(np.asarray(weight) + random.uniform(0.1, 0.2, weight.shape))
    model = export_network(network, request.param)
    return Exported(request.param, model, parse_structure(model, request.param.name))


def test_the_traced_operators_are_the_files(exported: Exported) -> None:
    names = Counter(operator.name for operator in exported.structure.operators)
    ops = exported_operators(exported.spec, classes=10)
    assert len(ops) == len(exported.structure.operators) + 1  # the input is none in the file
    assert names["ADD"] == sum(op.name.endswith("_add") for op in ops)
    assert names["LOGISTIC"] == sum(op.name.endswith("/sigmoid") for op in ops)
    stored = sum(t.elements for t in exported.structure.tensors if t.dtype == "float32")
    activations = sum(op.elements for op in ops)
    assert stored == activations + sum(op.weights + op.biases for op in ops)


def test_peak_memory_is_that_of_the_files_operators(exported: Exported) -> None:
    assert cost(exported.spec, classes=10).peak_activations == _peak(exported.structure)


def _peak(structure: Structure) -> int:
    """By definition: what is written already and read now or later, at each operator."""
    written = dict.fromkeys(structure.inputs, -1)
    read = dict.fromkeys(structure.outputs, len(structure.operators))
    for operator in structure.operators:
        written |= dict.fromkeys(operator.outputs, operator.index)
        for index in operator.inputs:
            read[index] = max(operator.index, read.get(index, -1))
    return max(
        sum(
            structure.tensors[index].elements
            for index, born in written.items()
            if born <= now <= read.get(index, born)
        )
        for now in range(len(structure.operators))
    )


def test_file_sizes_are_foreseen(exported: Exported) -> None:
    total = cost(exported.spec, classes=10)
    assert total.float_bytes == pytest.approx(len(exported.model), rel=0.03)
    side = exported.spec.resolution
    calibration = Calibration(None, 4, Preprocess(side, side), seed=0)
    statistics = collect_statistics(exported.model, exported.structure, calibration, workers=1)
    ranges = choose_ranges(statistics, exported.structure, calibration, exported.model)
    small = quantize(exported.model, RECIPES["int8"], ranges, "uint8")
    assert total.int8_bytes == pytest.approx(len(small), rel=0.03)


@pytest.mark.slow
def test_the_size_of_b0_is_foreseen() -> None:
    from converters.float_model.export import export_network
    from edge_effnet.network.build import build

    model = export_network(build(VARIANTS["b0"]), VARIANTS["b0"])
    total = cost(VARIANTS["b0"])
    assert total.float_bytes == pytest.approx(len(model), rel=0.03)
    structure = parse_structure(model, "b0")
    assert total.peak_activations == _peak(structure) == 3_612_672
    calibration = Calibration(None, 2, Preprocess(224, 224), seed=0)
    statistics = collect_statistics(model, structure, calibration, workers=1)
    ranges = choose_ranges(statistics, structure, calibration, model)
    small = quantize(model, RECIPES["int8"], ranges, "uint8")
    assert total.int8_bytes == pytest.approx(len(small), rel=0.03)
