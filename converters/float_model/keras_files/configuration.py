"""A network's configuration, of any version of Keras, as Keras 3 builds it to give answers.

Works on a copy of the JSON; the user's file is never changed. What changes: leftovers of Keras 2,
the batch (open), mixed precision (float32), layers that only act in training (handed through),
arithmetic of TensorFlow and ``Lambda(preprocess_input)`` (the layers that compute the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.float_model.keras_files.arithmetic import array, as_operation, multiplied
from converters.float_model.keras_files.check import layer_name
from converters.float_model.keras_files.layer_classes import (
    MODELS,
    RENAMED,
    TRAINING_ONLY,
    class_of,
    operation_module,
)
from converters.float_model.keras_files.leftovers import built_in, mended
from converters.float_model.keras_files.nodes import Connections, is_tensor, safe_name
from converters.float_model.keras_files.preprocess_input import as_layer, mode_of

Layer = dict[str, Any]
OWN_LAYER = "PixelMatrix"


@dataclass
class Mending:
    """How a network is mended, and what was met on the way.

    Attributes:
        old: whether Keras 2 wrote it.
        names: of all layers of the file.
        training_only: names of layers that are handed through, dropout aside.
        mixed: the precision it was trained in, where that is not float32.
        batch: the fixed batch, where there is one.
        preprocess: modes of ``preprocess_input`` that were recognized.
    """

    old: bool
    names: tuple[str, ...]
    training_only: list[str] = field(default_factory=list)
    mixed: str | None = None
    batch: int | None = None
    preprocess: list[str] = field(default_factory=list)

    def network(self, node: Mapping[str, Any]) -> Layer:
        """A network, nested ones included.

        Raises:
            ValueError, KeyError, TypeError: it cannot be brought into Keras 3's form.
        """
        config = node["config"]
        layers = [_filled(layer) for layer in config["layers"]]
        kind = "Sequential" if node["class_name"] == "Sequential" else "Functional"
        if kind == "Functional":
            return built_in(kind, self._functional(config, layers))
        found = [self._layer(layer) for layer in layers]
        shape = _first_shape(config, layers)
        if found and found[0]["class_name"] != "InputLayer" and shape is not None:
            found.insert(0, self._input(f"{config['name']}_input", shape))
        return built_in(kind, {"name": config["name"], "trainable": True, "layers": found})

    def _functional(self, config: Mapping[str, Any], layers: list[Layer]) -> Layer:
        connections = Connections(layers, old=self.old)
        found = []
        for layer in layers:
            nodes = [connections.node(node) for node in layer["inbound_nodes"]]
            mended_layer = self._layer({**layer, "inbound_nodes": nodes})
            if "inbound_nodes" not in mended_layer:
                mended_layer["inbound_nodes"] = nodes
            mended_layer["name"] = layer["name"]
            if mended_layer["class_name"] == "Identity":
                mended_layer["inbound_nodes"] = [_first_only(node) for node in nodes]
            found.append(mended_layer)
        return {
            "name": config["name"],
            "trainable": True,
            "layers": _one_step_reversal(found),
            "input_layers": connections.ends(config["input_layers"]),
            "output_layers": connections.ends(config["output_layers"]),
        }

    def _layer(self, layer: Layer) -> Layer:
        kind, config = str(layer["class_name"]), layer["config"]
        self._note_precision(config.get("dtype"))
        if kind in MODELS:
            return self.network(layer)
        if kind == "InputLayer":
            return self._input(layer["name"], _batch_shape(config))
        if kind in TRAINING_ONLY:
            if "Dropout" not in kind:
                self.training_only.append(layer["name"])
            return _own("Identity", {"name": layer["name"]})
        if kind == "Lambda":
            mode = mode_of(config, self.names) or "none"
            self.preprocess.append(mode)
            replaced = as_layer(mode, layer["name"])
            return _own(replaced["class_name"], replaced["config"])
        if kind == "SlicingOpLambda":
            return _reversal(layer)
        if kind in ("TFOpLambda", "TensorFlowOpLayer"):
            return self._operation(as_operation(layer))
        if not self.old and _is_operation(layer):
            return self._operation(layer)
        kind = RENAMED.get(kind, kind)
        return built_in(kind, mended(kind, config, old=self.old))

    def _operation(self, layer: Layer) -> Layer:
        kind = layer["class_name"]
        if operation_module(kind) is None:
            built = built_in(kind, layer["config"])
            return {**built, "inbound_nodes": layer["inbound_nodes"]}
        if kind == "Cast":
            built = _own("Identity", {"name": layer["name"]})
            return {**built, "inbound_nodes": layer["inbound_nodes"]}
        nodes = [{**n, "args": [_constants(a) for a in n["args"]]} for n in layer["inbound_nodes"]]
        settings = {k: v for k, v in layer["config"].items() if k != "dtype"}
        found = {
            "module": operation_module(kind),
            "class_name": kind,
            "config": settings,
            "registered_name": None,
            "name": layer["name"],
            "inbound_nodes": nodes,
        }
        return multiplied(found)

    def _input(self, name: str, shape: Any) -> Layer:
        if isinstance(shape, list) and shape and isinstance(shape[0], list):
            shape = shape[0]
        if shape[0] is not None:
            self.batch = int(shape[0])
        config = {"batch_shape": [None, *shape[1:]], "dtype": "float32", "name": name}
        return {**built_in("InputLayer", config), "name": name, "inbound_nodes": []}

    def _note_precision(self, dtype: Any) -> None:
        name = str(dtype.get("config", {}).get("name") if isinstance(dtype, dict) else dtype)
        if isinstance(dtype, dict) and "Quantized" in str(dtype.get("class_name")):
            raise ValueError("weights that Keras quantized (model.quantize)")
        if "float16" in name:
            self.mixed = name


def _filled(layer: Mapping[str, Any]) -> Layer:
    """A layer with the keys that every form has, under a name that Keras 3 takes."""
    name = safe_name(layer_name(layer))
    config = {**layer["config"], "name": name}
    kind = class_of(layer)
    return {"inbound_nodes": [], **layer, "name": name, "config": config, "class_name": kind}


def _is_operation(layer: Mapping[str, Any]) -> bool:
    """Whether a layer is one of Keras 3's operations. Some share a name with a layer (``Add``,
    ``Reshape``), an ``.h5`` does not say the module, and only layers say if they are trained."""
    return operation_module(layer["class_name"]) is not None and (
        "trainable" not in layer["config"]
    )


def _constants(argument: Any) -> Any:
    """An argument of an operation; a tensor of constants becomes an array."""
    if isinstance(argument, Mapping) and argument.get("class_name") == "__tensor__":
        return array(argument)
    return argument


def _own(kind: str, config: Layer) -> Layer:
    if kind != OWN_LAYER:
        return built_in(kind, config)
    return {"module": None, "class_name": kind, "config": config, "registered_name": kind}


def _first_only(node: Mapping[str, Any]) -> Layer:
    return {"args": list(node["args"])[:1], "kwargs": {}}


def _batch_shape(config: Mapping[str, Any]) -> Any:
    for key in ("batch_shape", "batch_input_shape"):
        if config.get(key) is not None:
            return config[key]
    raise ValueError("an input without a shape")


def _first_shape(config: Mapping[str, Any], layers: list[Layer]) -> Any:
    """The input shape of a Sequential whose first layer says it in older ways; None where
    nothing does, or the first layer is a network of its own."""
    if not layers:
        return None
    first = layers[0]
    built = (first.get("build_config") or {}).get("input_shape")
    given = first["config"].get("batch_input_shape") or first["config"].get("batch_shape")
    return given or config.get("build_input_shape") or config.get("batch_input_shape") or built


def _reversal(layer: Layer) -> Layer:
    """``x[..., ::-1]`` of Keras 2, which turns RGB into BGR.

    Raises:
        ValueError: a slice of another kind.
    """
    node = layer["inbound_nodes"][0]
    spec = node["kwargs"].get("slice_spec", [])
    last = spec[-1] if spec else None
    whole = [
        s for s in spec[:-1] if s.get("class_name") == "__ellipsis__" or not any(s.values())
    ]  # fmt: skip
    if last != {"start": None, "stop": None, "step": -1} or len(whole) != len(spec) - 1:
        raise ValueError(f"{layer['name']} takes a part of its input")
    found = _own(OWN_LAYER, {"name": layer["name"], "reverse": True})
    return {**found, "inbound_nodes": [_first_only(node)]}


def _one_step_reversal(layers: list[Layer]) -> list[Layer]:
    """Keras 3's ``preprocess_input`` takes three channels out and stacks them in turn; here that
    is one layer. The three that are left lead nowhere and are not built."""
    taken = {
        layer["name"]: (node["args"][0], node["args"][1][-1])
        for layer in layers
        if layer["class_name"] == "GetItem"
        for node in layer["inbound_nodes"]
        if isinstance(node["args"][1], list)
    }
    found = []
    for layer in layers:
        source = _reversed_source(layer, taken) if layer["class_name"] == "Stack" else None
        if source is not None:
            node = {"args": [source], "kwargs": {}}
            layer = _own(OWN_LAYER, {"name": layer["name"], "reverse": True}) | {
                "name": layer["name"],
                "inbound_nodes": [node],
            }
        found.append(layer)
    return found


def _reversed_source(layer: Layer, taken: Mapping[str, tuple[Any, Any]]) -> Any:
    parts = layer["inbound_nodes"][0]["args"][0]
    if layer["config"].get("axis") != -1 or not all(map(is_tensor, parts)):
        return None
    found = [taken.get(part["config"]["keras_history"][0]) for part in parts]
    if any(item is None for item in found):
        return None
    sources = [item[0] for item in found if item is not None]
    channels = [item[1] for item in found if item is not None]
    return sources[0] if channels == [2, 1, 0] and sources.count(sources[0]) == 3 else None
