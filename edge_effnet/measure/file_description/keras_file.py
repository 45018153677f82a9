"""A whole Keras model, described from its configuration alone: no Keras, no h5py."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edge_effnet.data.label_files import labels_beside
from edge_effnet.data.labels import listed
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head
from edge_effnet.measure.file_description.description import (
    FileDescription,
    convert_command,
    image_text,
    size_text,
)
from edge_effnet.measure.finding import Finding
from edge_effnet.model_files import ModelFile, keras_network
from edge_effnet.plugins import PARTS, load

Layer = Mapping[str, Any]
_NETWORKS = ("Functional", "Sequential", "Model")
_RESCALING = ("Rescaling", "Normalization", "Lambda")
_TEACHABLE = re.compile(r"dense_Dense\d+")
_SHOWN = 4


def describe_keras(found: ModelFile, name: Path) -> FileDescription:
    """Describe a ``.keras`` or a whole-model ``.h5``.

    Args:
        name: what the user calls it, where ``found`` was taken out of an archive.

    Raises:
        ModelError: it is damaged.
    """
    network, version = keras_network(found)
    made = [f"Keras {version}" if version else "Keras"]
    facts = [("file", f"{found.kind.title}, {size_text(found.path.stat().st_size)}")]
    problems: tuple[Finding, ...] = ()
    if network is not None:
        layers = list(_layers(network))
        facts += _network_facts(layers)
        if any(_TEACHABLE.fullmatch(_name(layer)) for layer in layers):
            made.insert(0, "Teachable Machine")
            facts.append(("photos", "pixels become -1…1, of the photo's central square"))
        facts += _labels(layers, name)
        problems = _problems(network, layers, name)
    facts.insert(1, ("made by", ", ".join(made)))
    told = any(word == "photos" for word, _ in facts)
    options = ["--resolution 224"] if network is not None and _open_size(layers) else []
    options.append("--calibration PHOTOS" if told else "--data PHOTOS")
    command = None if problems else convert_command(name, *options)
    return FileDescription(name, found.kind.code, tuple(facts), problems, command, extra="train")


def _layers(layer: Layer) -> Iterator[Layer]:
    """All layers, those of nested networks included, in their order in the file."""
    config = layer.get("config")
    inner = config.get("layers") if isinstance(config, dict) else config
    for one in inner if isinstance(inner, list) else ():
        if isinstance(one, dict):
            yield one
            if str(one.get("class_name")) in _NETWORKS:
                yield from _layers(one)


def _config(layer: Layer) -> Mapping[str, Any]:
    config = layer.get("config")
    return config if isinstance(config, dict) else {}


def _name(layer: Layer) -> str:
    return str(_config(layer).get("name") or layer.get("name") or "")


def _input_shape(layers: list[Layer]) -> list[int | None] | None:
    for layer in layers:
        config = _config(layer)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if isinstance(shape, list) and all(side is None or type(side) is int for side in shape):
            return shape
    return None


def _open_size(layers: list[Layer]) -> bool:
    """Whether it takes images of any size, and brings them to none itself."""
    shape = _input_shape(layers)
    return (
        shape is not None
        and None in shape[1:3]
        and all(layer.get("class_name") != "Resizing" for layer in layers)
    )


def _network_facts(layers: list[Layer]) -> list[tuple[str, str]]:
    facts = []
    shape = _input_shape(layers)
    if shape is not None and len(shape) == 4:
        batch = f", {shape[0]} at a time" if shape[0] not in (None, 1) else ""
        facts.append(("input", image_text(*shape[1:]) + batch))
    elif shape is not None:
        facts.append(("input", f"{shape}, which is no image"))
    inside = [
        f"{_name(layer)} ({layer['class_name']})"
        for layer in layers
        if layer.get("class_name") in _RESCALING
    ]
    if inside:
        facts.append(
            ("photos", f"pixels are changed inside the network by {', '.join(inside[:_SHOWN])}")
        )
    kinds = Counter(str(layer.get("class_name")) for layer in layers)
    nested = [_name(layer) for layer in layers if layer.get("class_name") in _NETWORKS]
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_SHOWN))
    holding = f"; holds {', '.join(nested[:_SHOWN])}" if nested else ""
    facts.append(("layers", f"{len(layers)}: {counted} …{holding}"))
    if answer := _answer(layers):
        facts.append(("answer", answer))
    return facts


def _answer(layers: list[Layer]) -> str | None:
    last = next((one for one in reversed(layers) if "units" in _config(one)), None)
    if last is None:
        return None
    units, activation = _config(last)["units"], _config(last).get("activation")
    end = layers[-1]
    if end.get("class_name") in ("Activation", "Softmax"):
        activation = _config(end).get("activation", "softmax")
    said = activation if isinstance(activation, str) else "an activation of its own"
    return f"{units} numbers, {said}"


def _labels(layers: list[Layer], path: Path) -> list[tuple[str, str]]:
    """The names that lie beside the file, where there are as many as it has answers."""
    units = next((_config(one)["units"] for one in reversed(layers) if "units" in _config(one)), 0)
    if type(units) is not int or units < 1:
        return []
    found = labels_beside(path, Head("softmax" if units > 1 else "sigmoid", units))
    return [("labels", f"{listed(found.names, 6)} (from {found.source})")] if found.names else []


def _ends(said: Any) -> int:
    """How many inputs or outputs a network has; 1 where it does not say."""
    several = isinstance(said, list) and said and all(isinstance(one, list) for one in said)
    return len(said) if several else 1


def _problems(network: Layer, layers: list[Layer], path: Path) -> tuple[Finding, ...]:
    """What ``convert`` would refuse it for, asked of the converter itself."""
    try:
        load(PARTS["doctor KERAS"])(network, path)
    except ModelError as error:
        what = f"{error.what}: {error.found}" if error.found else error.what
        return (Finding("layers", False, what, error.fix),)
    except (AttributeError, LookupError, TypeError, ValueError):
        return (Finding("configuration", False, "its configuration is damaged"),)
    for key, word in (("input_layers", "inputs"), ("output_layers", "outputs")):
        if (count := _ends(_config(network).get(key))) > 1:
            what, fix = f"it has {count} {word}", "save a model of one image and one answer"
            return (
                Finding(word, False, what, f"{fix}: keras.Model(model.input, model.outputs[0])"),
            )
    shape = _input_shape(layers)
    if shape is not None and len(shape) != 4:
        return (Finding("input", False, "it does not take images"),)
    if shape is None:
        what = "it was never built: nothing says which images it takes"
        fix = "call model.build((None, height, width, 3)) and save it again"
        return (Finding("input", False, what, fix),)
    return ()
