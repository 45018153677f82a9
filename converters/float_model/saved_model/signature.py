"""SavedModel folder -> float ``.tflite``: batch 1, built-in operators only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.float_model.export import converted, inexpressible, tensorflow_module
from converters.float_model.saved_model.first_steps import first_steps
from converters.float_model.saved_model.safety import refuse_unsafe
from edge_effnet.errors import ModelError
from edge_effnet.files.limits import MODEL_BYTES
from edge_effnet.files.read import read_bytes
from edge_effnet.model_files.convertible import not_one_image
from edge_effnet.system.native_log import native_output_hidden


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
    (``safety``). Variables become constants, half precision and uint8 pixels float32.

    Raises:
        ModelError: damaged, with such parts, or without a signature for one image.
        MissingExtra: TensorFlow is not installed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._tf = folder, tensorflow_module()
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

        content = read_bytes(self._folder / "saved_model.pb", MODEL_BYTES, ModelError)
        saved = saved_model_pb2.SavedModel()
        try:
            saved.ParseFromString(content)
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
        """The float ``.tflite`` for one image of this size.

        Raises:
            ModelError: TFLite's built-in operators do not express it.
        """
        try:
            return self._exported(height, width, channels)
        except ModelError as error:
            if not (drawn := self._random_operators()):
                raise
            raise ModelError(
                "the network changes its images at random whenever it answers",
                found=", ".join(drawn[:5]),
                expected="a network without layers such as RandomFlip, which model.export() keeps",
                fix="save it with model.save('NAME.keras') and convert that: they are left out "
                "there",
            ) from error

    def _random_operators(self) -> list[str]:
        """Those of the signature that draw random numbers."""
        graph = self._function.graph.as_graph_def()
        nodes = [*graph.node, *(node for one in graph.library.function for node in one.node_def)]
        return sorted({node.op for node in nodes if "Random" in node.op})

    def _exported(self, height: int, width: int, channels: int) -> bytes:
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
                raise inexpressible(error) from error
            return converted(tf.lite.TFLiteConverter.from_concrete_functions([one]))

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
                "the network computes with the integers of its pixels",
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
    tf = tensorflow_module()
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
