"""What a Keras network says of how an image becomes its input."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.keras_files.configuration import OWN_LAYER
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import Preprocess

if TYPE_CHECKING:
    import keras

_INSIDE = "a rescaling inside the network"
_PASSED = frozenset({"InputLayer", "Identity", "Resizing", "CenterCrop", "Reshape"})
_AFFINE = frozenset({"Add", "Multiply", "Rescaling", "Subtract", "Normalization", OWN_LAYER})
# The networks of keras.applications that rescale pixels by themselves, and a layer that each
# of them has where it is not nested.
_RESCALING_NETWORK = re.compile(r"efficientnet|mobilenet_?v3|convnext|regnet", re.IGNORECASE)
_RESCALING_LAYERS = frozenset({"stem_conv", "expanded_conv_project", "convnext_tiny_stem"})
_LARGEST_ACTIVATION = 20.0  # what a network is fed lies well within, unless it is fed pixels


def made_by_teachable_machine(config: Mapping[str, Any]) -> bool:
    """Whether a file's configuration has Teachable Machine's fingerprint: two Sequentials in a
    Sequential, an input ``sequential_1_input``, a layer ``dense_Dense1``."""
    layers = [layer["config"] for layer in config["config"].get("layers", [])]
    kinds = [layer["class_name"] for layer in config["config"].get("layers", [])]
    inner = [layer for layer in layers if "layers" in layer]
    names = [str(x["config"].get("name", "")) for layer in inner for x in layer["layers"]]
    return (
        config.get("class_name") == "Sequential"
        and kinds.count("Sequential") == 2
        and any(name.startswith("dense_Dense") for name in names)
    )


@dataclass(frozen=True)
class _Start:
    """How a network begins: activation = scale · input + offset, and whose step that is."""

    scale: float
    offset: float
    of_network: bool


def found_pixels(network: keras.Model, default: Preprocess) -> FoundPreprocess | None:
    """What the first layers say; None where the first one already has weights.

    Args:
        default: what is done to the image otherwise.
    """
    start = _start(network)
    if start is None or (start.scale, start.offset) == (1.0, 0.0):
        return None
    brightest = max(abs(start.offset), abs(255 * start.scale + start.offset))
    if brightest <= _LARGEST_ACTIVATION or abs(start.offset) > _LARGEST_ACTIVATION:
        return FoundPreprocess(default, _INSIDE, certain=not start.of_network)
    unit = max(abs(start.offset), abs(start.scale + start.offset))
    if unit <= _LARGEST_ACTIVATION and start.scale > 1 / 20:
        divided = replace(default, mean=(0.0,), std=(255.0,))
        return FoundPreprocess(divided, _INSIDE, certain=False)
    return None


def teachable_machine_pixels(default: Preprocess) -> FoundPreprocess:
    """The central square from −1 to 1, as Teachable Machine's own page feeds it."""
    settings = replace(default, fit="crop", crop=1.0, mean=(127.5,), std=(127.5,))
    return FoundPreprocess(settings, "the way Teachable Machine exports")


def _start(network: keras.Model) -> _Start | None:
    scale, offset, owners, met = 1.0, 0.0, [], False
    for layer, owner, beside in _in_order(network):
        kind = type(layer).__name__
        if kind in _PASSED:
            continue
        step = _affine(layer, kind) if kind in _AFFINE else None
        if step is None:
            break
        met = True
        scale, offset = scale * step[0], offset * step[0] + step[1]
        owners.append(
            bool(_RESCALING_NETWORK.match(owner)) or not _RESCALING_LAYERS.isdisjoint(beside)
        )
    return _Start(scale, offset, all(owners)) if met else None


def _in_order(network: Any) -> Iterator[tuple[Any, str, frozenset[str]]]:
    """Layers of all levels, the network that holds each, and the names beside it."""
    steps = getattr(network, "operations", None) or network.layers
    names = frozenset(step.name for step in steps)
    for step in steps:
        if hasattr(step, "layers"):
            yield from _in_order(step)
        else:
            yield step, network.name, names


def _affine(layer: Any, kind: str) -> tuple[float, float] | None:
    """Mean scale and offset of a layer over its channels; None where it is no such step."""
    if kind == "Rescaling":
        return float(np.mean(layer.scale)), float(np.mean(layer.offset))
    if kind == OWN_LAYER:
        return float(np.mean(layer.matrix.sum(axis=0))), float(np.mean(layer.offset))
    if kind == "Normalization":
        std = np.maximum(np.sqrt(np.asarray(layer.variance)), 1e-7)
        return float(np.mean(1 / std)), float(np.mean(-np.asarray(layer.mean) / std))
    arguments = layer._inbound_nodes[0].arguments.args
    constants = [a for a in arguments if isinstance(a, int | float | np.ndarray)]
    if len(arguments) != 2 or len(constants) != 1:
        return None
    value, first = float(np.mean(constants[0])), constants[0] is arguments[0]
    if kind == "Multiply":
        return value, 0.0
    if kind == "Add":
        return 1.0, value
    return (-1.0, value) if first else (1.0, -value)
