"""What a network costs, from its variant alone: nothing is built.

``exported_operators`` lists the operators of the exported float graph in execution order;
parameters, multiply-adds and peak activation memory follow from that list.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from edge_effnet.architecture.spec import BlockSpec, VariantSpec, network_plan
from edge_effnet.architecture.topology import NetworkOperator, operators


@dataclass(frozen=True)
class ExportedOperator:
    """One operator of the exported graph.

    Attributes:
        name: of the layer in the built network that it stands for; what an activation adds to it
            follows behind a slash.
        part: of the network, see ``topology.NetworkOperator``.
        inputs: names of the operators it reads.
        shape: of its output, (height, width, channels).
        weights, biases: elements stored in the file, after BatchNorm is folded.
        parameters: elements of the Keras layers it stands for, BatchNorm's four per channel
            included; ``frozen`` of them are statistics, which no gradient trains.
        macs: multiply-adds of convolutions and the classifier; elementwise work is not
            counted, as in the papers.
    """

    name: str
    part: str
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
        macs: multiply-adds of convolutions and classifier for one image, as in the B and V2
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


def exported_operators(
    spec: VariantSpec, *, classes: int = 1000, resolution: int | None = None
) -> list[ExportedOperator]:
    """The operators of the float ``.tflite``, in execution order, its input the first.

    BatchNorm is folded into the convolution before it, dropout is gone, ReLU is part of the
    convolution's kernel, and swish is two operators.
    """
    layers = operators(spec, classes=classes, resolution=resolution)
    folded = {layer.inputs[0] for layer in layers if layer.kind == "batch_norm"}
    exported: list[ExportedOperator] = []
    holder: dict[str, str] = {}  # layer -> the exported operator that computes its output
    for layer in layers:
        inputs = tuple([holder[name] for name in layer.inputs])
        if layer.kind not in ("batch_norm", "activation", "dropout", "drop_path"):
            exported.append(_exported(layer, inputs, spec, batch_norm=layer.name in folded))
            inputs = (layer.name,)
        if layer.activation:
            exported += (added := _activation(layer, inputs[0]))
            inputs = (added[-1].name,) if added else inputs
        holder[layer.name] = inputs[0]
    return exported


def _exported(
    layer: NetworkOperator, inputs: tuple[str, ...], spec: VariantSpec, *, batch_norm: bool
) -> ExportedOperator:
    weights, width = layer.weights, layer.channels
    biases = width if layer.bias or batch_norm else 0
    parameters = weights + (4 * width if batch_norm else biases)
    frozen = 2 * width if batch_norm else 0
    if layer.kind == "normalization":
        biases = 3
        parameters = frozen = 7 if spec.normalization.stored else 0  # mean, variance, count
    return ExportedOperator(
        layer.name,
        layer.part,
        inputs,
        layer.shape,
        weights=3 if layer.kind == "normalization" else weights,
        biases=biases,
        parameters=parameters,
        frozen=frozen,
        macs=layer.shape[0] * layer.shape[1] * weights,
    )


def _activation(layer: NetworkOperator, source: str) -> list[ExportedOperator]:
    """What a layer's activation is in the file; nothing where it is fused."""
    name = layer.name if layer.kind == "activation" else f"{layer.name}/{layer.activation}"
    if layer.activation == "swish":
        sigmoid = ExportedOperator(f"{name}/sigmoid", layer.part, (source,), layer.shape)
        return [sigmoid, ExportedOperator(name, layer.part, (source, sigmoid.name), layer.shape)]
    if layer.activation in ("sigmoid", "softmax"):
        return [ExportedOperator(name, layer.part, (source,), layer.shape)]
    return []


def peak_elements(ops: list[ExportedOperator]) -> int:
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
    ops = exported_operators(spec, classes=classes, resolution=resolution)
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
    stages: dict[str, list[BlockSpec]] = {}
    for block in network_plan(spec).blocks:
        number = block.name.removeprefix("block").rstrip("abcdefghijklmnopqrstuvwxyz")
        stages.setdefault(number, []).append(block)
    described = [
        ("image", "normalize", ["image"]),
        ("stem", "Conv 3×3, stride 2", ["stem"]),
        *((number, _describe(own[0]), [b.name for b in own]) for number, own in stages.items()),
        ("head", "Conv 1×1", ["top"]),
        ("pool", "average", ["pool"]),
        ("scores", "Dense, softmax", ["predictions"]),
    ]
    ops = exported_operators(spec, classes=classes)
    shape, rows = ops[0].shape, list[StageRow]()
    for stage, operator, parts in described:
        mine = [op for op in ops if op.part in parts]
        parameters, macs = sum(op.parameters for op in mine), sum(op.macs for op in mine)
        after = mine[-1].shape
        rows.append(StageRow(stage, operator, len(parts), shape, after, parameters, macs))
        shape = after
    return rows


def _describe(block: BlockSpec) -> str:
    ratio = block.width_expanded / block.width_in
    kind = "MBConv" if block.kind == "mbconv" else "Fused-MBConv"
    parts = [f"{kind}{ratio:.3g}", f"{block.kernel}×{block.kernel}"]
    if block.stride != 1:
        parts.append(f"stride {block.stride}")
    if block.width_se:
        parts.append("SE")
    return ", ".join(parts)
