"""Plain TensorFlow functions between the layers of Keras 2's networks, as Keras 3's operations.

``x / 127.5`` and ``tf.nn.relu(x)`` become a ``TFOpLambda`` layer that names the function
(TensorFlow 2.4 and later) or a ``TensorFlowOpLayer`` that holds its node (up to 2.3). Only the
functions of these tables are known; what is written here is data, and nothing of a file is run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from converters.float_model.keras_files.config.layer_classes import operation_module
from converters.float_model.keras_files.config.nodes import is_tensor

Layer = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """A function of TensorFlow.

    Attributes:
        operation: of Keras 3 that computes the same; ``Identity`` and ``Resizing`` are layers.
        inputs: its parameters that are tensors or constants, in order.
        settings: its other parameters, and what the operation calls them.
        defaults: of the operation, where TensorFlow's differ from Keras's.
    """

    operation: str
    inputs: tuple[str, ...] = ("x",)
    settings: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()


_TWO = ("x", "y")
_FEATURES = ("features",)
_REDUCE = (("axis", "axis"), ("keepdims", "keepdims"))

FUNCTIONS: dict[str, Known] = {
    **dict.fromkeys(("__operators__.add", "math.add", "add"), Known("Add", _TWO)),
    **dict.fromkeys(("__operators__.sub", "math.subtract", "subtract"), Known("Subtract", _TWO)),
    **dict.fromkeys(("__operators__.mul", "math.multiply", "multiply"), Known("Multiply", _TWO)),
    **dict.fromkeys(
        ("__operators__.truediv", "math.truediv", "math.divide", "truediv", "divide", "realdiv"),
        Known("TrueDivide", _TWO),
    ),
    "math.scalar_mul": Known("Multiply", ("scalar", "x")),
    "math.maximum": Known("Maximum", _TWO),
    "maximum": Known("Maximum", _TWO),
    "math.minimum": Known("Minimum", _TWO),
    "minimum": Known("Minimum", _TWO),
    "nn.bias_add": Known("Add", ("value", "bias")),
    "math.negative": Known("Negative"),
    "math.abs": Known("Abs"),
    "math.square": Known("Square"),
    "math.sqrt": Known("Sqrt"),
    "nn.relu": Known("Relu", _FEATURES),
    "nn.relu6": Known("Relu6", _FEATURES),
    "nn.leaky_relu": Known("LeakyRelu", _FEATURES, (("alpha", "negative_slope"),)),
    "nn.elu": Known("Elu", _FEATURES),
    "nn.selu": Known("Selu", _FEATURES),
    "nn.gelu": Known(
        "Gelu", _FEATURES, (("approximate", "approximate"),), (("approximate", False),)
    ),
    **dict.fromkeys(("nn.silu", "nn.swish"), Known("Silu", _FEATURES)),
    **dict.fromkeys(("math.sigmoid", "nn.sigmoid", "sigmoid"), Known("Sigmoid")),
    **dict.fromkeys(("math.tanh", "nn.tanh", "tanh"), Known("Tanh")),
    **dict.fromkeys(("math.softplus", "nn.softplus"), Known("Softplus", _FEATURES)),
    "nn.softmax": Known("Softmax", ("logits",), (("axis", "axis"),)),
    "concat": Known("Concatenate", ("values",), (("axis", "axis"),)),
    "reshape": Known("Reshape", ("tensor",), (("shape", "newshape"),)),
    "transpose": Known("Transpose", ("a",), (("perm", "axes"),)),
    "squeeze": Known("Squeeze", ("input",), (("axis", "axis"),)),
    "expand_dims": Known("ExpandDims", ("input",), (("axis", "axis"),)),
    "clip_by_value": Known(
        "Clip", ("t",), (("clip_value_min", "x_min"), ("clip_value_max", "x_max"))
    ),
    **dict.fromkeys(("math.reduce_mean", "reduce_mean"), Known("Mean", ("input_tensor",), _REDUCE)),
    **dict.fromkeys(("math.reduce_max", "reduce_max"), Known("Max", ("input_tensor",), _REDUCE)),
    **dict.fromkeys(("math.reduce_sum", "reduce_sum"), Known("Sum", ("input_tensor",), _REDUCE)),
    "cast": Known("Identity", settings=(("dtype", "dtype"),)),
    "identity": Known("Identity", ("input",)),
    "stop_gradient": Known("Identity", ("input",)),
    "image.resize": Known(
        "Resizing",
        ("images",),
        (("size", "size"), ("method", "method"), ("antialias", "antialias")),
    ),
}
"""By the name in ``TFOpLambda``'s ``function``; arguments as TensorFlow names them."""

NODES = {
    "RealDiv": "realdiv", "AddV2": "add", "Add": "add", "Sub": "subtract", "Mul": "multiply",
    "BiasAdd": "nn.bias_add", "Relu": "nn.relu", "Relu6": "nn.relu6", "Sigmoid": "sigmoid",
    "Tanh": "tanh", "Maximum": "maximum", "Minimum": "minimum", "Cast": "cast",
    "Identity": "identity", "StopGradient": "stop_gradient",
}  # fmt: skip
"""By the ``op`` of ``TensorFlowOpLayer``'s node."""

_DATA_TYPES = {1: "DT_FLOAT", 14: "DT_BFLOAT16", 19: "DT_HALF"}  # TensorFlow's numbers


def known_function(layer: Layer) -> Known | None:
    """What a layer of TensorFlow's functions computes; None where it is not in the tables."""
    config = layer["config"]
    if layer["class_name"] == "TFOpLambda":
        return FUNCTIONS.get(str(config.get("function")))
    if layer["class_name"] == "TensorFlowOpLayer":
        return FUNCTIONS.get(NODES.get(str(_node(config).get("op")), ""))
    return None


