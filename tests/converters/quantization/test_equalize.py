"""Equalization: the same answers in float, nearer ones in int8."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from converters.accuracy.candidates import Workshop
from converters.accuracy.strategies import LADDER, ladder
from converters.analysis.layer_error import measure_layers
from converters.calibration.representative import Calibration
from converters.quantization.equalize import (
    Seen,
    best_factors,
    can_equalize,
    equalize,
    find_places,
    noise_energy,
)
from converters.quantization.range_search import logits
from converters.tflite_graph.activations import Picture, observe
from converters.tflite_graph.error_metrics import stored_in_int8
from converters.tflite_graph.graph import Weights, read_graph, write_weights
from converters.tflite_graph.subgraph import Dissection
from converters.tflite_graph.topology import logit_names
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import CLASSES, TinyModel, signal_to_noise

SIDE = 48
RANGES, EQUALIZED = (
    next(rung for rung in LADDER if rung.name == name) for name in ("ranges", "equalized")
)
MakeExport = Callable[[str], bytes]


@pytest.fixture(scope="module")
def export() -> MakeExport:
    """A narrow network with random weights, whose channels differ as trained ones do."""

    def make(name: str) -> bytes:
        import keras

        from converters.float_model.export import export_network
        from edge_effnet.network.build import build

        spec = replace(VARIANTS[name], width=0.25, depth=0.3, fixed_ends=False)
        keras.utils.set_random_seed(3)
        network = build(spec, classes=CLASSES, resolution=SIDE)
        random = np.random.default_rng(3)
        for layer in network.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.gamma.assign(random.lognormal(0, 1, layer.gamma.shape))
        return export_network(network, spec)

    return make


@pytest.fixture(scope="module")
def lite(export: MakeExport) -> bytes:
    return export("lite0")


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    return Calibration(None, 16, Preprocess(SIDE, SIDE), seed=0)


@pytest.fixture(scope="module")
def unequal(lite: bytes) -> bytes:
    """The same network with channels a fiftieth to one of what they were, undone behind: the
    disease that equalization is for."""
    graph = read_graph(lite)
    layers = dict(graph.layers)
    random = np.random.default_rng(0)
    for place in find_places(graph):
        front = layers[place.held[0]]
        factors = random.uniform(0.02, 1, front.bias.shape).astype(np.float32)
        layers[place.held[0]] = Weights(front.kernel * factors, front.bias * factors)
        for name in place.readers:
            rear = layers[name]
            undone = factors if rear.kernel.ndim == 3 else factors[:, None]
            layers[name] = Weights(rear.kernel / undone, rear.bias)
    return write_weights(lite, layers)


def test_float_answers_stay_and_quiet_channels_are_heard(
    unequal: bytes, calibration: Calibration
) -> None:
    shop = Workshop(unequal, parse_structure(unequal, "lite"), calibration, "int8", 2)
    pictures = list(calibration.inputs())
    wanted = logits(unequal, shop.structure, pictures, workers=2)
    equal = shop.equalized()
    ours = logits(equal.model, equal.structure, pictures, workers=2)
    assert signal_to_noise(wanted, ours) > 60  # decibels: float32's own rounding
    before = noise_of_rectified(shop, "", pictures, wanted)
    after = noise_of_rectified(equal, "/equalized", pictures, wanted)
    assert after < before / 2.5


def noise_of_rectified(shop: Workshop, suffix: str, pictures: list[Picture], wanted: Any) -> float:
    """What the answer loses by storing each activation behind a ReLU in 8 bits, alone; in all."""
    names = {tensor.name: index for index, tensor in enumerate(shop.structure.tensors)}
    fronts = [place.held[0].removesuffix(suffix) for place in find_places(read_graph(shop.model))]
    ranges = shop.statistics().highs
    found = [name + suffix if name + suffix in names else name for name in fronts]
    highs = {names[name]: float(ranges[name].max()) for name in found}
    dissection = Dissection(shop.model, shop.structure, names[logit_names(shop.structure)[0]])
    return sum(
        dissection.study(
            list(highs),
            pictures,
            wanted,
            lambda index, one: one.typical_share(lambda v: stored_in_int8(v, 0.0, highs[index])),
            workers=2,
        )
    )


def test_the_rung_makes_a_file(unequal: bytes, calibration: Calibration) -> None:
    shop = Workshop(unequal, parse_structure(unequal, "lite"), calibration, "int8", 2)
    structure = parse_structure(shop.make(EQUALIZED)[0], "the rung")
    assert any("/equalized" in tensor.name for tensor in structure.tensors)
    used = {index for op in structure.operators for index in (*op.inputs, *op.outputs)}
    assert {structure.tensors[index].dtype for index in used} == {"int8", "int32"}


def test_its_layers_are_compared_where_both_files_have_them(
    unequal: bytes, calibration: Calibration
) -> None:
    shop = Workshop(unequal, parse_structure(unequal, "lite"), calibration, "int8", 2)
    small = shop.equalized().make(RANGES)[0]
    pictures = list(calibration.inputs())[:2]
    found = measure_layers(unequal, small, pictures, float_trials=2, workers=2)
    theirs = {tensor.name for tensor in parse_structure(small, "equalized").tensors}
    assert found.layers
    assert {layer.tensor for layer in found.layers} <= theirs
    # The file was not made of float's graph, so what float would save in it is not known.
    assert {layer.left_float_percent for layer in found.layers} == {None}


def test_no_channel_is_lifted_into_the_ceiling(lite: bytes, calibration: Calibration) -> None:
    pictures = list(calibration.inputs())

    def peaks(model: bytes, names: list[str]) -> list[np.ndarray]:
        tensors = {t.name: i for i, t in enumerate(parse_structure(model, "a model").tensors)}
        pages = observe(
            model,
            [tensors[name] for name in names],
            pictures,
            lambda _, values: [value.max(axis=(0, 1, 2)) for value in values],
            workers=1,
        )
        return [np.max([page[place] for page in pages], axis=0) for place in range(len(names))]

    after = equalize(lite, pictures, workers=2)
    tensors = [tensor.name for tensor in parse_structure(after, "equalized").tensors]
    fronts = {place.held[0] for place in find_places(read_graph(lite))}
    names = [name for name in fronts if f"{name}/equalized" in tensors]
    assert len(names) > 5
    lifted = peaks(after, [f"{name}/equalized" for name in names])
    for before, now in zip(peaks(lite, names), lifted, strict=True):
        changed = ~np.isclose(before, now, rtol=1e-3)
        assert (now[changed] <= 6 / 1.25 + 1e-3).all()
        assert (now[changed] > before[changed]).all()


def test_networks_with_swish_are_left_alone(tiny: TinyModel) -> None:
    assert not can_equalize(tiny.model)
    pictures = list(tiny.calibration.inputs())[:2]
    assert equalize(tiny.model, pictures, workers=1) == tiny.model


def test_a_relu_has_no_ceiling(export: MakeExport) -> None:
    places = find_places(read_graph(export("edgetpu-s")))
    assert places
    assert {place.ceiling for place in places} == {np.inf}


def test_only_such_networks_get_the_rung_and_those_behind_build_on_it() -> None:
    assert not any(rung.equalize for rung in ladder())
    rungs = ladder(equalize=True, allow_float=2)
    assert [rung.name for rung in rungs if rung.equalize] == [
        *("equalized", "searched", "rounded", "float2", "recovered"),
    ]


CHANNELS = 5
VALUES = arrays(np.float64, CHANNELS, elements=st.floats(0, 6))
KERNELS = arrays(np.float64, (4, 9, CHANNELS), elements=st.floats(-2, 2))


@given(VALUES, KERNELS, st.sampled_from([6.0, np.inf]))
def test_factors_lift_within_bounds_and_never_add_noise(
    peak: np.ndarray, kernel: np.ndarray, ceiling: float
) -> None:
    seen = Seen(reach=0.8 * peak, peak=peak, power=peak**2 / 9)
    factors = best_factors(seen, [kernel], ceiling)
    if factors is None:
        return
    assert (factors >= 1).all()
    assert (factors <= 64).all()
    lifted = factors > 1
    assert (1.25 * factors * peak <= ceiling * (1 + 1e-9))[lifted].all()
    before = noise_energy(np.ones(CHANNELS), seen, [kernel])
    assert noise_energy(factors, seen, [kernel]) < before
