"""Which channels of a network can only leave together.

A group is one width of the network: its channels, every array that has an axis of them, and
so everything that must be cut when one of them goes. Two kinds of tie make a group larger than
one layer: a residual addition makes the widths of both summands one, and a depthwise filter (or
a squeeze-excite gate) has as many channels as it is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from edge_effnet.architecture.spec import BlockSpec, VariantSpec, network_plan

Role = Literal["inner", "chain", "squeeze", "head"]

_BATCH_NORM_ARRAYS = 4  # gamma, beta, mean, variance


@dataclass(frozen=True)
class Axis:
    """One axis of one array: ``layer.get_weights()[array]`` along ``axis``."""

    layer: str
    array: int
    axis: int


@dataclass(frozen=True)
class Group:
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
    made: tuple[Axis, ...]
    read: tuple[Axis, ...]

    @property
    def axes(self) -> tuple[Axis, ...]:
        return (*self.made, *self.read)


@dataclass
class _Open:
    """A group while the network is walked through."""

    name: str
    role: Role
    width: int
    made: list[Axis] = field(default_factory=list)
    read: list[Axis] = field(default_factory=list)

    def convolution(self, layer: str, *, bias: bool = False) -> None:
        self.made.append(Axis(layer, 0, 3))
        if bias:
            self.made.append(Axis(layer, 1, 0))

    def batch_norm(self, layer: str) -> None:
        self.made += [Axis(layer, array, 0) for array in range(_BATCH_NORM_ARRAYS)]

    def depthwise(self, layer: str) -> None:
        self.made.append(Axis(layer, 0, 2))

    def reader(self, layer: str) -> None:
        self.read.append(Axis(layer, 0, 2))

    def closed(self) -> Group:
        return Group(self.name, self.role, self.width, tuple(self.made), tuple(self.read))


def channel_groups(spec: VariantSpec) -> dict[str, Group]:
    """Every group of a network by its name, from image to scores."""
    plan = network_plan(spec)
    chain = _Open("stem", "chain", plan.stem_width)
    chain.convolution("stem_conv")
    chain.batch_norm("stem_bn")
    found = [chain]
    for block in plan.blocks:
        inner = chain
        if block.expand:
            inner = _Open(f"{block.name}_expand", "inner", block.width_expanded)
            inner.convolution(f"{block.name}_expand_conv")
            inner.batch_norm(f"{block.name}_expand_bn")
            chain.reader(f"{block.name}_expand_conv")
            found.append(inner)
        if block.kind == "mbconv":
            inner.depthwise(f"{block.name}_{spec.dwconv_suffix}")
            inner.batch_norm(f"{block.name}_bn")
        if block.width_se:
            squeeze = _Open(f"{block.name}_se", "squeeze", block.width_se)
            inner.reader(f"{block.name}_se_reduce")
            squeeze.convolution(f"{block.name}_se_reduce", bias=True)
            squeeze.reader(f"{block.name}_se_expand")
            inner.convolution(f"{block.name}_se_expand", bias=True)
            found.append(squeeze)
        inner.reader(f"{block.name}_project_conv")
        if block.skip:
            chain.name = block.name
        else:
            chain = _Open(block.name, "chain", block.width_out)
            found.append(chain)
        chain.convolution(f"{block.name}_project_conv")
        chain.batch_norm(f"{block.name}_project_bn")
    chain.reader("top_conv")
    head = _Open("head", "head", plan.head_width)
    head.convolution("top_conv")
    head.batch_norm("top_bn")
    head.read.append(Axis("predictions", 0, 0))
    return {group.name: group.closed() for group in (*found, head)}


def narrowed(spec: VariantSpec, widths: Mapping[str, int], name: str | None = None) -> VariantSpec:
    """The row with other widths: an ordinary row with explicit blocks.

    Args:
        widths: by group; a group that is not named keeps its width.
        name: of the new row; None keeps the old one.

    Raises:
        UsageProblem: widths that no network can have.
    """
    plan, groups = network_plan(spec), channel_groups(spec)
    by_layer = {axis.layer: group.name for group in groups.values() for axis in group.made}

    def width(layer: str) -> int:
        group = groups[by_layer[layer]]
        return widths.get(group.name, group.width)

    stem = width("stem_conv")
    width_in, blocks = stem, list[BlockSpec]()
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
