"""The layers of a Keras configuration, as they stand in its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Layer = Mapping[str, Any]
NETWORKS = ("Functional", "Sequential", "Model")


def layers_of(layer: Layer) -> Iterator[Layer]:
    """All layers, those of nested networks included, in their order in the file."""
    config = layer.get("config")
    inner = config.get("layers") if isinstance(config, dict) else config
    for one in inner if isinstance(inner, list) else ():
        if isinstance(one, dict):
            yield one
            if str(one.get("class_name")) in NETWORKS:
                yield from layers_of(one)


def config_of(layer: Layer) -> Mapping[str, Any]:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def input_shape(layers: list[Layer]) -> list[int | None] | None:
    """Of the first input, batch first; None where nothing says it."""
    for layer in layers:
        config = config_of(layer)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if isinstance(shape, list) and all(side is None or type(side) is int for side in shape):
            return shape
    return None


def open_size(layers: list[Layer]) -> bool:
    """Whether it takes images of any size, and brings them to none itself."""
    shape = input_shape(layers)
    return (
        shape is not None
        and None in shape[1:3]
        and all(layer.get("class_name") != "Resizing" for layer in layers)
    )
