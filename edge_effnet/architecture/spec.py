"""What a network is, as data: the types of a variant, and the explicit widths that it comes to.

A variant (``VariantSpec``) holds the stages of its family and the multipliers; ``network_plan``
turns it into explicit widths per block, which is what the builder, the cost model and the
pruner work on. A variant may carry those explicit widths itself (``blocks``), so that a pruned or
hand-made network is an ordinary variant.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from edge_effnet.errors import UsageProblem

BlockKind = Literal["mbconv", "fused"]
Activation = Literal["swish", "relu6", "relu"]
Family = Literal["b", "lite", "edgetpu", "v2"]


@dataclass(frozen=True)
class Normalization:
    """How pixels become the first activation, inside the graph: (pixel / scale - mean) / std.

    Attributes:
        scale: divisor of the 0–255 pixel.
        mean, std: per channel, R G B, in units of the scaled pixel.
        stored: whether mean and variance are weights of the network (the official B files
            carry them; 7 parameters) or constants of the variant.
    """

    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    stored: bool = False

    def __post_init__(self) -> None:
        numbers = (self.scale, *self.mean, *self.std)
        if not all(map(math.isfinite, numbers)) or 0 in (self.scale, *self.std):
            raise UsageProblem(
                "a normalization needs finite numbers and divides by none that is 0",
                found=f"scale {self.scale}, mean {self.mean}, std {self.std}",
                fix="correct the variant's normalization",
            )


@dataclass(frozen=True)
class StageSpec:
    """One line of a paper's architecture table, before any scaling."""

    kind: BlockKind
    repeats: int
    kernel: int
    stride: int
    expand_ratio: int
    width_in: int
    width_out: int
    se_ratio: float = 0.0
    skip: bool = True

    def __post_init__(self) -> None:
        counts = (
            self.repeats,
            self.kernel,
            self.stride,
            self.expand_ratio,
            self.width_in,
            self.width_out,
        )
        if min(counts) < 1 or not 0 <= self.se_ratio <= 1:
            raise UsageProblem(
                "a stage is made of counts from 1 and an SE ratio from 0 to 1",
                found=str(self),
                fix="correct the stage",
            )


_BLOCK_NAME = re.compile(r"block[1-9][0-9]*[a-z]+")


@dataclass(frozen=True)
class BlockSpec:
    """One block with every width explicit.

    Attributes:
        name: as in ``keras.applications``: ``block2a`` is the first block of stage 2.
        width_expanded: channels inside the block; equal to ``width_in`` and without an
            expansion layer where ``expand`` is False.
        width_se: channels of the squeeze; 0 means no squeeze-excite.
        skip: whether the block's input is added to its output.
    """

    name: str
    kind: BlockKind
    kernel: int
    stride: int
    width_in: int
    width_expanded: int
    width_se: int
    width_out: int
    expand: bool
    skip: bool

    def __post_init__(self) -> None:
        if not _BLOCK_NAME.fullmatch(self.name):
            raise UsageProblem(
                f"{self.name!r} is no name of a block",
                expected="block, the number of the stage, a letter: block2a",
                fix="rename the block",
            )
        widths = (self.width_in, self.width_expanded, self.width_out)
        if min(*widths, self.kernel, self.stride) < 1 or self.width_se < 0:
            raise UsageProblem(
                f"{self.name} has a size that no network can have",
                found=f"kernel {self.kernel}, stride {self.stride}, "
                f"channels {' -> '.join(map(str, widths))}, squeeze {self.width_se}",
                expected="1 or more, and 0 or more for the squeeze",
                fix="correct the block",
            )
        if self.skip and (self.stride != 1 or self.width_in != self.width_out):
            raise UsageProblem(
                f"{self.name} cannot have a skip connection",
                found=f"stride {self.stride}, {self.width_in} -> {self.width_out} channels",
                expected="stride 1 and equal widths",
                fix="set its skip to false",
            )
        if not self.expand and self.width_expanded != self.width_in:
            raise UsageProblem(
                f"{self.name} has no expansion layer, so its inner width is its input width",
                found=f"width_expanded {self.width_expanded}, width_in {self.width_in}",
                fix="set expand to true or make the widths equal",
            )


@dataclass(frozen=True)
class Published:
    """Figures the authors published, for orientation.

    Attributes:
        top1, int8_top1: ImageNet validation, percent.
        macs_millions: multiply-adds, counted as the authors counted (see cost.Cost).
    """

    top1: float
    int8_top1: float | None = None
    macs_millions: float | None = None


