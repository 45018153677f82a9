"""Keras network or SavedModel -> float ``.tflite``: batch 1, built-in operators only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.keras_files.graph_steps import first_steps
from converters.float_model.saved_graph import refuse_unsafe
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import MissingExtra, ModelError
from edge_effnet.model_files.convertible import not_one_image
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import NORMALIZATION_LAYER
from edge_effnet.system.native_log import native_output_hidden

if TYPE_CHECKING:
    import keras

FIRST_LAYER = "stem_conv"  # what comes before it only prepares pixels


def export_network(network: keras.Model, spec: VariantSpec) -> bytes:
    """Export one of our networks.

    The rescaling and normalization layers become one depthwise 1×1 convolution: in int8 that
    is one operator with an exact scale per channel instead of three that each round.

    Args:
        network: as ``edge_effnet.network.build`` makes it, any batch size.
        spec: the row it was built from.
    """
    keras = keras_module()
    height, width, channels = network.input_shape[1:]
    pixels = keras.Input((height, width, channels), batch_size=1, name="image")
    normalize = keras.layers.DepthwiseConv2D(1, name="pixel_normalization")
    body = keras.Model(network.get_layer(FIRST_LAYER).input, network.output)
    scores = body(normalize(pixels))
    scale, offset = pixel_affine(network, spec)
    normalize.set_weights([scale.reshape(1, 1, 3, 1), offset])
    return _convert(keras.Model(pixels, scores))


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
    return _convert(keras.Model(pixels, scores))


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


@dataclass(frozen=True)
class SignatureImage:
    """The one image that a SavedModel's signature takes.

    Attributes:
        shape: (batch, height, width, channels); None where a dimension is open.
        outputs: names of what it gives.
    """

    shape: tuple[int | None, ...]
    outputs: tuple[str, ...]


class SavedModel:
    """A SavedModel folder whose ``serving_default`` signature becomes a float ``.tflite``.

    Its file is read before TensorFlow loads it: operators that TensorFlow does not have or that
    touch more than tensors, and objects that run code when they are loaded, are refused
    (``saved_graph``). Variables become constants, half precision and uint8 pixels float32.

    Raises:
        ModelError: damaged, with such parts, or without a signature for one image.
        MissingExtra: TensorFlow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._tf = folder, _tensorflow()
        self._refuse_unsafe()
        with native_output_hidden(stdout=True):
            try:
                loaded = self._tf.saved_model.load(str(folder))
            except Exception as error:  # TensorFlow raises what it likes
                raise _damaged(folder, error) from error
        self._keep_alive = loaded
        self.start = (1.0, 0.0)
        """Mean factor and offset that the graph begins with; known once it was exported."""
        self._function = self._signature(loaded)
        self.image = self._only_image()

    def _refuse_unsafe(self) -> None:
        from tensorflow.core.protobuf import saved_model_pb2
        from tensorflow.python.framework import op_def_registry

        saved = saved_model_pb2.SavedModel()
        try:
            saved.ParseFromString((self._folder / "saved_model.pb").read_bytes())
        except Exception as error:  # of protobuf, which has no public name
            raise _damaged(self._folder, error) from error
        refuse_unsafe(saved, op_def_registry.get, self._folder)

    def _signature(self, loaded: Any) -> Any:
        signatures = dict(getattr(loaded, "signatures", {}))
        if not signatures:
            raise ModelError(
                f"{self._folder} has no signature to call",
                found="a SavedModel without signatures",
                expected="serving_default",
                fix="save it with model.export('NAME')",
            )
        return signatures.get("serving_default") or next(iter(signatures.values()))

    def _only_image(self) -> SignatureImage:
        inputs = self._function.structured_input_signature[1]
        spec = next(iter(inputs.values())) if len(inputs) == 1 else None
        rank = spec.shape.rank if spec is not None else None
        if spec is None or rank != 4 or spec.dtype not in (self._tf.float32, self._tf.uint8):
            shown = ", ".join(f"{name}: {s.dtype.name} {s.shape}" for name, s in inputs.items())
            raise not_one_image(self._folder, shown or "no input")
        outputs = tuple(sorted(self._function.structured_outputs))
        return SignatureImage(tuple(spec.shape.as_list()), outputs)

    def export(self, height: int, width: int, channels: int) -> bytes:
        """The float ``.tflite`` for one image of this size."""
        from tensorflow.python.framework import convert_to_constants

        tf = self._tf
        with native_output_hidden(stdout=True):
            try:
                fold = convert_to_constants.convert_variables_to_constants_v2
                frozen = fold(self._function)
                graph = frozen.graph.as_graph_def()
                self._take_float(graph)
                _for_one_image(graph, (1, height, width, channels), self.image.shape[0])
                self.start = first_steps(graph, tf.make_ndarray)
                ends = [tensor.name for tensor in (*frozen.inputs, *frozen.outputs)]
                imported = tf.compat.v1.wrap_function(
                    lambda: tf.graph_util.import_graph_def(graph, name=""), []
                )
                found = [imported.graph.get_tensor_by_name(name) for name in ends]
                one = imported.prune(found[:1], found[1:])
            except ModelError:
                raise
            except Exception as error:  # TensorFlow raises what it likes
                raise _inexpressible(error) from error
            return _converted(tf.lite.TFLiteConverter.from_concrete_functions([one]))

    def _take_float(self, graph: Any) -> None:
        """Let operators that take integer pixels, and only convert or move them, take floats.

        Raises:
            ModelError: others compute with the integers.
        """
        waiting = [node.name for node in graph.node if node.op == "Placeholder"]
        readers = [(node.input[0].partition(":")[0], node) for node in graph.node if node.input]
        while waiting:
            source = waiting.pop()
            for node in (reader for first, reader in readers if first == source):
                self._read_float(node)
                waiting += [node.name] if _ON_PIXELS.get(node.op) else []

    def _read_float(self, node: Any) -> None:
        """Let one operator take float32 instead of uint8."""
        name, integer = "SrcT" if node.op == "Cast" else "T", self._tf.uint8.as_datatype_enum
        if node.op == "Shape" or name not in node.attr or node.attr[name].type != integer:
            return
        if node.op not in _ON_PIXELS:
            raise ModelError(
                f"{self._folder} computes with the integers of its pixels",
                found=f"{node.op} of uint8",
                expected="pixels that are cast to float32 first",
                fix="export it with an input of float32",
            )
        node.attr[name].type = self._tf.float32.as_datatype_enum


