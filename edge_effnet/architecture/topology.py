"""The operators of a network, in execution order: the one place that spells out its blocks.

The Keras network (``edge_effnet.network.build``), the costs (``edge_effnet.architecture.cost``)
and the channel groups of pruning are derived from this list. A new kind of block is one function
here and one row of ``_BLOCKS``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from edge_effnet.architecture.spec import BlockKind, BlockSpec, VariantSpec, network_plan

OperatorKind = Literal[
    "input",
    "normalization",  # of the pixels
    "conv",
    "depthwise",
    "batch_norm",
    "activation",
    "average",  # over the plane, which stays as 1 x 1
    "pool",  # over the plane, to a vector
    "multiply",  # each channel by its factor
    "add",
    "dropout",
    "drop_path",  # stochastic depth: a whole branch at a time
    "dense",
]
Role = Literal["chain", "inner", "squeeze", "head"]


@dataclass(frozen=True)
class NetworkOperator:
    """One layer.

    Attributes:
        name: of the layer, as in ``keras.applications``: ``block2a_expand_conv``.
        part: of the network that it belongs to: ``image``, ``stem``, a block's name, ``top``,
            ``pool``, ``predictions``.
        inputs: names of the operators that it reads.
        shape: of its output, (height, width, channels).
        channels_in: of its first input; 0 for the input itself.
        kernel, stride: of a convolution.
        bias: whether a convolution or dense layer adds one.
        activation: what an activation computes, or a convolution or dense layer applies.
        rate: of ``dropout`` and ``drop_path``.
        role: of the channels that a convolution makes: ``chain`` goes on to the next block,
            ``inner`` stays in its block, ``squeeze`` is squeeze-excite's bottleneck, ``head`` is
            read by the classifier. None where they are factors of channels that exist.
    """

    name: str
    kind: OperatorKind
    part: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    channels_in: int = 0
    kernel: int = 1
    stride: int = 1
    bias: bool = False
    activation: str | None = None
    rate: float = 0.0
    role: Role | None = None

    @property
    def channels(self) -> int:
        return self.shape[2]

    @property
    def weights(self) -> int:
        """Elements of its kernel."""
        if self.kind == "depthwise":
            return self.kernel**2 * self.channels
        if self.kind in ("conv", "dense"):
            return self.kernel**2 * self.channels_in * self.channels
        return 0


def operators(
    spec: VariantSpec, *, classes: int = 1000, resolution: int | None = None
) -> list[NetworkOperator]:
    """The operators of a network, in execution order; ``resolution`` defaults to the variant's."""
    plan, side = network_plan(spec), resolution or spec.resolution
    net = _Assembly(spec)
    x = net.add("pixels", "input", shape=(side, side, 3))
    x = net.add("normalization", "normalization", x)
    net.part = "stem"
    x = net.unit("stem", x, plan.stem_width, role="chain", kernel=3, stride=2)
    for index, block in enumerate(plan.blocks):
        net.part, shortcut = block.name, x
        x = _BLOCKS[block.kind](net, block, x)
        if block.skip:
            # Deeper blocks are dropped more often (arXiv:1603.09382). Keras divides by the blocks
            # counted before depth scaling in its V2 nets; this divides by those that exist.
            rate = spec.drop_connect * index / len(plan.blocks)
            if rate > 0:
                x = net.add(f"{block.name}_drop", "drop_path", x, rate=rate)
            x = net.add(f"{block.name}_add", "add", x, shortcut)
    net.part = "top"
    x = net.unit("top", x, plan.head_width, role="head")
    net.part = "pool"
    x = net.add("avg_pool", "pool", x, shape=(1, 1, plan.head_width))
    net.part = "predictions"
    if spec.dropout > 0:
        x = net.add("top_dropout", "dropout", x, rate=spec.dropout)
    net.add("predictions", "dense", x, shape=(1, 1, classes), bias=True, activation="softmax")
    return net.operators


