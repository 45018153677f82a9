"""A whole Keras model, described from its configuration alone: no Keras, no h5py."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

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
from edge_effnet.model_files.convertible import refuse_unconvertible_network
from edge_effnet.model_files.keras_layers import (
    NETWORKS,
    Layer,
    config_of,
    input_shape,
    layers_of,
    open_size,
)
from edge_effnet.plurals import counted

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
        layers = list(layers_of(network))
        facts += _network_facts(network, layers)
        if any(_TEACHABLE.fullmatch(_name(layer)) for layer in layers):
            made.insert(0, "Teachable Machine")
            facts.append(("photos", "pixels become -1…1, of the photo's central square"))
        facts += _labels(layers, name)
        problems = _refusal(network, name)
    facts.insert(1, ("made by", ", ".join(made)))
    told = any(word == "photos" for word, _ in facts)
    if network is not None and not told:
        facts.append(("photos", "the file does not say how they become the input"))
    options = ["--resolution 224"] if network is not None and open_size(layers) else []
    options.append("--calibration PHOTOS" if told else "--data PHOTOS")
    command = None if problems else convert_command(name, *options)
    return FileDescription(name, found.kind.code, tuple(facts), problems, command, extra="train")


def _name(layer: Layer) -> str:
    return str(config_of(layer).get("name") or layer.get("name") or "")


def _network_facts(network: Layer, layers: list[Layer]) -> list[tuple[str, str]]:
    facts = []
    shape = input_shape(layers)
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
    nested = [_name(layer) for layer in layers if layer.get("class_name") in NETWORKS]
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common(_SHOWN))
    holding = f"; holds {', '.join(nested[:_SHOWN])}" if nested else ""
    more = " …" if len(kinds) > _SHOWN else ""
    facts.append(("layers", f"{len(layers)}: {counted}{more}{holding}"))
    answers = filter(None, (_answer(ending) for ending in _endings(network, layers)))
    if answer := "; ".join(answers):
        facts.append(("answer", answer))
    return facts


def _endings(network: Layer, layers: list[Layer]) -> list[list[Layer]]:
    """The layers up to each of several outputs; all of them for one."""
    said = config_of(network).get("output_layers")
    if not isinstance(said, list) or len(said) < 2 or not all(isinstance(o, list) for o in said):
        return [layers]
    names = [_name(layer) for layer in layers]
    places = (names.index(str(end[0])) for end in said if end and str(end[0]) in names)
    return [layers[: place + 1] for place in places]


def _answer(layers: list[Layer]) -> str | None:
    last = next((one for one in reversed(layers) if "units" in config_of(one)), None)
    if last is None:
        return None
    units, activation = config_of(last)["units"], config_of(last).get("activation")
    end = layers[-1]
    if end.get("class_name") in ("Activation", "Softmax"):
        activation = config_of(end).get("activation", "softmax")
    said = activation if isinstance(activation, str) else "an activation of its own"
    return f"{counted(units, 'number')}, {said}"


def _labels(layers: list[Layer], path: Path) -> list[tuple[str, str]]:
    """The names that lie beside the file, where there are as many as it has answers."""
    units = next(
        (config_of(one)["units"] for one in reversed(layers) if "units" in config_of(one)), 0
    )
    if type(units) is not int or units < 1:
        return []
    found = labels_beside(path, Head("softmax" if units > 1 else "sigmoid", units))
    return [("labels", f"{listed(found.names, 6)} (from {found.source})")] if found.names else []


def _refusal(network: Layer, path: Path) -> tuple[Finding, ...]:
    """What ``convert`` would refuse it for."""
    try:
        refuse_unconvertible_network(network, path)
    except ModelError as error:
        what = f"{error.what}: {error.found}" if error.found else error.what
        return (Finding("network", False, what, error.fix),)
    return ()
