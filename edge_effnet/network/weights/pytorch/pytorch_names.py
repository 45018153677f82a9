"""Our layers by the names of PyTorch's networks: timm's, and the port whose Lite checkpoints are in
the package registry.

Both lay their modules out as the network runs; a block's modules are told by what the block has.
Kernels are turned from (out, in, h, w) to (h, w, in, out), those of depthwise convolutions from
(channel, 1, h, w) to (h, w, channel, 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.topology import NetworkOperator, operators
from edge_effnet.network.weights.files import Array, LayerWeights

_STATISTICS = ("weight", "bias", "running_mean", "running_var")  # Keras's order
_WITH_WEIGHTS = ("conv", "depthwise", "batch_norm", "dense")


@dataclass(frozen=True)
class Naming:
    """How a port calls the modules of a network.

    Attributes:
        stem, top: convolution and batch normalization.
        classifier: the dense layer.
        block: of one by its number, from 0, and by its stage's and its number within that.
        units: the modules of a block, by what ours are called: convolution and normalization of
            the expansion, of the depthwise filter and of the projection.
        without_expansion: the same for a block that does not expand, where it differs.
        fused, single: for fused blocks with and without an expansion.
        squeeze: of squeeze-excite.
    """

    stem: tuple[str, str]
    top: tuple[str, str]
    classifier: str
    block: str
    units: tuple[str, ...]
    without_expansion: tuple[str, ...]
    fused: tuple[str, ...]
    single: tuple[str, ...]
    squeeze: tuple[str, str]


TIMM = Naming(
    ("conv_stem", "bn1"),
    ("conv_head", "bn2"),
    "classifier",
    "blocks.{stage}.{place}",
    ("conv_pw", "bn1", "conv_dw", "bn2", "conv_pwl", "bn3"),
    ("conv_dw", "bn1", "conv_pw", "bn2"),
    ("conv_exp", "bn1", "conv_pwl", "bn2"),
    ("conv", "bn1"),
    ("se.conv_reduce", "se.conv_expand"),
)
LITE_PACKAGES = Naming(
    ("_conv_stem", "_bn0"),
    ("_conv_head", "_bn1"),
    "_fc",
    "_blocks.{number}",
    ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"),
    ("_depthwise_conv", "_bn1", "_project_conv", "_bn2"),
    (),
    (),
    ("_se_reduce", "_se_expand"),
)


def naming_of(state: Mapping[str, Array]) -> Naming | None:
    """The naming that a state follows; None for any other."""
    for naming in (TIMM, LITE_PACKAGES):
        if f"{naming.stem[0]}.weight" in state:
            return naming
    return None


def layer_weights(state: Mapping[str, Array], spec: VariantSpec, naming: Naming) -> LayerWeights:
    """The weights by the names of our layers, and in our order of axes.

    A layer that is not in the state is left out; what the network does not have keeps its own
    name. Shapes are not looked at.
    """
    left = dict(state)
    found: LayerWeights = {}
    for layer, module in modules(spec, naming):
        parts = [left.pop(f"{module}.{part}", None) for part in _STATISTICS]
        arrays = [array for array in parts if array is not None]
        if arrays:
            found[layer.name] = [_turned(arrays[0], layer.kind), *arrays[1:]]
    return found | {name: [array] for name, array in left.items()}


def modules(spec: VariantSpec, naming: Naming) -> Iterator[tuple[NetworkOperator, str]]:
    """Each layer with weights, and the name of the module that is the same."""
    parts: dict[str, list[NetworkOperator]] = {}
    for operator in operators(spec):
        if operator.kind in _WITH_WEIGHTS:
            parts.setdefault(operator.part, []).append(operator)
    ends = {"stem": naming.stem, "top": naming.top, "predictions": (naming.classifier,)}
    seen: dict[str, int] = {}
    blocks = 0
    for part, layers in parts.items():
        if part in ends:
            yield from zip(layers, ends[part], strict=True)
            continue
        stage = part.rstrip("abcdefghijklmnopqrstuvwxyz")
        place = seen[stage] = seen.get(stage, -1) + 1
        prefix = naming.block.format(stage=len(seen) - 1, place=place, number=blocks)
        blocks += 1
        yield from (
            (layer, f"{prefix}.{module}")
            for layer, module in zip(layers, _of_block(layers, naming), strict=True)
        )


def _of_block(layers: list[NetworkOperator], naming: Naming) -> Iterator[str]:
    squeeze = [layer for layer in layers if "_se_" in layer.name]
    depthwise = any(layer.kind == "depthwise" for layer in layers)
    rows = {6: naming.units, 4: naming.without_expansion if depthwise else naming.fused}
    own = iter(rows.get(len(layers) - len(squeeze), naming.single))
    factors = iter(naming.squeeze)
    for layer in layers:
        yield next(factors if layer in squeeze else own)


def _turned(array: Array, kind: str) -> Array:
    if kind == "conv":
        return array.transpose(2, 3, 1, 0)
    if kind == "depthwise":
        return array.transpose(2, 3, 0, 1)
    return array.T if kind == "dense" else array
