"""From a Keras file to a float ``.tflite`` with batch 1. Needs the ``train`` extra."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from converters.float_model.export import export_image_network
from converters.float_model.keras_files.configuration import Mending
from converters.float_model.keras_files.image_size import image_shape
from converters.float_model.keras_files.network import LoadedNetwork, load_network
from converters.float_model.keras_files.pixels import found_pixels, teachable_machine_pixels
from converters.float_model.read_model import ReadModel
from converters.float_model.source import exported_step, file_origin
from edge_effnet.errors import ModelError
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import foreign_preprocess
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
    loaded = load_network(path)
    _refuse_other_ends(loaded.network, path)
    height, width, channels = image_shape(loaded.network, resolution, path)
    try:
        model = export_image_network(loaded.network, height, width, channels)
    except ModelError as error:
        raise ModelError(f"{path}: {error.what}", found=error.found, fix=error.fix) from error
    return ReadModel(
        model,
        parse_structure(model, str(path)),
        file_origin(path),
        steps=(exported_step(model),),
        notices=_notices(loaded.mending, path),
        found=_found(loaded, height, width, channels),
    )


def _found(loaded: LoadedNetwork, height: int, width: int, channels: int) -> FoundPreprocess:
    default = foreign_preprocess(height, width, channels)
    if loaded.teachable_machine:
        return teachable_machine_pixels(default)
    found = found_pixels(loaded.network, default)
    return found or FoundPreprocess(default, "nothing; it is taken to expect 0–255")


def _refuse_other_ends(network: keras.Model, path: Path) -> None:
    """Several inputs or several answers."""
    for tensors, what in ((network.inputs, "images or values"), (network.outputs, "answers")):
        if len(tensors) > 1:
            names = ", ".join(tensor.name for tensor in tensors)
            raise ModelError(
                f"{path} has {len(tensors)} {'inputs' if what != 'answers' else 'outputs'}",
                found=names,
                expected="one image in and one answer out",
                fix="save the part that is wanted: keras.Model(model.inputs[0], "
                "model.outputs[0]).save('NAME.keras')",
            )


def _notices(mending: Mending, path: Path) -> tuple[str, ...]:
    lines = []
    if mending.mixed is not None:
        lines.append(f"{path.name} was trained in {mending.mixed}; it is rebuilt in float32")
    if mending.batch not in (None, 1):
        lines.append(f"{path.name} takes {mending.batch} images at once; here it takes one")
    if mending.training_only:
        shown = ", ".join(mending.training_only[:4])
        more = " …" if len(mending.training_only) > 4 else ""
        lines.append(f"left out, as they only act in training: {shown}{more}")
    return tuple(lines)
