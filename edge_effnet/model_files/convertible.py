"""What ``convert`` is known to say of a model that only it takes: asked by the commands that would
send a user there. Reads configurations and graphs; no TensorFlow, no Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge_effnet.errors import ModelError
from edge_effnet.model_files.archives import unpacked
from edge_effnet.model_files.identify import ModelFile, identify, keras_network
from edge_effnet.model_files.keras_layers import layers_of, open_size
from edge_effnet.model_files.saved_model import read_saved_graph, refuse_operators, touches_more
from edge_effnet.plugins import PARTS, load

_PACKAGES = ("keras-package", "saved-model-package")
_IMAGE_CHANNELS = (1, 3)


def refuse_unconvertible(found: ModelFile, name: Path | None = None) -> bool:
    """Refuse what ``convert`` would refuse.

    Args:
        found: a Keras file or a SavedModel; another kind passes.
        name: what the user calls it, where it was taken out of an archive.

    Returns:
        Whether ``convert`` needs ``--resolution``, as the network takes images of any size.

    Raises:
        ModelError: with what ``convert`` would say.
    """
    name = name or found.path
    if found.kind.code in _PACKAGES:
        with unpacked(found.path) as model:
            return refuse_unconvertible(identify(model), found.path)
    if found.kind.code == "saved-model":
        return _saved_model(found.path, name)
    network, _ = keras_network(found)
    return network is not None and refuse_unconvertible_network(network, name)


def refuse_unconvertible_network(network: Mapping[str, Any], name: Path) -> bool:
    """The same of a Keras network's configuration."""
    try:
        load(PARTS["convert KERAS"])(network, name)
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise ModelError(
            f"{name} is damaged",
            found=f"its configuration: {error}",
            expected="a whole Keras model",
            fix="save it again with model.save('NAME.keras') where it was trained",
        ) from error
    return open_size(list(layers_of(network)))


def _saved_model(folder: Path, name: Path) -> bool:
    graph = read_saved_graph(folder)
    if graph is None:
        return False
    # A custom operator is named NAMESPACE>NAME.
    refuse_operators(name, frozenset(n for n in graph.operators if touches_more(n) or ">" in n))
    if not graph.inputs:
        return False
    shapes = [shape for _, shape in graph.inputs]
    first = shapes[0]
    if len(shapes) > 1 or first is None or len(first) != 4 or first[3] not in _IMAGE_CHANNELS:
        shown = ", ".join(f"{name} {_shown(shape)}" for name, shape in graph.inputs)
        raise not_one_image(name, shown)
    if len(graph.outputs) > 1:
        raise several_ends("outputs", graph.outputs, name)
    return min(first[1:3]) < 0


def not_one_image(folder: Path, shown: str) -> ModelError:
    """The error of a SavedModel that takes something else."""
    return ModelError(
        f"{folder} does not take one image",
        found=shown,
        expected="one input of float32 (batch, height, width, channels)",
        fix="export the part of it that classifies one image",
    )


def several_ends(what: str, names: Sequence[str], path: Path) -> ModelError:
    """The error of a network with several ``inputs`` or ``outputs``."""
    return ModelError(
        f"{path} has {len(names)} {what}",
        found=", ".join(names),
        expected="one image in and one answer out",
        fix="convert a network that is given the image alone"
        if what == "inputs"
        else "save the part that is wanted: keras.Model(model.inputs[0], "
        "model.outputs[0]).save('NAME.keras')",
    )


def _shown(shape: tuple[int, ...] | None) -> str:
    if shape is None:
        return "of any shape"
    return f"({', '.join('any' if side < 0 else str(side) for side in shape)})"