@dataclass(frozen=True)
class VariantSpec:
    """A network, completely described.

    Attributes:
        width, depth: multipliers of the family's channels and repeats.
        resolution: side of the square input in pixels.
        dropout: rate before the classifier; drop_connect: stochastic depth of the last block.
        stem_width, head_width: before scaling; Lite keeps them (``fixed_ends``), together
            with the repeats of the first and the last stage.
        round_up_below: a rounded width below this share of the exact one goes up by one
            divisor (0.9 in B0–B7, absent in V2).
        dwconv_suffix: ``dwconv`` in B and Lite, ``dwconv2`` in V2: part of the layer names.
        blocks, when given, overrides stages, width and depth.
    """

    name: str
    family: Family
    stages: tuple[StageSpec, ...]
    width: float
    depth: float
    resolution: int
    dropout: float
    activation: Activation
    normalization: Normalization
    stem_width: int
    head_width: int = 1280
    drop_connect: float = 0.2
    divisor: int = 8
    round_up_below: float = 0.9
    fixed_ends: bool = False
    batch_norm_momentum: float = 0.99
    dwconv_suffix: str = "dwconv"
    official_weights: str | None = None
    published: Published | None = None
    blocks: tuple[BlockSpec, ...] | None = None

    def __post_init__(self) -> None:
        multipliers, rates = (self.width, self.depth), (self.dropout, self.drop_connect)
        counts = (self.resolution, self.stem_width, self.head_width, self.divisor)
        if (
            not all(0 < value < math.inf for value in multipliers)
            or not all(0 <= rate < 1 for rate in rates)
            or min(counts) < 1
            or not (self.stages if self.blocks is None else self.blocks)
        ):
            raise UsageProblem(
                f"{self.name} has a value that no network can have",
                found=f"width {self.width}, depth {self.depth}, resolution {self.resolution}, "
                f"dropout {self.dropout}, drop_connect {self.drop_connect}, stem_width "
                f"{self.stem_width}, head_width {self.head_width}, divisor {self.divisor}, "
                f"{len(self.stages)} stages",
                expected="positive numbers, rates from 0 to below 1, and at least one stage",
                fix="correct the variant",
            )
        width = self.stem_width
        for block in self.blocks or ():
            if block.width_in != width:
                raise UsageProblem(
                    f"{self.name}: {block.name} does not fit what is before it",
                    found=f"width_in {block.width_in}",
                    expected=str(width),
                    fix="make each block's width_in the width_out before it (or stem_width)",
                )
            width = block.width_out
        names = [block.name for block in self.blocks or ()]
        if len(set(names)) < len(names):
            raise UsageProblem(
                f"{self.name} has two blocks of one name",
                found=", ".join(names),
                fix="rename one, since weights are found by name",
            )


@dataclass(frozen=True)
class NetworkPlan:
    """What is really built: every width, in order."""

    stem_width: int
    blocks: tuple[BlockSpec, ...]
    head_width: int


def round_width(width: float, divisor: int = 8, round_up_below: float = 0.9) -> int:
    """Round a channel count to a multiple of ``divisor``, never losing more than
    ``1 - round_up_below`` of it.

    Source: ``round_filters`` of the reference implementation (tensorflow/tpu).

    >>> round_width(32 * 1.1), round_width(16 * 1.1)
    (32, 16)
    """
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < round_up_below * width else rounded


def round_repeats(repeats: float) -> int:
    """Round a number of blocks up, as published (``round_repeats``)."""
    return math.ceil(repeats)


def block_letter(index: int) -> str:
    """``a`` … ``z``, then ``aa``, ``ab`` … for stages deeper than any published one."""
    head, tail = divmod(index, 26)
    return (chr(96 + head) if head else "") + chr(97 + tail)


def network_plan(spec: VariantSpec) -> NetworkPlan:
    """Expand a variant into explicit blocks."""
    if spec.blocks is not None:
        return NetworkPlan(spec.stem_width, spec.blocks, spec.head_width)

    def scaled(width: int) -> int:
        return round_width(width * spec.width, spec.divisor, spec.round_up_below)

    stem = spec.stem_width if spec.fixed_ends else scaled(spec.stem_width)
    head = spec.head_width if spec.fixed_ends else scaled(spec.head_width)
    blocks: list[BlockSpec] = []
    width_in = stem
    for number, stage in enumerate(spec.stages, start=1):
        fixed = spec.fixed_ends and number in (1, len(spec.stages))
        repeats = stage.repeats if fixed else round_repeats(stage.repeats * spec.depth)
        width_out = scaled(stage.width_out)
        for index in range(repeats):
            stride = stage.stride if index == 0 else 1
            # The EdgeTPU variants declare 24 channels into stage 1 while the stem gives 32; the
            # reference implementation sizes the expansion and the squeeze by what is declared.
            declared = scaled(stage.width_in) if index == 0 else width_in
            expand = stage.expand_ratio != 1
            blocks.append(
                BlockSpec(
                    name=f"block{number}{block_letter(index)}",
                    kind=stage.kind,
                    kernel=stage.kernel,
                    stride=stride,
                    width_in=width_in,
                    width_expanded=declared * stage.expand_ratio if expand else width_in,
                    width_se=max(1, int(declared * stage.se_ratio)) if stage.se_ratio else 0,
                    width_out=width_out,
                    expand=expand,
                    skip=stage.skip and stride == 1 and width_in == width_out,
                )
            )
            width_in = width_out
    return NetworkPlan(stem, tuple(blocks), head)
