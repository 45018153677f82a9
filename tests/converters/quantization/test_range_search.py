"""Ranges judged by the network's answers."""

from dataclasses import replace

import numpy as np
import pytest

from converters.accuracy.candidates import Workshop
from converters.accuracy.strategies import LADDER
from converters.calibration.ranges import ROLES, Ranges, collect_statistics, tensor_roles
from converters.quantization.quantizer import quantize
from converters.quantization.range_search import logits, search_ranges
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.topology import logit_names
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
    steps: list[tuple[int, int]] = []
    pictures = list(tiny.calibration.inputs())
    found = search_ranges(
        tiny.model,
        tiny.structure,
        tiny.ranges,
        frozenset(pinned),
        pictures,
        workers=2,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert steps[-1][0] == steps[-1][1] == len(found)
    assert not pinned & set(found)
    assert all(tensor.share <= tensor.share_before for tensor in found.values())
    for name, tensor in found.items():  # what no picture here shows must not be cut
        low, high = tiny.ranges[name]
        assert tensor.range[0] <= low
        assert tensor.range[1] >= high
    moved = {name: tensor for name, tensor in found.items() if tensor.share < tensor.share_before}
    assert moved
    # All together, in the integer file itself, not only one by one.
    wanted = logits(tiny.model, tiny.structure, pictures, workers=1)

    def decibels(ranges: Ranges) -> float:
        small = quantize(tiny.model, INT8, ranges, "int8")
        return signal_to_noise(wanted, logits(small, tiny.structure, pictures, workers=1))

    after = {**tiny.ranges, **{name: tensor.range for name, tensor in found.items()}}
    assert decibels(after) > decibels(tiny.ranges)


def test_softmax_does_not_see_a_constant() -> None:
    wanted = np.random.default_rng(0).normal(size=(5, 10)).astype(np.float32)
    assert signal_to_noise(wanted, wanted + 3) > 100
    assert signal_to_noise(wanted, 0 * wanted) == pytest.approx(0)


def test_weights_that_are_not_numbers_are_named(tiny: TinyModel) -> None:
    from edge_effnet.tflite.editor import writable_constant

    broken = bytearray(tiny.model)
    kernel = next(op.inputs[1] for op in tiny.structure.operators if op.name == "CONV_2D")
    writable_constant(broken, kernel).view(np.float32)[:] = np.nan
    with pytest.raises(DataError, match="NaN or infinity"):
        collect_statistics(bytes(broken), tiny.structure, tiny.calibration, workers=1)


def test_searched_ranges_are_taken_only_where_they_help(tiny: TinyModel) -> None:
    """Ones that cut nearly everything stand in for a search that its pictures misled."""
    shop = Workshop(tiny.model, tiny.structure, tiny.calibration, "int8", 2)
    rungs = {rung.name: rung for rung in LADDER}
    ruined = {
        name: replace(tensor, range=(tensor.range[0] / 20, tensor.range[1] / 20))
        for name, tensor in shop.found().items()
    }
    misled = replace(shop, _found=ruined, _bases={})
    assert misled.make(rungs["searched"])[0] == shop.make(rungs["bias"])[0]
