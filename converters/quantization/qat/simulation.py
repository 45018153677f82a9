"""The int8 file as a Keras model: the same tensors, the same rounding, but with gradients.

Everything trainable is a deviation from where training starts, in units that mean the same in
every layer: kernels in steps of their own int8 grid, biases in steps of the layer's output,
the ends of ranges by their logarithm. So one learning rate fits all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.calibration.ranges import Ranges
from converters.quantization.qat.config import QatConfig
from converters.quantization.qat.fake_quant import (
    KERNEL_MAX,
    STEPS,
    keras,
    ops,
    quantize_activation,
    quantize_fixed,
    whole_steps,
)
from converters.quantization.recipes import RECIPES, QuantRecipe
from converters.quantization.requantization import settle_product_scales
from converters.tflite_graph.graph import LAYERS, SAME_SCALE, FloatGraph, Node, Weights
from edge_effnet.arrays import Float32Array

# Of LOGISTIC, by the runtime's rule: scale 1/256, zero point -128.
SIGMOID_RANGE = (0.0, 255 / 256)
# As in the quantizer: a channel of zeros has a step all the same.
_SMALLEST_BOUND = 1e-9


class Rounded(keras.layers.Layer):  # type: ignore[misc]
    """Rounds an activation to int8 between two ends.

    Args:
        rate: how far an end moves, as a share of itself, for each unit of its variable; 0 for
            a range that stays.
    """

    def __init__(self, low: float, high: float, rate: float, **more: Any) -> None:
        super().__init__(**more)
        self._start, self._rate = (min(low, 0.0), max(high, 0.0)), rate
        self.moves = (
            self.add_weight(shape=(2,), initializer="zeros", name="range") if rate else None
        )

    def call(self, x: Any) -> Any:
        if self.moves is None:
            return quantize_fixed(x, *self._start)
        return quantize_activation(x, *self.ends())

    def ends(self) -> tuple[Any, Any]:
        """Where the range is now: scalars that training can differentiate."""
        if self.moves is None:
            return self._start
        low, high = (
            end * ops.exp(self._rate * self.moves[index]) for index, end in enumerate(self._start)
        )
        return low, high

    def step(self) -> Any:
        """What one step of its int8 values is worth."""
        low, high = self.ends()
        return (high - low) / STEPS


class Folded(keras.layers.Layer):  # type: ignore[misc]
    """A convolution or dense layer with an int8 kernel, as the file has it.

    The largest weight of each scale stays, and with it the scale, so that trained
    kernels lie on the grid that the quantizer will choose.

    Args:
        input_step: answers with the int8 step of the layer's input as it is now; a bias has
            the scale of the products, input step times kernel step.
        output_step: int8 step of the layer's output at the start.
        per_channel: whether each output channel has a scale of its own.
        trained: whether its weights may move.
    """

    def __init__(
        self,
        node: Node,
        weights: Weights,
        input_step: Callable[[], Any],
        output_step: float,
        config: QatConfig,
        *,
        per_channel: bool,
        trained: bool,
        **more: Any,
    ) -> None:
        super().__init__(**more)
        self._node, self._input_step = node, input_step
        self._bias_unit = config.bias_rate * output_step
        kernel = weights.kernel
        bound = np.abs(kernel).max(axis=tuple(range(kernel.ndim - 1)) if per_channel else None)
        step = np.maximum(bound, np.float32(_SMALLEST_BOUND)) / np.float32(KERNEL_MAX)
        self._step = step
        self._kernel = self._constant(kernel, "start_kernel")
        self._bias = self._constant(weights.bias, "start_bias")
        self._kernel_unit = self._constant(
            config.kernel_rate * step * (np.abs(kernel) < bound), "kernel_unit"
        )
        self.kernel_moves = self._variable(kernel, "kernel", trained and config.kernel_rate > 0)
        self.bias_moves = self._variable(weights.bias, "bias", trained and config.bias_rate > 0)

    def _constant(self, values: Float32Array, name: str) -> Any:
        variable = self.add_weight(shape=values.shape, name=name, trainable=False)
        variable.assign(values)
        return variable

    def _variable(self, like: Float32Array, name: str, trained: bool) -> Any:
        return self.add_weight(shape=like.shape, initializer="zeros", name=name) if trained else 0.0

    def _kernel_steps(self) -> Any:
        moved = self._kernel + self._kernel_unit * self.kernel_moves
        return whole_steps(moved, self._step, KERNEL_MAX)

    def _bias_steps(self, unit: Any) -> Any:
        return whole_steps(self._bias + self._bias_unit * self.bias_moves, unit)

    def _unit(self) -> Any:
        """What one step of the sum of products is worth, for each channel."""
        return ops.stop_gradient(self._input_step()) * self._step

    def stored(self) -> Weights:
        """Kernel and bias as the file will hold them, in real units."""
        kernel, unit = self._kernel_steps() * self._step, self._unit()
        bias = self._bias_steps(unit) * unit
        return Weights(
            *(np.asarray(ops.convert_to_numpy(values), np.float32) for values in (kernel, bias))
        )

    def call(self, x: Any) -> Any:
        # In whole steps, as the file computes: sums of integers are exact in float32 up to
        # 2^24, sums of real numbers are not, and what rounds the other way in one layer is
        # carried through all behind it.
        x = whole_steps(x, ops.stop_gradient(self._input_step()))
        node, kernel, unit = self._node, self._kernel_steps(), self._unit()
        if node.kind == "FULLY_CONNECTED":
            y = ops.matmul(ops.reshape(x, (-1, kernel.shape[0])), kernel)
        elif node.kind == "CONV_2D":
            y = ops.conv(x, kernel, node.strides, node.padding, dilation_rate=node.dilation)
        else:
            rows, columns, outputs = kernel.shape
            kernel = ops.reshape(kernel, (rows, columns, x.shape[-1], outputs // x.shape[-1]))
            y = ops.depthwise_conv(
                x, kernel, node.strides, node.padding, dilation_rate=node.dilation
            )
        return _activate((y + self._bias_steps(unit)) * unit, node)


class Operation(keras.layers.Layer):  # type: ignore[misc]
    """Any operator without weights.

    Args:
        constants: its inputs that are no activations, by place.
    """

    def __init__(self, node: Node, constants: Mapping[int, Float32Array], **more: Any) -> None:
        super().__init__(**more)
        self._node = node
        self._rounded_constants = {p: _rounded_constant(v) for p, v in constants.items()}

    def call(self, inputs: list[Any]) -> Any:
        given = list(inputs)
        for index, constant in self._rounded_constants.items():
            given.insert(index, ops.convert_to_tensor(constant))
        return _compute(self._node, given)


@dataclass(frozen=True)
class Simulation:
    """The model and its parts.

    Attributes:
        model: real-valued images, batch x height x width x 3, to logits, batch x classes.
        rounded, folded: its layers by the name of the tensor they make.
    """

    model: Any
    rounded: Mapping[str, Rounded]
    folded: Mapping[str, Folded]

    def ranges(self) -> Ranges:
        """Where the ranges are now."""
        return {
            name: (float(low), float(high))
            for name, (low, high) in ((name, layer.ends()) for name, layer in self.rounded.items())
        }

    def weights(self) -> dict[str, Weights]:
        """Kernels on their int8 grid and biases, as ``graph.write_weights`` takes them."""
        return {name: layer.stored() for name, layer in self.folded.items()}


def simulate(
    graph: FloatGraph, ranges: Ranges, config: QatConfig, recipe: QuantRecipe = RECIPES["int8"]
) -> Simulation:
    """Build the model of the file that the quantizer would make with these ranges.

    Args:
        recipe: full integer.

    The ranges of input and logits, which may not clip, and of normalized pixels, which are
    known exactly, stay; so do those that the runtime prescribes.
    """
    ranges = settle_product_scales([(n.kind, n.inputs, n.output) for n in graph.nodes], ranges)
    source = keras.Input(graph.shape[1:], name="images")
    rounded: dict[str, Rounded] = {}
    folded: dict[str, Folded] = {}
    stays = graph.exact | {graph.source, graph.logits}

    def round_to_int8(x: Any, name: str, kind: str, index: int) -> Any:
        ends = SIGMOID_RANGE if kind == "LOGISTIC" else ranges[name]
        rate = 0.0 if kind == "LOGISTIC" or name in stays else config.range_rate
        rounded[name] = Rounded(*ends, rate, name=f"rounded_{index}")
        return rounded[name](x)

    values = {graph.source: round_to_int8(source, graph.source, "input", 0)}
    scaled_by = {graph.source: graph.source}  # RESHAPE and PAD keep their input's scale
    for index, node in enumerate(graph.nodes, start=1):
        name, given = node.output, node.inputs[0]
        scaled_by[name] = scaled_by[given] if node.kind in SAME_SCALE else name
        if node.kind in LAYERS:
            low, high = ranges[name]
            folded[name] = Folded(
                node,
                graph.layers[name],
                rounded[scaled_by[given]].step,
                (max(high, 0) - min(low, 0)) / STEPS,
                config,
                per_channel=node.kind != "FULLY_CONNECTED" or recipe.dense_scales == "channel",
                trained=name not in graph.exact,
                name=f"folded_{index}",
            )
            y = folded[name](values[given])
        else:
            constants = {
                position: graph.constants[read]
                for position, read in enumerate(node.inputs)
                if read in graph.constants
            }
            moving = [values[read] for read in node.inputs if read in values]
            y = Operation(node, constants, name=f"operation_{index}")(moving)
        if node.kind not in SAME_SCALE:
            y = round_to_int8(y, name, node.kind, index)
        values[name] = y
    return Simulation(keras.Model(source, values[graph.logits]), rounded, folded)


def _compute(node: Node, inputs: list[Any]) -> Any:
    if node.kind in {"ADD", "MUL", "SUB"}:
        combine = {"ADD": ops.add, "MUL": ops.multiply, "SUB": ops.subtract}[node.kind]
        return _activate(combine(*inputs), node)
    x = inputs[0]
    if node.kind == "MEAN":
        return ops.mean(x, axis=node.axes, keepdims=node.keep_dims)
    if node.kind == "LOGISTIC":
        return ops.sigmoid(x)
    if node.kind == "RESHAPE":
        return ops.reshape(x, (-1, *node.shape[1:]))
    if node.kind == "PAD":
        return ops.pad(x, node.paddings)
    return ops.relu(x) if node.kind == "RELU" else ops.relu6(x)


def _activate(y: Any, node: Node) -> Any:
    return {"linear": lambda x: x, "relu": ops.relu, "relu6": ops.relu6}[node.activation](y)


def _rounded_constant(values: Float32Array) -> Float32Array:
    """As the quantizer rounds a constant operand: by its own extremes."""
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    step = max(high - low, _SMALLEST_BOUND) / STEPS
    return np.asarray(np.rint(values / step) * step, np.float32)
