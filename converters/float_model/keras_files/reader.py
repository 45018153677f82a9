"""From a Keras file to a float ``.tflite`` with batch 1. Needs the ``train`` extra."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converters.float_model.export import export_image_network
from converters.float_model.keras_files.config.configuration import ConfigUpdate
from converters.float_model.keras_files.container import said_by_keras
from converters.float_model.keras_files.image_size import image_shape, resized_inside
from converters.float_model.keras_files.network import LoadedNetwork, load_network
from converters.float_model.keras_files.pixels import (
    rescaled_pixels,
    said_by,
    teachable_machine_pixels,
)
from converters.float_model.read_model import ReadModel
from converters.float_model.saved_model.signature import SavedModel
from converters.float_model.source import exported_step, file_origin
from edge_effnet.errors import ModelError
from edge_effnet.files.read import open_file
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.model_files import several_ends
from edge_effnet.tflite.reader import parse_structure

if TYPE_CHECKING:
    import keras


def read_keras_model(path: Path, *, resolution: int | None) -> ReadModel:
    """Read a whole network of Keras 2 or 3, ``.h5`` or ``.keras``, whatever the file's name.

    Args:
        resolution: side of the input in pixels, for a network that takes any.

    Raises:
        ModelError: missing, damaged, with layers of unknown kinds or code, never built, or not
            for one image.
        MissingExtra: TensorFlow is not installed.
    """
    if path.is_dir():
        return _read_saved_model(path, resolution)
    loaded = load_network(path)
    _refuse_other_ends(loaded.network, path)
    height, width, channels = image_shape(
        tuple(loaded.network.inputs[0].shape)[1:],
        resolution,
        path,
        inside=resized_inside(loaded.network),
    )
    try:
        with _named(path):
            model = export_image_network(loaded.network, height, width, channels)
    except ModelError:
        raise
    except Exception as error:  # Keras raises what it likes
        raise ModelError(
            f"{path} does not run on one image of {height}x{width}",
            found=said_by_keras(error),
            fix="give the side that it was trained at (--resolution), if it takes any; else save "
            "it again with model.save('NAME.keras') where it was trained",
        ) from error
    return ReadModel(
        model,
        parse_structure(model, str(path)),
        file_origin(path),
        steps=(exported_step(model),),
        notices=_notices(loaded.update, path),
        found=_found(loaded, height, width, channels),
    )


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """The user's file in what an export says."""
    try:
        yield
    except ModelError as error:
        raise ModelError(
            f"{path}: {error.what}", found=error.found, expected=error.expected, fix=error.fix
        ) from error


def _read_saved_model(folder: Path, resolution: int | None) -> ReadModel:
    """The signature of a SavedModel, with its variables folded."""
    saved = SavedModel(folder)
    if len(saved.image.outputs) > 1:
        raise several_ends("outputs", saved.image.outputs, folder)
    height, width, channels = image_shape(saved.image.shape[1:], resolution, folder)
    with _named(folder):
        model = saved.export(height, width, channels)
    return ReadModel(
        model,
        parse_structure(model, str(folder)),
        _folder_origin(folder),
        steps=(exported_step(model),),
        found=said_by(*saved.start, foreign_preprocess(height, width, channels)),
    )


def _folder_origin(folder: Path) -> dict[str, Any]:
    """What a card says of a SavedModel: a hash over its graph and its variables."""
    files = [folder / "saved_model.pb", *sorted((folder / "variables").glob("variables.*"))]
    digest = hashlib.sha256()
    for file in files:
        with open_file(file) as content:
            while piece := content.read(1 << 20):
                digest.update(piece)
    return {"kind": "file", "file": folder.name, "sha256": digest.hexdigest()}


def _found(loaded: LoadedNetwork, height: int, width: int, channels: int) -> FoundPreprocess | None:
    default = foreign_preprocess(height, width, channels)
    if loaded.teachable_machine:
        return teachable_machine_pixels(default)
    if loaded.update.preprocess:
        return FoundPreprocess(default, "preprocess_input inside the network")
    return rescaled_pixels(loaded.network, default)


def _refuse_other_ends(network: keras.Model, path: Path) -> None:
    """Several inputs or several answers."""
    if len(network.inputs) > 1:
        raise several_ends("inputs", [tensor.name for tensor in network.inputs], path)
    if len(network.outputs) > 1:
        raise several_ends("outputs", network.output_names, path)


def _notices(update: ConfigUpdate, path: Path) -> tuple[str, ...]:
    lines = []
    if update.mixed is not None:
        lines.append(f"{path.name} was trained in {update.mixed}; it is rebuilt in float32")
    if update.batch not in (None, 1):
        lines.append(f"{path.name} takes {update.batch} images at once; here it takes one")
    if update.training_only:
        shown = ", ".join(update.training_only[:4])
        more = " …" if len(update.training_only) > 4 else ""
        lines.append(f"left out, as they only act in training: {shown}{more}")
    if update.cropped and update.old:
        lines.append(
            f"{', '.join(update.cropped[:4])} crops at random in training: here, as in Keras 2, "
            "it takes the centre"
        )
    lines += [
        f"{path.name} does not hold its function preprocess_input, which is taken for that of "
        f"{guess}; where it is your own, build the network with keras.layers.Rescaling instead"
        for guess in update.guesses
    ]
    return tuple(lines)
