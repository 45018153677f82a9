"""One list of operators: the Keras network, the costs and the channel groups follow from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from converters.pruning.selection.groups import channel_groups
from edge_effnet.architecture.cost import exported_operators
from edge_effnet.architecture.spec import network_plan
from edge_effnet.architecture.topology import operators
from edge_effnet.architecture.variants import VARIANTS


@pytest.mark.parametrize("name", VARIANTS)
def test_an_operator_reads_what_came_before_it(name: str) -> None:
    seen: dict[str, int] = {}
    for operator in operators(VARIANTS[name]):
        assert operator.name not in seen
        assert [seen[source] for source in operator.inputs][:1] in ([], [operator.channels_in])
        seen[operator.name] = operator.channels
    assert seen.popitem() == ("predictions", 1000)


@pytest.mark.parametrize("name", ["b0", "lite0", "edgetpu-s", "v2-b0"])
def test_the_built_network_has_the_listed_layers(name: str) -> None:
    from edge_effnet.network.build import build

    spec = VARIANTS[name]
    layers = {layer.name: layer for layer in build(spec, classes=7, resolution=45).layers}
    listed = {operator.name: operator for operator in operators(spec, classes=7, resolution=45)}
    assert set(listed) - set(layers) <= {"normalization"}  # one Rescaling where that is enough
    assert set(layers) - set(listed) == {"rescaling"}
    for name, layer in layers.items():
        if name in listed and len(layer.output.shape) == 4:
            assert layer.output.shape[1:] == listed[name].shape, name


def test_costs_name_operators_as_the_layers_are_named() -> None:
    names = {op.name for op in exported_operators(VARIANTS["v2-b0"])}
    assert {"block4a_dwconv2", "block4a_activation", "block4a_activation/sigmoid"} <= names
    assert {"block4a_se_reduce", "block4a_se_reduce/swish", "block4a_se_expand/sigmoid"} <= names
    assert not any("_bn" in name or "drop" in name for name in names)


def test_squeeze_excite_of_a_block_without_expansion_weighs_the_chain() -> None:
    blocks = list(network_plan(VARIANTS["b0"]).blocks)
    blocks[1] = replace(
        blocks[1], kind="fused", expand=False, width_expanded=blocks[1].width_in, width_se=4
    )
    groups = channel_groups(replace(VARIANTS["b0"], blocks=tuple(blocks)))
    name = blocks[1].name
    assert f"{name}_se_expand" in {axis.layer for axis in groups["block1a"].made}
    assert {axis.layer for axis in groups["block1a"].read} == {
        f"{name}_se_reduce",
        f"{name}_project_conv",
    }
    assert (groups[f"{name}_se"].role, groups[f"{name}_se"].width) == ("squeeze", 4)
