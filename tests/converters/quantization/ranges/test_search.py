"""Ranges chosen by the network's answers."""

from dataclasses import replace

import numpy as np
import pytest

from converters.accuracy.strategies import STRATEGIES
from converters.calibration.ranges import ROLES, Ranges, collect_statistics, tensor_roles
from converters.quantization import quantizer
from converters.quantization.candidates import Candidate, Context, keep_better, run_steps
from converters.quantization.quantizer import quantize
from converters.quantization.ranges.search import search_ranges, searched
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from converters.tflite_graph.segments import logit_names
from edge_effnet.errors import DataError
from tests.converters.conftest import TinyModel, signal_to_noise

INT8 = RECIPES["int8"]


def test_roles_are_read_off_the_graph(tiny: TinyModel) -> None:
    roles = tensor_roles(tiny.structure)
    assert set(roles.values()) == set(ROLES)
    for operator in tiny.structure.operators:
        output = tiny.structure.tensors[operator.outputs[0]]
        if operator.name == "MEAN":
            assert roles[output.name] == "pooled"
        if operator.name == "ADD":
            assert roles[output.name] == "linear"
        if "se_excite" in output.name:
            assert roles[output.name] == "excite"


def test_no_tensor_ends_below_where_it_began(tiny: TinyModel) -> None:
    pinned = {"pinned"} | set(logit_names(tiny.structure))
    images = list(tiny.calibration.inputs())
    found = search_ranges(
        tiny.model,
        tiny.structure,
        tiny.ranges,
        frozenset(pinned),
        images,
        workers=2,
    )
    assert not pinned & set(found)
    assert all(tensor.share <= tensor.share_before for tensor in found.values())
    for name, tensor in found.items():  # what no image here shows must not be cut
        low, high = tiny.ranges[name]
        assert tensor.range[0] <= low
        assert tensor.range[1] >= high
    moved = {name: tensor for name, tensor in found.items() if tensor.share < tensor.share_before}
    assert moved
    # All together, in the integer file itself, not only one by one.
    expected = logits(tiny.model, tiny.structure, images, workers=1)

    def decibels(ranges: Ranges) -> float:
        small = quantize(tiny.model, INT8, ranges, "int8")
        return signal_to_noise(expected, logits(small, tiny.structure, images, workers=1))

    after = {**tiny.ranges, **{name: tensor.range for name, tensor in found.items()}}
    assert decibels(after) > decibels(tiny.ranges)


def test_softmax_does_not_see_a_constant() -> None:
    expected = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    assert signal_to_noise(expected, expected + 3) > 100
    assert signal_to_noise(expected, 0 * expected) == pytest.approx(0)


def test_weights_that_are_not_numbers_are_named(tiny: TinyModel) -> None:
    from edge_effnet.tflite.editor import writable_constant

    broken = bytearray(tiny.model)
    kernel = next(op.inputs[1] for op in tiny.structure.operators if op.name == "CONV_2D")
    writable_constant(broken, kernel).view(np.float32)[:] = np.nan
    with pytest.raises(DataError, match="NaN or infinity"):
        collect_statistics(bytes(broken), tiny.structure, tiny.calibration, workers=1)


def test_steps_are_taken_only_where_they_help(tiny: TinyModel) -> None:
    """Ranges that cut nearly everything stand in for a search that its images misled."""
    context = Context(tiny.model, tiny.structure, tiny.calibration, "int8", 2)
    (bias,) = (row for row in STRATEGIES if row.name == "bias")

    def misled(candidate: Candidate, context: Context) -> Candidate:
        found = searched(context)
        ranges = {name: (t.range[0] / 20, t.range[1] / 20) for name, t in found.items()}
        return replace(candidate, ranges={**candidate.ranges, **ranges})

    corrected = bias.make(context)
    ruined = run_steps((misled, quantizer.apply), corrected, context)
    assert context.error(ruined) > context.error(corrected)
    assert keep_better(misled, quantizer.apply)(corrected, context) is corrected
