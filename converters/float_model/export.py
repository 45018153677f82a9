"""Keras network -> float ``.tflite``: batch 1, built-in operators only."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.convert_apart import AT_ONCE, convert_apart
from converters.float_model.export_in_parts import PART_WEIGHTS, in_parts, join
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import MissingExtra, ModelError
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import NORMALIZATION_LAYER
from edge_effnet.system.native_log import native_output_hidden
from edge_effnet.tflite.editor import pack_tree, read_tree

if TYPE_CHECKING:
    import keras

_WEIGHTS_BEHIND = b"buffer_location"  # metadata that says so
FIRST_LAYER = "stem_conv"  # what comes before it only prepares pixels


def export_network(
    network: keras.Model, spec: VariantSpec, part_weights: int = PART_WEIGHTS
) -> bytes:
    """Export one of our networks.

    The rescaling and normalization layers become one depthwise 1×1 convolution: in int8 that
    is one operator with an exact scale per channel instead of three that each round.

    Args:
        network: as ``edge_effnet.network.build`` makes it, any batch size. Freed on the way, where
            the caller keeps no reference.
        spec: the row it was built from.
        part_weights: of the parts that it is converted in, about.
    """
    keras, scaling = keras_module(), pixel_affine(network, spec)
    body = keras.Model(network.get_layer(FIRST_LAYER).input, network.output)
    parts = in_parts(body, part_weights)
    del body
    ends = [f"{part.layers[-1].name}/Add" for part in parts[:-1]]
    parts[0] = _behind_pixels(parts[0], network.input_shape[1:], *scaling)
    del network
    return _converted_in_parts(parts, ends) if ends else _convert_frozen(parts.pop())


def _converted_in_parts(parts: list[keras.Model], ends: list[str]) -> bytes:
    """Args: parts: emptied, so that each is freed once it is saved."""
    with native_output_hidden(stdout=True), TemporaryDirectory() as scratch:
        folders = [Path(scratch) / str(index) for index in range(len(parts))]
        for index, folder in enumerate(folders):
            part = parts.pop(0)
            _save(_of_one(part) if index else part, str(folder))
            del part
            gc.collect()
        apart = len(folders) > AT_ONCE  # else what a second TensorFlow takes is more than it saves
        models = convert_apart(folders) if apart else [*map(convert_folder, map(str, folders))]
    return _with_signature(join(models, ends), ["image"])


def _behind_pixels(
    body: keras.Model, shape: tuple[int, ...], scale: Any, offset: Any
) -> keras.Model:
    keras = keras_module()
    pixels = keras.Input(shape, batch_size=1, name="image")
    normalize = keras.layers.DepthwiseConv2D(1, name="pixel_normalization")
    made = body(normalize(pixels))
    normalize.set_weights([scale.reshape(1, 1, 3, 1), offset])
    return keras.Model(pixels, made)


def _of_one(part: keras.Model) -> keras.Model:
    keras = keras_module()
    given = keras.Input(part.input_shape[1:], batch_size=1)
    return keras.Model(given, part(given))


def pixel_affine(network: keras.Model, spec: VariantSpec) -> tuple[Any, Any]:
    """The normalization inside the graph as (scale, offset): activation = pixel · scale +
    offset, float32, one per channel. Stored statistics win over the row's."""
    normalization = spec.normalization
    mean, std = np.array(normalization.mean, np.float64), np.array(normalization.std, np.float64)
    if normalization.stored:
        mean, variance, _ = (
            np.asarray(w, np.float64) for w in network.get_layer(NORMALIZATION_LAYER).get_weights()
        )
        # Keras guards the division in the same way (layers.Normalization).
        mean, std = mean.reshape(3), np.maximum(np.sqrt(variance.reshape(3)), 1e-7)
    return (1 / (normalization.scale * std)).astype(np.float32), (-mean / std).astype(np.float32)


def export_peer(network: keras.Model, matrix: Any, offset: Any) -> bytes:
    """Export a network that prepares pixels outside of itself, with that inside.

    Args:
        network: any batch size, a fixed image size.
        matrix, offset: activation = matrix · pixel + offset, float32, (3, 3) and (3,).
    """
    keras = keras_module()
    pixels = keras.Input(network.input_shape[1:], batch_size=1, name="image")
    normalize = keras.layers.Conv2D(3, 1, name="pixel_normalization")
    scores = network(normalize(pixels))
    normalize.set_weights([matrix.T.reshape(1, 1, 3, 3), offset])
    return _convert_frozen(keras.Model(pixels, scores))


