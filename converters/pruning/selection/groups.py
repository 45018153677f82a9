"""Which channels of a network can only leave together.

A group is one width of the network: its channels, every array that has an axis of them, and so
everything that must be sliced when one of them goes. Two kinds of tie make a group larger than
one layer: a residual addition makes the widths of both summands one, and a depthwise filter (or
the factors of squeeze-excite) has as many channels as it is given. Both are read off the
network's operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from types import MappingProxyType

from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.topology import Role, operators

_BATCH_NORM_ARRAYS = 4  # gamma, beta, mean, variance
_NAMES: dict[Role, str] = {
    "chain": "{part}",
    "inner": "{part}_expand",
    "squeeze": "{part}_se",
    "head": "head",
}


@dataclass(frozen=True)
class ArrayAxis:
    """One axis of one array: ``layer.get_weights()[array]`` along ``axis``."""

    layer: str
    array: int
    axis: int


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that leave together.

    Attributes:
        name: of the layer or block that makes them: ``stem``, ``block2a_expand``,
            ``block2b_se``, ``block2b`` (the last block of a residual chain), ``head``.
        role: ``inner`` of a block, ``chain`` of blocks tied by residual additions (the stem
            among them), ``squeeze`` of squeeze-excite, ``head``.
        width: how many channels it has.
        made: axes of the arrays that make, scale or filter the channels.
        read: input axes of the kernels that read them. Zeros there take the channels'
            contribution away without touching a shape.
    """

    name: str
    role: Role
    width: int
    made: tuple[ArrayAxis, ...]
    read: tuple[ArrayAxis, ...]

    @property
    def axes(self) -> tuple[ArrayAxis, ...]:
        return (*self.made, *self.read)


@dataclass(eq=False)
class _Growing:
    """A group while the operators are walked through; ``maker`` is the part and the role of the
    last convolution that makes its channels, None while there are only factors for others'."""

    maker: tuple[str, Role] | None
    width: int
    made: list[ArrayAxis] = field(default_factory=list)
    read: list[ArrayAxis] = field(default_factory=list)

    def tie(self, other: _Growing) -> None:
        self.maker = other.maker or self.maker
        self.made += other.made
        self.read += other.read


@lru_cache(maxsize=16)
def channel_groups(spec: VariantSpec) -> Mapping[str, ChannelGroup]:
    """Every group of a network by its name, from image to scores."""
    found: list[_Growing] = []
    channels: dict[str, _Growing] = {}  # operator -> the group of its output
    for operator in operators(spec):
        name = operator.name
        before = [channels[source] for source in operator.inputs if source in channels]
        if operator.kind in ("conv", "dense"):
            for group in before:  # the stem reads pixels, which are in none
                group.read.append(ArrayAxis(name, 0, 2 if operator.kind == "conv" else 0))
        if operator.kind == "conv":
            maker = (operator.part, operator.role) if operator.role else None
            group = _Growing(maker, operator.channels)
            group.made.append(ArrayAxis(name, 0, 3))
            if operator.bias:
                group.made.append(ArrayAxis(name, 1, 0))
            found.append(group)
            before = [group]
        elif operator.kind == "depthwise":
            before[0].made.append(ArrayAxis(name, 0, 2))
        elif operator.kind == "batch_norm":
            before[0].made += [ArrayAxis(name, array, 0) for array in range(_BATCH_NORM_ARRAYS)]
        elif operator.kind in ("add", "multiply"):
            first, second = sorted(before, key=found.index)
            first.tie(second)
            found.remove(second)
            channels = {key: first if own is second else own for key, own in channels.items()}
            before = [first]
        if before and operator.kind != "dense":
            channels[name] = before[0]
    groups = {}
    for group in found:
        assert group.maker is not None  # noqa: S101 (factors are tied to what they multiply)
        part, role = group.maker
        name = _NAMES[role].format(part=part)
        groups[name] = ChannelGroup(name, role, group.width, tuple(group.made), tuple(group.read))
    return MappingProxyType(groups)


def narrowed(spec: VariantSpec, widths: Mapping[str, int], name: str | None = None) -> VariantSpec:
    """The variant with other widths: an ordinary one with explicit blocks.

    Args:
        widths: by group; a group that is not named keeps its width.
        name: of the new variant; None keeps the old one.

    Raises:
        UsageProblem: widths that no network can have.
    """
    plan, groups = network_plan(spec), channel_groups(spec)
    by_layer = {axis.layer: group for group in groups.values() for axis in group.made}

    def width(layer: str) -> int:
        group = by_layer[layer]
        return widths.get(group.name, group.width)

    stem = width_in = width("stem_conv")
    blocks = []
    for block in plan.blocks:
        width_out = width(f"{block.name}_project_conv")
        blocks.append(
            replace(
                block,
                width_in=width_in,
                width_expanded=width(f"{block.name}_expand_conv") if block.expand else width_in,
                width_se=width(f"{block.name}_se_reduce") if block.width_se else 0,
                width_out=width_out,
            )
        )
        width_in = width_out
    return replace(
        spec,
        name=name or spec.name,
        stem_width=stem,
        head_width=width("top_conv"),
        blocks=tuple(blocks),
        official_weights=None,
        published=None,
    )