def as_operation(layer: Layer) -> Layer:
    """A layer of a known function as Keras 3's operation; its node in Keras 3's form already.

    Raises:
        ValueError: it is called in a way that is not known.
    """
    known = known_function(layer)
    if known is None:
        raise ValueError(f"the function of {layer['name']} is not known")
    node = layer["inbound_nodes"][0]
    if layer["class_name"] == "TensorFlowOpLayer":
        node = _with_constants(node, layer["config"].get("constants", {}))
        if known.operation == "Identity":
            made = _node(layer["config"]).get("attr", {}).get("DstT", {}).get("type", "float32")
            node["kwargs"]["dtype"] = _DATA_TYPES.get(made, made)
    given = dict(node["kwargs"])
    arguments = [*node["args"], *(given.pop(n) for n in known.inputs if n in given)]
    if len(arguments) != len(known.inputs):
        raise ValueError(f"{layer['name']} is called with {len(arguments)} inputs")
    told = {new: given.pop(old, None) for old, new in known.settings}
    odd = sorted(name for name, value in given.items() if not _idle(value))
    if odd:
        raise ValueError(f"{layer['name']} is called with {', '.join(odd)}")
    settings = dict(known.defaults)
    settings |= {name: value for name, value in told.items() if value is not None}
    return _built(str(layer["name"]), known.operation, arguments, settings)


def _idle(value: Any) -> bool:
    """Whether a parameter that is given says what holds without it."""
    return value is None or value is False or value == "NHWC"


def _built(name: str, operation: str, arguments: list[Any], settings: dict[str, Any]) -> Layer:
    if operation == "Identity":
        refuse_integers(name, settings.get("dtype", "float32"))
        return _layer("Identity", name, {}, arguments[:1])
    if operation == "Resizing":
        method = str(settings.get("method", "bilinear")).lower()
        height, width = settings["size"]
        config = {"height": height, "width": width, "interpolation": method.rpartition(".")[2]}
        config["antialias"] = bool(settings.get("antialias", False))
        return _layer("Resizing", name, config, arguments)
    if operation == "Reshape":  # a batch that is open or fixed: the first dimension is its own
        shape = [-1, *settings["newshape"][1:]]
        open_more = shape[0] == -1 and -1 in shape[1:]
        settings = {"newshape": [1, *shape[1:]] if open_more else shape}
    constants = [argument if _holds_tensor(argument) else array(argument) for argument in arguments]
    return {
        "class_name": operation,
        "module": operation_module(operation),
        "registered_name": None,
        "config": {"name": name, **settings},
        "name": name,
        "inbound_nodes": [{"args": constants, "kwargs": {}}],
    }


def refuse_integers(name: str, dtype: Any) -> None:
    """A cast to a type of float changes nothing, as all is computed in float32.

    Raises:
        ValueError: a cast to integers, which rounds.
    """
    said = str(dtype.get("config", {}).get("name") if isinstance(dtype, Mapping) else dtype)
    if not said.lower().startswith(("float", "half", "bfloat", "dt_float", "dt_half", "dt_bfloat")):
        raise ValueError(f"{name} rounds to {said}")


def _layer(kind: str, name: str, config: dict[str, Any], arguments: list[Any]) -> Layer:
    node = {"args": arguments, "kwargs": {}}
    settings = {"name": name, **config}
    return {"class_name": kind, "config": settings, "name": name, "inbound_nodes": [node]}


def _holds_tensor(argument: Any) -> bool:
    return is_tensor(argument) or (isinstance(argument, list) and any(map(is_tensor, argument)))


def array(value: Any) -> Any:
    """A constant as Keras 3 writes arrays; a number stays one.

    Raises:
        ValueError: it is no number and no array of numbers.
    """
    if isinstance(value, Mapping):  # an array of either version
        value = value.get("config", {}).get("value")
    numbers = np.asarray(value, np.float32)
    if numbers.ndim == 0:
        return float(numbers)
    return {"class_name": "__numpy__", "config": {"value": numbers.tolist(), "dtype": "float32"}}


def multiplied(layer: Layer) -> Layer:
    """A division by constants as a multiplication, which every TFLite kernel has in int8."""
    node = layer["inbound_nodes"][0]
    if layer["class_name"] not in ("TrueDivide", "Divide") or len(node["args"]) != 2:
        return layer
    by = node["args"][1]
    if is_tensor(by):
        return layer
    constant = by["config"]["value"] if isinstance(by, Mapping) else by
    inverse = 1 / np.asarray(constant, np.float64)
    call = {"args": [node["args"][0], array(inverse.tolist())], "kwargs": {}}
    return {
        **layer,
        "class_name": "Multiply",
        "module": operation_module("Multiply"),
        "inbound_nodes": [call],
    }


def _node(config: Mapping[str, Any]) -> dict[str, Any]:
    """The node of a ``TensorFlowOpLayer``: JSON, or an object already."""
    node = config.get("node_def", {})
    found = json.loads(node) if isinstance(node, str) else node
    return found if isinstance(found, dict) else {}


def _with_constants(node: dict[str, Any], constants: Mapping[str, Any]) -> dict[str, Any]:
    """A call with the constants that the layer keeps by their position put in."""
    tensors = node["args"][0] if isinstance(node["args"][0], list) else list(node["args"])
    for position in sorted(constants, key=int):
        tensors.insert(int(position), constants[position])
    return {"args": tensors, "kwargs": {}}
