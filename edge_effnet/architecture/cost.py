"""What a network costs, from its row alone: nothing is built.

``trace`` lists the operators of the exported float graph in execution order; parameters,
multiply-adds and peak activation memory follow from that list.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from edge_effnet.architecture.spec import BlockSpec, NetworkPlan, VariantSpec, network_plan


@dataclass(frozen=True)
class Op:
    """One operator of the exported graph.

    Attributes:
        name: layer name, as in the built network.
        inputs: names of the operators it reads.
        shape: of its output, (height, width, channels).
        weights, biases: elements stored in the file, after BatchNorm is folded.
        parameters: elements of the Keras layers it stands for, BatchNorm's four per channel
            included; ``frozen`` of them are statistics, which no gradient trains.
        macs: multiply-adds of convolutions and the classifier; elementwise work is not
            counted, as in the papers.
    """

    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, int, int]
    weights: int = 0
    biases: int = 0
    parameters: int = 0
    frozen: int = 0
    macs: int = 0

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class Cost:
    """Totals of a network.

    Attributes:
        parameters: as Keras counts them, BatchNorm statistics included.
        trainable: without the statistics; what the papers mostly quote.
        macs: multiply-adds of convolutions and classifier for one picture, as in the B and V2
            papers.
        macs_and_elementwise: three more for each convolution output (BatchNorm's multiply and
            add, the activation): how the published Lite figures were counted.
        peak_activations: most activation elements alive at once, in bytes of an int8 model;
            four times as many in float.
        float_bytes, int8_bytes: estimated file sizes.
    """

    parameters: int
    trainable: int
    macs: int
    macs_and_elementwise: int
    peak_activations: int
    float_bytes: int
    int8_bytes: int


@dataclass
class _Graph:
    activation: str
    ops: list[Op] = field(default_factory=list)

    def add(self, op: Op) -> Op:
        self.ops.append(op)
        return op

    def conv(
        self,
        name: str,
        source: Op,
        width: int,
        *,
        kernel: int = 1,
        stride: int = 1,
        depthwise: bool = False,
        batch_norm: bool = True,
    ) -> Op:
        rows, columns, width_in = source.shape
        shape = (math.ceil(rows / stride), math.ceil(columns / stride), width)
        weights = kernel * kernel * width * (1 if depthwise else width_in)
        return self.add(
            Op(
                name,
                (source.name,),
                shape,
                weights=weights,
                biases=width,
                parameters=weights + (4 * width if batch_norm else width),
                frozen=2 * width if batch_norm else 0,
                macs=shape[0] * shape[1] * weights,
            )
        )

    def activate(self, name: str, source: Op) -> Op:
        if self.activation != "swish":
            return source  # ReLU and ReLU6 are part of the convolution's kernel
        gate = self.add(Op(f"{name}/sigmoid", (source.name,), source.shape))
        return self.add(Op(name, (source.name, gate.name), source.shape))


def trace(spec: VariantSpec, *, classes: int = 1000, resolution: int | None = None) -> list[Op]:
    """The operators of a network, in execution order.

    ``resolution`` defaults to the row's. ReLU is fused, swish is two operators, the pixel
    normalization one; that is how the exported file looks.
    """
    plan: NetworkPlan = network_plan(spec)
    side = resolution or spec.resolution
    graph = _Graph(spec.activation)
    image = graph.add(Op("input", (), (side, side, 3)))
    x = graph.add(
        Op(
            "normalization",
            (image.name,),
            image.shape,
            weights=3,
            biases=3,
            parameters=7 if spec.normalization.stored else 0,  # mean, variance, count
            frozen=7 if spec.normalization.stored else 0,
        )
    )
    x = graph.conv("stem_conv", x, plan.stem_width, kernel=3, stride=2)
    x = graph.activate("stem_activation", x)
    for block in plan.blocks:
        x = _trace_block(graph, block, x)
    x = graph.conv("top_conv", x, plan.head_width)
    x = graph.activate("top_activation", x)
    x = graph.add(Op("avg_pool", (x.name,), (1, 1, plan.head_width)))
    x = graph.conv("predictions", x, classes, batch_norm=False)
    graph.add(Op("softmax", (x.name,), x.shape))
    return graph.ops


def _trace_block(graph: _Graph, block: BlockSpec, source: Op) -> Op:
    name, x = block.name, source
    if block.kind == "fused":
        if block.expand:
            x = graph.conv(
                f"{name}_expand_conv",
                x,
                block.width_expanded,
                kernel=block.kernel,
                stride=block.stride,
            )
            x = graph.activate(f"{name}_expand_activation", x)
    else:
        if block.expand:
            x = graph.conv(f"{name}_expand_conv", x, block.width_expanded)
            x = graph.activate(f"{name}_expand_activation", x)
        x = graph.conv(
            f"{name}_dwconv",
            x,
            block.width_expanded,
            kernel=block.kernel,
            stride=block.stride,
            depthwise=True,
        )
        x = graph.activate(f"{name}_activation", x)
    if block.width_se:
        x = _trace_squeeze_excite(graph, block, x)
    if block.kind == "fused" and not block.expand:
        x = graph.conv(
            f"{name}_project_conv", x, block.width_out, kernel=block.kernel, stride=block.stride
        )
        x = graph.activate(f"{name}_project_activation", x)
    else:
        x = graph.conv(f"{name}_project_conv", x, block.width_out)
    if block.skip:
        x = graph.add(Op(f"{name}_add", (x.name, source.name), x.shape))
    return x


def _trace_squeeze_excite(graph: _Graph, block: BlockSpec, x: Op) -> Op:
    name, width = block.name, x.shape[2]
    squeeze = graph.add(Op(f"{name}_se_squeeze", (x.name,), (1, 1, width)))
    reduced = graph.conv(f"{name}_se_reduce", squeeze, block.width_se, batch_norm=False)
    reduced = graph.activate(f"{name}_se_reduce/activation", reduced)
    expanded = graph.conv(f"{name}_se_expand", reduced, width, batch_norm=False)
    gate = graph.add(Op(f"{name}_se_expand/sigmoid", (expanded.name,), expanded.shape))
    return graph.add(Op(f"{name}_se_excite", (x.name, gate.name), x.shape))


def peak_elements(ops: list[Op]) -> int:
    """Most activation elements alive at once when the operators run in order: an operator's
    inputs, its output, and whatever a later operator still reads."""
    last_use = {name: index for index, op in enumerate(ops) for name in op.inputs}
    sizes = {op.name: op.elements for op in ops}
    alive, peak = 0, 0
    for index, op in enumerate(ops):
        alive += op.elements
        peak = max(peak, alive)
        alive -= sum(sizes[name] for name in set(op.inputs) if last_use[name] == index)
    return peak


# Bytes around the weights. Tables of an operator and its tensors: fitted on B0 and V2-B0 with
# trained weights (both files within 0.1 %; tests hold the estimate to 3 %). An int8 channel has
# a float32 scale, once for its weights and once for its bias. Zero points are int64, and all
# layers of one width share theirs.
_FLOAT_BYTES_PER_OP, _INT8_BYTES_PER_OP = 362, 411
_SCALE_BYTES_PER_CHANNEL, _ZERO_POINT_BYTES = 8, 8


def cost(spec: VariantSpec, *, classes: int = 1000, resolution: int | None = None) -> Cost:
    """Count a network's parameters, multiply-adds, memory and file sizes."""
    ops = trace(spec, classes=classes, resolution=resolution)
    weights, biases = sum(op.weights for op in ops), sum(op.biases for op in ops)
    parameters, macs = sum(op.parameters for op in ops), sum(op.macs for op in ops)
    zero_points = _ZERO_POINT_BYTES * sum({op.biases for op in ops})
    int8_bytes = weights + (4 + _SCALE_BYTES_PER_CHANNEL) * biases + zero_points
    return Cost(
        parameters=parameters,
        trainable=parameters - sum(op.frozen for op in ops),
        macs=macs,
        macs_and_elementwise=macs + 3 * sum(op.elements for op in ops if op.macs),
        peak_activations=peak_elements(ops),
        float_bytes=4 * (weights + biases) + _FLOAT_BYTES_PER_OP * len(ops),
        int8_bytes=int8_bytes + _INT8_BYTES_PER_OP * len(ops),
    )


