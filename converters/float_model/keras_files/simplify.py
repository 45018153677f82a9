"""Steps of a network that one plain layer computes, or that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converters.float_model.keras_files.config.leftovers import built_in
from converters.float_model.keras_files.config.nodes import is_tensor

Layer = dict[str, Any]
OWN_LAYER = "PixelMatrix"


def own_layer(kind: str, config: Layer) -> Layer:
    if kind != OWN_LAYER:
        return built_in(kind, config)
    return {"module": None, "class_name": kind, "config": config, "registered_name": kind}


def first_only(node: Mapping[str, Any]) -> Layer:
    return {"args": list(node["args"])[:1], "kwargs": {}}


def reversal(layer: Layer) -> Layer:
    """``x[..., ::-1]`` of Keras 2, which turns RGB into BGR.

    Raises:
        ValueError: a slice of another kind.
    """
    node = layer["inbound_nodes"][0]
    spec = node["kwargs"].get("slice_spec", [])
    if not _takes_channels(spec) or spec[-1] != {"start": None, "stop": None, "step": -1}:
        raise ValueError(f"{layer['name']} takes a part of its input")
    found = own_layer(OWN_LAYER, {"name": layer["name"], "reverse": True})
    return {**found, "inbound_nodes": [first_only(node)]}


def _takes_channels(spec: Any) -> bool:
    """Whether the last part of a subscript is for the channels, and all else is taken whole."""
    if not isinstance(spec, list) or not spec:
        return False
    named = [part.get("class_name") if isinstance(part, Mapping) else part for part in spec[:-1]]
    if "__ellipsis__" not in named and len(spec) != _IMAGE_RANK:
        return False
    return all(
        name == "__ellipsis__" or (isinstance(part, Mapping) and part.get("config", part) in _WHOLE)
        for name, part in zip(named, spec, strict=False)
    )


_IMAGE_RANK = 4  # batch, height, width, channels
_WHOLE = [{"start": start, "stop": None, "step": step} for start in (None, 0) for step in (None, 1)]


def one_step_reversal(layers: list[Layer]) -> list[Layer]:
    """Keras 3's ``preprocess_input`` takes three channels out and stacks them in turn; here that
    is one layer. The three that are left lead nowhere and are not built."""
    taken = {
        layer["name"]: (node["args"][0], node["args"][1][-1])
        for layer in layers
        if layer["class_name"] == "GetItem"
        for node in layer["inbound_nodes"]
        if _takes_channels(node["args"][1])
    }
    found = []
    for layer in layers:
        source = _reversed_source(layer, taken) if layer["class_name"] == "Stack" else None
        if source is not None:
            node = {"args": [source], "kwargs": {}}
            layer = own_layer(OWN_LAYER, {"name": layer["name"], "reverse": True}) | {
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


def without_idle_resizing(layers: list[Layer]) -> list[Layer]:
    """A ``Resizing`` right behind an input of that very size hands its input on."""
    sizes = {
        layer["name"]: layer["config"]["batch_shape"][1:3]
        for layer in layers
        if layer["class_name"] == "InputLayer"
    }
    found: list[Layer] = []
    for layer in layers:
        config = layer["config"]
        if layer["class_name"] == "Resizing" and sizes.get(_before(layer, found)) == [
            config["height"],
            config["width"],
        ]:
            nodes = [first_only(node) for node in layer.get("inbound_nodes", ())]
            replaced = own_layer("Identity", {"name": config["name"]})
            layer = {**layer, **replaced, "inbound_nodes": nodes}
        found.append(layer)
    return found


def _before(layer: Layer, earlier: list[Layer]) -> str | None:
    """The name of what a layer takes: said by its call, in a Sequential the one before it."""
    if layer.get("inbound_nodes"):
        first = layer["inbound_nodes"][0]["args"][0]
        return str(first["config"]["keras_history"][0]) if is_tensor(first) else None
    return str(earlier[-1].get("name")) if earlier else None