def export_image_network(network: keras.Model, height: int, width: int, channels: int) -> bytes:
    """Export a user's own network for one image of a fixed size, as it answers after training.

    Args:
        network: takes (batch, height, width, channels), or (batch, height, width) of a grey one.
    """
    keras = keras_module()
    image = keras.Input((height, width, channels), batch_size=1, name="image")
    grey = len(network.inputs[0].shape) == 3
    pixels = keras.layers.Reshape((height, width))(image) if grey else image
    return _convert(keras.Model(image, network(pixels, training=False)))


def tensorflow_module() -> Any:
    keras_module()  # which keeps TensorFlow from logging when it is imported
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingExtra("tensorflow", "train", "exporting a network to .tflite") from error
    return tf


def _convert_frozen(network: keras.Model) -> bytes:
    """Convert a network of plain layers from its graph, with the weights as constants.

    Takes a third of the time that writing and reading a SavedModel does; that is what ``_convert``
    and the parts of large networks do, since their weights are not in memory twice then.
    """
    tf = tensorflow_module()
    images = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in network.inputs]
    with native_output_hidden(stdout=True):
        answer = tf.function(partial(network.__call__, training=False))
        graph = answer.get_concrete_function(*images)
        model = converted(tf.lite.TFLiteConverter.from_concrete_functions([graph]))
    return _with_signature(model, [image.name for image in images])


def _with_signature(model: bytes, inputs: Sequence[str]) -> bytes:
    """Name inputs and outputs as a SavedModel's signature does, and their tensors the same."""
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]

    def entries(names: Sequence[str], tensors: Sequence[int]) -> list[Any]:
        made = [schema.TensorMapT() for _ in names]
        for entry, name, tensor in zip(made, names, tensors, strict=True):
            entry.name, entry.tensorIndex = name.encode(), int(tensor)
            graph.tensors[tensor].name = name.encode()
        return made

    signature = schema.SignatureDefT()
    signature.signatureKey, signature.subgraphIndex = b"serving_default", 0
    signature.inputs = entries(inputs, graph.inputs)
    outputs = [f"output_{index}" for index in range(len(graph.outputs))]
    signature.outputs = entries(outputs, graph.outputs)
    tree.signatureDefs = [signature]
    return pack_tree(tree)


def _convert(network: keras.Model) -> bytes:
    tf = tensorflow_module()
    with native_output_hidden(stdout=True), TemporaryDirectory() as folder:
        try:
            _save(network, folder)
        except Exception:  # Keras raises what it likes; TensorFlow knows another way
            return converted(tf.lite.TFLiteConverter.from_keras_model(network))
        del network
        gc.collect()
        return convert_folder(folder)


def convert_folder(saved_model: str) -> bytes:
    """What a TFLite converter makes of a SavedModel, built-in operators alone."""
    return converted(tensorflow_module().lite.TFLiteConverter.from_saved_model(saved_model))


def _save(network: keras.Model, folder: str) -> None:
    """What ``from_keras_model`` begins with; from the folder the conversion needs no network."""
    keras, tf = keras_module(), tensorflow_module()
    images = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in network.inputs]
    archive = keras.export.ExportArchive()
    archive.track(network)
    archive.add_endpoint("serve", partial(network.__call__, training=False), images)
    archive.write_out(folder)


def converted(converter: Any) -> bytes:
    """What a TFLite converter makes of built-in operators alone.

    The converter is used up: what it holds of the network is freed before the file is written.
    """
    tf = tensorflow_module()
    with native_output_hidden(stdout=True):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        # Weights behind the FlatBuffer, where TensorFlow leaves them alone. Its passes over a file
        # that holds them in itself copy them six times, 3 GB for the largest networks.
        converter._experimental_use_buffer_offset = True
        try:
            model = bytes(converter.convert())
        except Exception as error:  # the converter raises what it likes
            raise inexpressible(error) from error
    del converter
    gc.collect()
    _, tree = read_tree(model)
    tree.metadata = [entry for entry in tree.metadata or [] if entry.name != _WEIGHTS_BEHIND]
    return pack_tree(tree)


def inexpressible(error: Exception) -> ModelError:
    said = str(error)
    named = sorted(set(re.findall(r"\btf\.([A-Z]\w+)", said.partition("Details:")[0] or said)))
    return ModelError(
        "the network cannot be expressed in TFLite's built-in operators",
        found=", ".join(named[:5]) or " ".join(said.split())[:300],
        fix="replace what is named there by layers that TFLite has",
    )
