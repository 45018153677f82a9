"""A cut network computes what the whole one computes without those channels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converters.pruning.selection.groups import channel_groups, narrowed
from converters.pruning.slicing import Kept, silenced, slice_channels
from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.files import variant_from_json, variant_to_json
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem
from edge_effnet.network.weights.files import LayerWeights
from tests.converters.pruning.conftest import CLASSES, FAMILIES, SIDE, Tiny


def answers(spec: VariantSpec, weights: LayerWeights, images: np.ndarray) -> np.ndarray:
    from edge_effnet.network.build import build
    from edge_effnet.network.weights.assign import load_layer_weights

    network = build(spec, classes=CLASSES, resolution=SIDE, classifier_activation=None)
    load_layer_weights(network, weights, source="the cut weights")
    return np.asarray(network(images, training=False))


def masked_answers(tiny: Tiny, masks: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """The whole network, with activations multiplied by 0 and 1 where they arise.

    Written from the block's own definition, not from the table of groups that is under test.
    """
    import keras

    after: dict[str, np.ndarray] = {}
    chain = masks["stem"]
    after["stem_activation"] = chain
    for block in network_plan(tiny.spec).blocks:
        name, inner = block.name, chain
        if block.expand:
            inner = masks[f"{name}_expand"]
            if block.kind == "fused":
                after[f"{name}_expand_activation"] = inner
        if block.kind == "mbconv":
            after[f"{name}_activation"] = inner
        if block.width_se:
            after[f"{name}_se_reduce"] = masks[f"{name}_se"]
        if not block.skip:
            chain = masks[name]
        last = "project_bn" if block.expand or block.kind == "mbconv" else "project_activation"
        after[f"{name}_add" if block.skip else f"{name}_{last}"] = chain
    after["top_activation"] = masks["head"]

    def call(layer: Any, *args: Any, **kwargs: Any) -> Any:
        result = layer(*args, **kwargs)
        return result * after[layer.name] if layer.name in after else result

    masked = keras.models.clone_model(
        tiny.network, clone_function=lambda layer: layer, call_function=call
    )
    return np.asarray(masked(images, training=False))


def masks_of(spec: VariantSpec, kept: Kept) -> dict[str, np.ndarray]:
    """A mask per group, also under the name of the block that begins a chain."""
    masks = {}
    for name, group in channel_groups(spec).items():
        mask = np.zeros(group.width, np.float32)
        mask[kept.get(name, np.arange(group.width))] = 1
        masks[name] = mask
        for axis in group.made:  # a chain is named after its last block
            masks[axis.layer.removesuffix("_conv").removesuffix("_project")] = mask
    return masks


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=3)
@given(data=st.data())
def test_a_cut_network_equals_the_masked_one(
    family: str, tiny_of: Callable[[str], Tiny], data: st.DataObject
) -> None:
    tiny = tiny_of(family)
    groups = channel_groups(tiny.spec)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    share = data.draw(st.floats(0.1, 0.95))
    kept = {}
    for name, group in groups.items():
        if data.draw(st.booleans(), label=name):
            count = max(1, round(share * group.width))
            kept[name] = np.sort(rng.permutation(group.width)[:count])
    images = rng.uniform(0, 255, (2, SIDE, SIDE, 3)).astype(np.float32)

    spec, weights = slice_channels(tiny.spec, tiny.weights, kept)
    small = answers(spec, weights, images)

    scale = max(1.0, float(np.abs(small).max()))
    masked = masked_answers(tiny, masks_of(tiny.spec, kept), images)
    np.testing.assert_allclose(small, masked, rtol=0, atol=1e-5 * scale)
    for layer, arrays in silenced(tiny.spec, tiny.weights, kept).items():
        tiny.network.get_layer(layer).set_weights(arrays)
    quiet = np.asarray(tiny.network(images, training=False))
    tiny.restore()
    np.testing.assert_allclose(small, quiet, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_array_with_channels_is_in_a_group(
    family: str, tiny_of: Callable[[str], Tiny]
) -> None:
    tiny = tiny_of(family)
    found: dict[tuple[str, int, int], int] = {}
    for group in channel_groups(tiny.spec).values():
        for axis in group.axes:
            assert tiny.weights[axis.layer][axis.array].shape[axis.axis] == group.width
            key = (axis.layer, axis.array, axis.axis)
            found[key] = found.get(key, 0) + 1
    assert set(found.values()) == {1}
    # Every width of every kernel but the pixels' three and the classes' five.
    free = {("stem_conv", 0, 2), ("predictions", 0, 1), ("predictions", 1, 0)}
    for layer, arrays in tiny.weights.items():
        if layer == "normalization":
            continue
        for index, array in enumerate(arrays):
            axes = range(array.ndim) if array.ndim < 4 else (2, 3)
            for axis in axes:
                if array.ndim == 4 and axis == 3 and "dwconv" in layer:
                    continue  # the multiplier, 1
                key = (layer, index, axis)
                assert (key in found) != (key in free), key


@pytest.mark.parametrize("name", VARIANTS)
def test_a_row_with_its_own_widths_is_the_same_network(name: str) -> None:
    spec = VARIANTS[name]
    same = narrowed(spec, {})
    assert network_plan(same) == network_plan(spec)
    assert cost(same) == cost(spec)


def test_a_chain_is_one_width() -> None:
    groups = channel_groups(VARIANTS["v2-b0"])
    spec = narrowed(VARIANTS["v2-b0"], {"block4c": 48, "block5b_expand": 200}, "small")
    blocks = {block.name: block for block in network_plan(spec).blocks}
    assert groups["block4c"].role == "chain"
    assert {blocks[f"block4{letter}"].width_out for letter in "abc"} == {48}
    assert blocks["block5a"].width_in == 48
    assert blocks["block5b"].width_expanded == 200
    assert variant_from_json(variant_to_json_as_read(spec), "small") == spec


def variant_to_json_as_read(spec: VariantSpec) -> Any:
    import json

    return json.loads(json.dumps(variant_to_json(spec)))


def test_what_is_no_channel_is_refused(tiny_of: Callable[[str], Tiny]) -> None:
    tiny = tiny_of("b0")
    with pytest.raises(UsageProblem, match="no channels called 'block9z'"):
        slice_channels(tiny.spec, tiny.weights, {"block9z": np.array([0])})
    with pytest.raises(UsageProblem, match="found 0 indices"):
        slice_channels(tiny.spec, tiny.weights, {"head": np.array([], np.int64)})
    with pytest.raises(UsageProblem, match="ascending, from 0"):
        slice_channels(tiny.spec, tiny.weights, {"stem": np.array([1, 0])})
