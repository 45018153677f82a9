"""What ``convert`` refuses a Keras network for, as far as its configuration tells: asked before any
work by ``convert``, and without Keras by the commands that would send the user there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from converters.float_model.keras_files.config.check import (
    all_layers,
    refuse_unknown_layers,
)
from converters.float_model.keras_files.config.configuration import first_shape
from converters.float_model.keras_files.config.layer_classes import (
    MODELS,
    RENAMED,
    TRAINING_ONLY,
    class_of,
)
from converters.float_model.keras_files.image_size import image_shape
from edge_effnet.errors import ModelError
from edge_effnet.model_files import several_ends

_ANY_SIDE = (224, 224)  # stands in for a size that is left open
_SAME_PLACES = frozenset(
    "Activation Add Average BatchNormalization Concatenate Conv2D Conv2DTranspose DepthwiseConv2D"
    " ELU Identity InputLayer LeakyReLU MaxPooling2D AveragePooling2D Maximum Minimum Multiply"
    " Normalization PReLU ReLU Rescaling SeparableConv2D Softmax Subtract UpSampling2D"
    " ZeroPadding2D".split()
)
"""Layers whose result is a grid of places as their input is."""


def refuse_unconvertible(config: Mapping[str, Any], path: Path) -> None:
    """Unknown layers, several inputs or answers, no image, an answer for each place of it.

    Args:
        config: of the whole network, as it stands in its file.

    Raises:
        ModelError: names what it is, and what to do.
        AttributeError, KeyError, TypeError, ValueError: the configuration is damaged.
    """
    refuse_unknown_layers(config, path)
    inputs, outputs = (ends(config["config"].get(f"{end}_layers")) for end in ("input", "output"))
    if len(inputs) > 1:
        raise several_ends("inputs", inputs, path)
    if len(outputs) > 1:
        raise several_ends("outputs", outputs, path)
    shape = _input_shape(config)
    if shape is None:
        raise never_built(path)
    height, width, _ = image_shape(tuple(shape)[1:], None, path, inside=_ANY_SIDE)
    if answers_each_place(config, min(height, width)):
        raise ModelError(
            f"{path} is a segmenter: it answers for each pixel",
            found="an image as its output: nothing in it pools or flattens",
            expected="one vector of scores, or one number",
            fix="give a model that classifies whole images",
        )


def _input_shape(config: Mapping[str, Any]) -> Any:
    """The shape of the first input, batch first; None where nothing says it."""
    sequential = config["class_name"] == "Sequential"
    declared = (
        layer["config"].get("batch_shape") or layer["config"].get("batch_input_shape")
        for layer in all_layers(config)
        if sequential or layer["class_name"] == "InputLayer"
    )
    found = (first_shape(config) if sequential else None) or next(filter(None, declared), None)
    return found or first_shape(config)


def ends(said: Any) -> tuple[str, ...]:
    """The names of a network's inputs or outputs; none where it does not say, as a Sequential."""
    return tuple(str(end[0]) for end in _leaves(said))


def _leaves(said: Any) -> Iterator[Sequence[Any]]:
    if isinstance(said, Mapping):
        said = list(said.values())
    if not isinstance(said, list) or not said:
        return
    if isinstance(said[0], str):
        yield said
        return
    for item in said:
        yield from _leaves(item)


def answers_each_place(config: Mapping[str, Any], side: int) -> bool:
    """Whether the answer is surely a grid of places, by the least side that it can have."""
    for layer in all_layers(config):
        kind, inner = RENAMED.get(class_of(layer), class_of(layer)), layer["config"]
        if class_of(layer) in MODELS or kind in TRAINING_ONLY:
            continue
        if kind not in _SAME_PLACES or len(layer.get("inbound_nodes") or ()) > 1:
            return False
        if inner.get("padding", "valid") == "valid":
            side -= _largest(inner.get("kernel_size")) * _largest(inner.get("dilation_rate")) - 1
        if kind != "Conv2DTranspose":
            side //= max(_largest(inner.get("pool_size")), _largest(inner.get("strides")))
    return side > 1


def _largest(sides: Any) -> int:
    if isinstance(sides, int):
        return max(1, sides)
    return max(1, *map(int, sides)) if sides else 1


def never_built(path: Path) -> ModelError:
    """The error of a network that nobody gave an image size, so that it has no weights."""
    return ModelError(
        f"{path} holds a network that was never built",
        found="nothing that says which images it takes",
        expected="a network that was trained",
        fix="begin it with keras.Input((height, width, 3)), train it and save it again",
    )