@dataclass
class _Assembly:
    """The list while it grows."""

    spec: VariantSpec
    part: str = "image"
    operators: list[NetworkOperator] = field(default_factory=list)

    def add(
        self,
        name: str,
        kind: OperatorKind,
        *inputs: NetworkOperator,
        shape: tuple[int, int, int] | None = None,
        **options: Any,
    ) -> NetworkOperator:
        """``shape`` is that of the first input unless given."""
        operator = NetworkOperator(
            name,
            kind,
            self.part,
            tuple(source.name for source in inputs),
            shape or inputs[0].shape,
            inputs[0].channels if inputs else 0,
            **options,
        )
        self.operators.append(operator)
        return operator

    def conv(
        self,
        name: str,
        x: NetworkOperator,
        width: int,
        *,
        stride: int = 1,
        kind: OperatorKind = "conv",
        **options: Any,
    ) -> NetworkOperator:
        rows, columns, _ = x.shape
        shape = (math.ceil(rows / stride), math.ceil(columns / stride), width)
        return self.add(name, kind, x, shape=shape, stride=stride, **options)

    def unit(
        self,
        prefix: str,
        x: NetworkOperator,
        width: int,
        *,
        conv: str = "conv",
        activate: bool = True,
        **options: Any,
    ) -> NetworkOperator:
        """A convolution without bias, its batch normalization, the variant's activation."""
        x = self.conv(f"{prefix}_{conv}", x, width, **options)
        x = self.add(f"{prefix}_bn", "batch_norm", x)
        if activate:
            activation = self.spec.activation
            x = self.add(f"{prefix}_activation", "activation", x, activation=activation)
        return x


def _mbconv(net: _Assembly, block: BlockSpec, x: NetworkOperator) -> NetworkOperator:
    """Inverted residual: expand 1 x 1, filter each channel, squeeze-excite, project 1 x 1.

    Source: arXiv:1801.04381 and arXiv:1905.11946.
    """
    if block.expand:
        x = net.unit(f"{block.name}_expand", x, block.width_expanded, role="inner")
    x = net.unit(
        block.name,
        x,
        block.width_expanded,
        conv=net.spec.dwconv_suffix,
        kind="depthwise",
        kernel=block.kernel,
        stride=block.stride,
    )
    x = _squeeze_excite(net, block, x)
    return net.unit(f"{block.name}_project", x, block.width_out, role="chain", activate=False)


def _fused_mbconv(net: _Assembly, block: BlockSpec, x: NetworkOperator) -> NetworkOperator:
    """Expansion and depthwise filter fused into one full convolution.

    Without an expansion the projection takes over kernel, stride and activation, so that the
    block is a single convolution. Source: arXiv:2104.00298.
    """
    size: dict[str, Any] = {"kernel": block.kernel, "stride": block.stride}
    if block.expand:
        x = net.unit(f"{block.name}_expand", x, block.width_expanded, role="inner", **size)
        size = {}
    x = _squeeze_excite(net, block, x)
    return net.unit(
        f"{block.name}_project",
        x,
        block.width_out,
        role="chain",
        activate=not block.expand,
        **size,
    )


def _squeeze_excite(net: _Assembly, block: BlockSpec, x: NetworkOperator) -> NetworkOperator:
    """Weigh the channels by what a bottleneck makes of their averages (arXiv:1709.01507)."""
    if not block.width_se:
        return x
    prefix = f"{block.name}_se"
    squeezed = net.add(f"{prefix}_squeeze", "average", x, shape=(1, 1, x.channels))
    reduced = net.conv(
        f"{prefix}_reduce",
        squeezed,
        block.width_se,
        bias=True,
        activation=net.spec.activation,
        role="squeeze",
    )
    factors = net.conv(f"{prefix}_expand", reduced, x.channels, bias=True, activation="sigmoid")
    return net.add(f"{prefix}_excite", "multiply", x, factors)


_BLOCKS: dict[BlockKind, Any] = {"mbconv": _mbconv, "fused": _fused_mbconv}
