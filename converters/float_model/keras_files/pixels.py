"""What a Keras file says of how an image becomes the network's input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.keras_files.simplify import OWN_LAYER
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import Preprocess

if TYPE_CHECKING:
    import keras

_PASSED = frozenset({"InputLayer", "Identity", "Resizing", "CenterCrop", "Reshape"})
_LARGEST_ACTIVATION = 20.0  # what a network works on lies well within, unless that is pixels


def made_by_teachable_machine(config: Mapping[str, Any]) -> bool:
    """Whether a file's configuration has Teachable Machine's fingerprint: two Sequentials in a
    Sequential, and in one of them a layer ``dense_Dense1``."""
    layers = [layer["config"] for layer in config["config"].get("layers", [])]
    kinds = [layer["class_name"] for layer in config["config"].get("layers", [])]
    inner = [layer for layer in layers if "layers" in layer]
    names = [str(x["config"].get("name", "")) for layer in inner for x in layer["layers"]]
    return (
        config.get("class_name") == "Sequential"
        and kinds.count("Sequential") == 2
        and any(name.startswith("dense_Dense") for name in names)
    )


def teachable_machine_pixels(default: Preprocess) -> FoundPreprocess:
    """The central square from −1 to 1, as Teachable Machine's own page feeds it."""
    settings = replace(default, fit="crop", crop=1.0, mean=(127.5,), std=(127.5,))
    return FoundPreprocess(settings, "the way Teachable Machine exports")


def rescaled_pixels(network: keras.Model, default: Preprocess) -> FoundPreprocess | None:
    """What the steps before the first layer with weights say; None where there are none.

    They are read here and not from the exported file, in which the converter often has folded
    them into that layer.
    """
    scale, offset, steps = 1.0, 0.0, 0
    for layer in _in_order(network):
        kind = type(layer).__name__
        if kind in _PASSED:
            continue
        step = _affine(layer, kind)
        if step is None:
            break
        scale, offset, steps = scale * step[0], offset * step[0] + step[1], steps + 1
    return said_by(scale, offset, default) if steps else None


def said_by(scale: float, offset: float, default: Preprocess) -> FoundPreprocess | None:
    """What a network is fed that begins with scale · input + offset; None where that is open."""
    if (scale, offset) == (1.0, 0.0):
        return None
    if abs(offset) > _LARGEST_ACTIVATION or abs(255 * scale + offset) <= _LARGEST_ACTIVATION:
        return FoundPreprocess(default, "a rescaling inside the network")
    if abs(scale + offset) <= _LARGEST_ACTIVATION:  # (x - 0.5) * 2
        unit = replace(default, mean=(0.0,), std=(255.0,))
        return FoundPreprocess(unit, "a rescaling inside the network")
    return None


def _in_order(network: Any) -> Iterator[Any]:
    """The layers and operations of all levels, in the order of their calls."""
    for step in getattr(network, "operations", None) or network.layers:
        if hasattr(step, "layers"):
            yield from _in_order(step)
        else:
            yield step


def _affine(layer: Any, kind: str) -> tuple[float, float] | None:
    """Mean scale and offset of a layer over its channels; None where it is no such step."""
    if kind == "Rescaling":
        return float(np.mean(layer.scale)), float(np.mean(layer.offset))
    if kind == OWN_LAYER:
        return float(np.mean(layer.matrix.sum(axis=0))), float(np.mean(layer.offset))
    if kind == "Normalization":
        std = np.maximum(np.sqrt(np.asarray(layer.variance)), 1e-7)
        return float(np.mean(1 / std)), float(np.mean(-np.asarray(layer.mean) / std))
    if kind not in ("Add", "Multiply", "Subtract"):
        return None
    arguments = layer._inbound_nodes[0].arguments.args
    constants = [value for value in arguments if isinstance(value, int | float | np.ndarray)]
    if len(arguments) != 2 or len(constants) != 1:
        return None
    value, first = float(np.mean(constants[0])), constants[0] is arguments[0]
    if kind == "Multiply":
        return value, 0.0
    if kind == "Add":
        return 1.0, value
    return (-1.0, value) if first else (1.0, -value)
