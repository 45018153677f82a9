"""Ranges are data: measured once, and never clipping the input or the logits."""

import numpy as np

from converters.calibration.ranges import (
    GENERATED_WIDENING,
    ROLE_METHODS,
    choose_ranges,
    collect_statistics,
    method_range,
    pinned_ranges,
    tensor_roles,
)
from converters.calibration.representative import choose_calibration
from converters.tflite_graph.segments import logit_names
from tests.converters.conftest import TinyModel


def test_pixels_pass_exactly(tiny: TinyModel) -> None:
    (source,) = tiny.structure.inputs
    assert tiny.ranges[tiny.structure.tensors[source].name] == (0.0, 255.0)


def test_what_the_normalization_makes_of_pixels_is_known_not_measured(tiny: TinyModel) -> None:
    first = tiny.structure.operators[0]
    assert first.name == "DEPTHWISE_CONV_2D"
    low, high = tiny.ranges[tiny.structure.tensors[first.outputs[0]].name]
    # ImageNet's statistics: red black is the lowest, blue white the highest value.
    np.testing.assert_allclose((low, high), (-0.485 / 0.229, (1 - 0.406) / 0.225), rtol=1e-5)


def test_no_logit_of_any_calibration_image_is_clipped(tiny: TinyModel) -> None:
    statistics = collect_statistics(tiny.model, tiny.structure, tiny.calibration, workers=1)
    softmax = tiny.structure.operators[-1]
    assert softmax.name == "SOFTMAX"
    name = tiny.structure.tensors[softmax.inputs[0]].name
    low, high = tiny.ranges[name]
    assert low <= statistics.lows[name].min()
    assert high >= statistics.highs[name].max()


def test_every_float_activation_has_a_range_and_workers_do_not_matter(tiny: TinyModel) -> None:
    calls: list[None] = []
    alone = collect_statistics(
        tiny.model,
        tiny.structure,
        tiny.calibration,
        workers=1,
        progress=lambda: calls.append(None),
    )
    together = collect_statistics(tiny.model, tiny.structure, tiny.calibration, workers=3)
    assert len(calls) == alone.images == len(tiny.calibration)
    activations = {t.name for t in tiny.structure.tensors if not t.constant_bytes}
    assert set(tiny.ranges) == activations
    for name in activations:
        np.testing.assert_array_equal(alone.lows[name], together.lows[name])
        np.testing.assert_array_equal(alone.highs[name], together.highs[name])


def test_generated_images_get_wider_ranges_where_they_excite_too_little(tiny: TinyModel) -> None:
    calibration, _ = choose_calibration(None, tiny.calibration.preprocess, count=3, seed=0)
    statistics = collect_statistics(tiny.model, tiny.structure, calibration, workers=1)
    ranges = choose_ranges(statistics, tiny.structure, calibration, tiny.model)
    pinned = pinned_ranges(tiny.model, tiny.structure, calibration)
    seen = set()
    for name, role in tensor_roles(tiny.structure).items():
        if name in pinned or name in logit_names(tiny.structure):
            continue
        low, high = method_range(statistics, name, ROLE_METHODS[role])
        factor = GENERATED_WIDENING.get(role, 1.0)
        assert ranges[name] == (factor * low, factor * high)
        seen.add(role)
    assert seen >= GENERATED_WIDENING.keys()