# What may take pixels of uint8 in a graph, and whether it makes uint8 too.
_ON_PIXELS = {
    **dict.fromkeys(("Cast", "ResizeArea", "ResizeBicubic", "ResizeBilinear"), False),
    **dict.fromkeys("ExpandDims Identity Reshape ResizeNearestNeighbor Squeeze".split(), True),
    **dict.fromkeys(("StopGradient", "StridedSlice", "ReverseV2"), True),
}


def _for_one_image(graph: Any, shape: tuple[int, ...], batch: int | None) -> None:
    """Give a frozen graph an input of one image, and float32 in the place of half precision.

    Args:
        graph: a ``GraphDef``, changed in place.
        batch: the fixed one, which stands in the shapes that it reshapes to.
    """
    import tensorflow as tf

    half = {tf.float16.as_datatype_enum, tf.bfloat16.as_datatype_enum}
    targets = {node.input[1].partition(":")[0] for node in graph.node if node.op == "Reshape"}
    for node in graph.node:
        node.attr.pop("_output_shapes", None)
        for value in node.attr.values():
            if value.type in half:
                value.type = tf.float32.as_datatype_enum
        if node.op == "Placeholder":
            node.attr["dtype"].type = tf.float32.as_datatype_enum
            node.attr["shape"].shape.CopyFrom(tf.TensorShape(shape).as_proto())
        if node.op != "Const":
            continue
        stored = node.attr["value"].tensor
        array = tf.make_ndarray(stored)
        if stored.dtype in half:
            stored.CopyFrom(tf.make_tensor_proto(array.astype(np.float32)))
        elif node.name in targets and batch not in (None, 1) and array.ndim and array[0] == batch:
            array = np.array([1, *array[1:]], array.dtype)
            stored.CopyFrom(tf.make_tensor_proto(array))


def _damaged(folder: Path, error: Exception) -> ModelError:
    return ModelError(
        f"{folder} cannot be loaded as a SavedModel",
        found=" ".join(str(error).split())[:200] or type(error).__name__,
        expected="saved_model.pb and the folder variables beside it, whole",
        fix="copy or export it again: model.export('NAME')",
    )


def _tensorflow() -> Any:
    keras_module()  # which keeps TensorFlow from logging when it is imported
    try:
        import tensorflow as tf
    except ImportError as error:
        raise MissingExtra("tensorflow", "train", "exporting a network to .tflite") from error
    return tf


def _convert(network: keras.Model) -> bytes:
    tf = _tensorflow()
    with native_output_hidden(stdout=True):
        return _converted(tf.lite.TFLiteConverter.from_keras_model(network))


def _converted(converter: Any) -> bytes:
    """What a TFLite converter makes of built-in operators alone."""
    tf = _tensorflow()
    with native_output_hidden(stdout=True):
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter raises what it likes
            raise _inexpressible(error) from error


def _inexpressible(error: Exception) -> ModelError:
    said = str(error)
    named = sorted(set(re.findall(r"\btf\.([A-Z]\w+)", said.partition("Details:")[0] or said)))
    return ModelError(
        "the network cannot be expressed in TFLite's built-in operators",
        found=", ".join(named[:5]) or " ".join(said.split())[:300],
        fix="replace what is named there by layers that TFLite has",
    )
