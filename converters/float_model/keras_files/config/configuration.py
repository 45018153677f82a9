"""A network's configuration, of any version of Keras, as Keras 3 builds it to give answers.

Works on a copy of the JSON; the user's file is never changed. What changes: leftovers of Keras 2,
the batch (open), mixed precision (float32), layers that only act in training (handed through),
arithmetic of TensorFlow and ``Lambda(preprocess_input)`` (the layers that compute the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converters.float_model.keras_files.config.arithmetic import (
    array,
    as_operation,
    multiplied,
    refuse_integers,
)
from converters.float_model.keras_files.config.check import layer_name
from converters.float_model.keras_files.config.layer_classes import (
    MODELS,
    RENAMED,
    TRAINING_ONLY,
    class_of,
    operation_module,
)
from converters.float_model.keras_files.config.leftovers import built_in, without_leftovers
from converters.float_model.keras_files.config.nodes import Connections, safe_name
from converters.float_model.keras_files.config.preprocess_input import as_layer, guess_said, mode_of
from converters.float_model.keras_files.simplify import (
    first_only,
    one_step_reversal,
    own_layer,
    reversal,
    without_idle_resizing,
)

Layer = dict[str, Any]


@dataclass
class ConfigUpdate:
    """Brings the configuration of a network up to Keras 3, and keeps what was met on the way.

    Attributes:
        old: whether Keras 2 wrote it.
        names: of all layers of the file.
        training_only: names of layers that are handed through, dropout aside.
        mixed: the precision it was trained in, where that is not float32.
        batch: the fixed batch, where there is one.
        preprocess: modes of ``preprocess_input`` that were recognized.
        guesses: what those were taken for whose module the file does not say.
        cropped: names of layers that crop at random in training and here take the centre.
    """

    old: bool
    names: tuple[str, ...]
    training_only: list[str] = field(default_factory=list)
    mixed: str | None = None
    batch: int | None = None
    preprocess: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    cropped: list[str] = field(default_factory=list)

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
        shape = first_shape(node)
        if found and found[0]["class_name"] != "InputLayer" and shape is not None:
            found.insert(0, self._input(f"{config['name']}_input", shape))
        found = self._without_idle_resizing(found)
        return built_in(kind, {"name": config["name"], "trainable": True, "layers": found})

    def _functional(self, config: Mapping[str, Any], layers: list[Layer]) -> Layer:
        connections = Connections(layers, old=self.old)
        found = []
        for layer in layers:
            nodes = [connections.node(node) for node in layer["inbound_nodes"]]
            updated = self._layer({**layer, "inbound_nodes": nodes})
            updated["name"] = layer["name"]
            if "inbound_nodes" not in updated:
                stays = updated["class_name"] == RENAMED.get(
                    layer["class_name"], layer["class_name"]
                )
                updated["inbound_nodes"] = nodes if stays else [first_only(n) for n in nodes]
            found.append(updated)
        return {
            "name": config["name"],
            "trainable": True,
            "layers": self._without_idle_resizing(one_step_reversal(found)),
            "input_layers": connections.ends(config["input_layers"]),
            "output_layers": connections.ends(config["output_layers"]),
        }

    def _without_idle_resizing(self, layers: list[Layer]) -> list[Layer]:
        """The same of what crops; the rest is refused where Keras 3 wrote it, which hands images
        on whole when a network answers, although it builds what follows for the smaller size.

        Raises:
            ValueError: such a layer.
        """
        found = without_idle_resizing(layers)
        left = {x["config"]["name"] for x in found if x["class_name"] == "Resizing"}
        cropped = sorted(left.intersection(self.cropped))
        if cropped and not self.old:
            raise ValueError(
                f"{cropped[0]} (RandomCrop), which in Keras 3 leaves images as large as they "
                "are when the network answers: leave it out, or put CenterCrop in its place"
            )
        return found

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
            return own_layer("Identity", {"name": layer["name"]})
        if kind == "RandomCrop":  # without training it takes the centre, in Keras 2
            self.cropped.append(layer["name"])
            size = {"height": config["height"], "width": config["width"]}
            found = {"name": layer["name"], **size, "crop_to_aspect_ratio": True}
            return own_layer("Resizing", found)
        if kind == "Lambda":
            mode = mode_of(config, self.names) or "none"
            self.preprocess.append(mode)
            guess = guess_said(config, self.names)
            self.guesses += [guess] if guess is not None else []
            replaced = as_layer(mode, layer["name"])
            return own_layer(replaced["class_name"], replaced["config"])
        if kind == "SlicingOpLambda":
            return reversal(layer)
        if kind in ("TFOpLambda", "TensorFlowOpLayer"):
            return self._operation(as_operation(layer))
        if not self.old and _is_operation(layer):
            return self._operation(layer)
        kind = RENAMED.get(kind, kind)
        return built_in(kind, without_leftovers(kind, config, old=self.old))

    def _operation(self, layer: Layer) -> Layer:
        kind = layer["class_name"]
        if operation_module(kind) is None:
            built = built_in(kind, layer["config"])
            return {**built, "inbound_nodes": layer["inbound_nodes"]}
        if kind == "Cast":
            refuse_integers(layer["name"], layer["config"].get("dtype"))
            built = own_layer("Identity", {"name": layer["name"]})
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


def _batch_shape(config: Mapping[str, Any]) -> Any:
    for key in ("batch_shape", "batch_input_shape"):
        if config.get(key) is not None:
            return config[key]
    raise ValueError("an input without a shape")


def first_shape(network: Mapping[str, Any]) -> Any:
    """The input shape of a network, from wherever its version says it; None where nothing does."""
    config = network["config"]
    if not config["layers"]:
        return None
    first = config["layers"][0]
    inner = first["config"]
    built = (first.get("build_config") or {}).get("input_shape")
    given = inner.get("batch_input_shape") or inner.get("batch_shape")
    own = config.get("build_input_shape") or config.get("batch_input_shape")
    nested = first_shape(first) if first["class_name"] in MODELS else None
    return given or nested or own or built