@dataclass(frozen=True)
class StageRow:
    """One line of the stage table (the paper's Table 1, with costs)."""

    stage: str
    operator: str
    layers: int
    shape_in: tuple[int, int, int]
    shape_out: tuple[int, int, int]
    parameters: int
    macs: int


def stage_table(spec: VariantSpec, *, classes: int = 1000) -> list[StageRow]:
    """The network stage by stage, from image to scores."""
    plan, ops = network_plan(spec), trace(spec, classes=classes)
    rows: list[StageRow] = []
    shape = ops[0].shape

    def row(stage: str, operator: str, layers: int, *prefixes: str) -> StageRow:
        nonlocal shape
        mine = [op for op in ops if op.name.startswith(prefixes)]
        before, shape = shape, mine[-1].shape
        return StageRow(
            stage,
            operator,
            layers,
            before,
            shape,
            sum(op.parameters for op in mine),
            sum(op.macs for op in mine),
        )

    rows.append(row("image", "normalize", 1, "input", "normalization"))
    rows.append(row("stem", "Conv 3×3, stride 2", 1, "stem_"))
    for number, blocks in _stages(plan):
        prefixes = (f"{block.name}_" for block in blocks)
        rows.append(row(str(number), _describe(blocks[0]), len(blocks), *prefixes))
    rows.append(row("head", "Conv 1×1", 1, "top_"))
    rows.append(row("pool", "average", 1, "avg_pool"))
    rows.append(row("scores", "Dense, softmax", 1, "predictions", "softmax"))
    return rows


def _stages(plan: NetworkPlan) -> Iterator[tuple[int, list[BlockSpec]]]:
    stages: dict[int, list[BlockSpec]] = {}
    for block in plan.blocks:
        number = int(block.name.removeprefix("block").rstrip("abcdefghijklmnopqrstuvwxyz"))
        stages.setdefault(number, []).append(block)
    yield from stages.items()


def _describe(block: BlockSpec) -> str:
    ratio = block.width_expanded / block.width_in
    kind = "MBConv" if block.kind == "mbconv" else "Fused-MBConv"
    parts = [f"{kind}{ratio:.3g}", f"{block.kernel}×{block.kernel}"]
    if block.stride != 1:
        parts.append(f"stride {block.stride}")
    if block.width_se:
        parts.append("SE")
    return ", ".join(parts)
