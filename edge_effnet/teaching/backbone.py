"""The part of a classifier that is kept: from the image to the features its last layers read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.artifact import Artifact, Card, read_artifact, split_archive
from edge_effnet.errors import ModelError
from edge_effnet.heads.tasks import refuse_other_tasks, refuse_unfixed_input
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize
from edge_effnet.runtime.classifier import refuse_no_image, refuse_other_shape
from edge_effnet.runtime.delegates import ExternalDelegate, delegate_for
from edge_effnet.runtime.input_pixels.input_tensor import keeps_pixels
from edge_effnet.runtime.input_pixels.known import input_pixels
from edge_effnet.runtime.interpreter import open_bytes, open_interpreter
from edge_effnet.runtime.tensors import quantize_in, tensor_format
from edge_effnet.tflite.new_end import NewOperator, with_new_end
from edge_effnet.tflite.reader import Operator, Structure, read_model_bytes

FEATURES = "features"
TAUGHT = "taught"
"""The step in the card of a file that was made so."""
# Layers that are exchanged, and what may stand between them and around them.
_LAYERS = frozenset({"FULLY_CONNECTED", "CONV_2D"})
_BETWEEN = frozenset(
    {"SOFTMAX", "LOGISTIC", "RELU", "RELU6", "MUL", "ADD", "RESHAPE", "SQUEEZE"}
    | {"QUANTIZE", "DEQUANTIZE", "CAST", "L2_NORMALIZATION"}
)
# What a file that was taught before has between its features and the layer.
_MADE_OF_FEATURES = frozenset({"L2_NORMALIZATION", "DEQUANTIZE"})


@dataclass(frozen=True, eq=False)
class Backbone:
    """What stays of a classifier.

    Attributes:
        path: the file it is from.
        model: without the archive behind it.
        sha256: of the network up to its features, by which they are kept.
        tensor: the features, an index.
        width: how many there are for an image.
        preprocess: what an image goes through.
        card: None for a file that was not made by this toolkit.
        xnnpack: whether the XNNPACK delegate runs it.
        external: the device that it was compiled for, which computes the features.
    """

    path: Path
    model: bytes
    structure: Structure
    tensor: int
    width: int
    preprocess: Preprocess
    card: Card | None
    xnnpack: bool
    external: ExternalDelegate | None
    sha256: str

    def ending(self) -> tuple[NewOperator, ...]:
        """What makes float32 features of the kept tensor: nothing, or a DEQUANTIZE."""
        if self.structure.tensors[self.tensor].dtype == "float32":
            return ()
        return (NewOperator("DEQUANTIZE", self.tensor, FEATURES, (1, self.width)),)

    @property
    def features(self) -> int | str:
        """The float32 features: an index, or the name that ``ending`` gives them."""
        return FEATURES if self.ending() else self.tensor


def open_backbone(path: Path, *, preprocess: str | None = None) -> Backbone:
    """Read a classifier whose last layer can be exchanged.

    Args:
        preprocess: for a file that does not say how pixels become its input.

    Raises:
        ModelError: no model, no last layer that can be exchanged, or a file that does not say how
            pixels become its input.
    """
    artifact = read_artifact(path)
    structure, name = artifact.structure, str(path)
    refuse_other_tasks(structure, name)
    refuse_unfixed_input(structure, name)
    (image,) = structure.inputs
    refuse_no_image(path, structure.tensors[image].shape)
    tensor = find_features(structure, name)
    model, _ = split_archive(read_model_bytes(path), name)
    settings = _preprocess(path, artifact, preprocess)
    refuse_other_shape(path, settings, structure.tensors[image].shape)
    # What the runtime refuses, what ends a process, and a device that is missing is found here.
    xnnpack = open_interpreter(path).notice is None
    width = structure.tensors[tensor].elements
    kept = Backbone(
        path,
        model,
        structure,
        tensor,
        width,
        settings,
        artifact.card,
        xnnpack,
        delegate_for(structure),
        "",
    )
    return replace(kept, sha256=_hash_of(kept))


def _hash_of(backbone: Backbone) -> str:
    """Of the features, the same for a file that was taught and for its base.

    It is made of the operators and weights that are kept, wherever they lie in the file.
    """
    settings = repr(backbone.preprocess).encode()
    return hashlib.sha256(features_model(backbone) + settings).hexdigest()


def _preprocess(path: Path, artifact: Artifact, given: str | None) -> Preprocess:
    pixels = input_pixels(path, artifact, given)
    if not pixels.known:
        raise pixels.refusal()
    return pixels.settings


def find_features(structure: Structure, name: str) -> int:
    """The tensor that the first of a classifier's last layers reads: a vector for an image.

    Raises:
        ModelError: it does not end in such layers.
    """
    makers = {tensor: operator for operator in structure.operators for tensor in operator.outputs}
    computed = _computed_of(structure, structure.inputs)
    tensor, found = structure.outputs[0] if structure.outputs else -1, -1
    while (maker := makers.get(tensor)) is not None and _passes(structure, maker, computed):
        tensor = maker.inputs[0]
        if maker.name in _LAYERS or (found >= 0 and maker.name in _MADE_OF_FEATURES):
            found = tensor
    last = makers.get(structure.outputs[0]) if structure.outputs else None
    if found < 0 and delegate_for(structure) is not None:
        raise ModelError(
            f"{name} is compiled for the Edge TPU with its last layer",
            found=f"{last.name if last else 'nothing'} at its end",
            expected="a last layer that stays on the CPU (convert --edgetpu --teachable)",
            fix="teach the .tflite that it was compiled from, and compile what teach writes",
        )
    if found < 0 or not makers.get(found):
        raise ModelError(
            f"{name} has no last layer that could be exchanged",
            found=f"{last.name if last else 'nothing'} at its end",
            expected="a classifier: a vector of features, and a dense layer behind it",
            fix="give another file with --base, or leave --base out",
        )
    return found


def _computed_of(structure: Structure, inputs: Sequence[int]) -> set[int]:
    """Tensors whose values depend on an image: weights that are unpacked do not."""
    found = set(inputs)
    for operator in structure.operators:
        if found.intersection(operator.inputs):
            found.update(operator.outputs)
    return found


def _passes(structure: Structure, operator: Operator, computed: set[int]) -> bool:
    """Whether it belongs to the last layers: each makes a vector of a vector, alone."""
    if operator.name not in _LAYERS | _BETWEEN:
        return False
    sources = [index for index in operator.inputs if index in computed]
    source = structure.tensors[operator.inputs[0]]
    return sources == [operator.inputs[0]] and source.elements == source.shape[-1]


def features_model(backbone: Backbone) -> bytes:
    """The network up to its features, which are its only output, float32."""
    model, structure, tensor = backbone.model, backbone.structure, backbone.tensor
    return with_new_end(model, structure, tensor, backbone.ending(), [backbone.features])


class FeatureReader:
    """Computes features; one for a thread.

    Args:
        model: as ``features_model`` makes it of the backbone.
    """

    def __init__(self, model: bytes, backbone: Backbone) -> None:
        self._interpreter = open_bytes(model, xnnpack=backbone.xnnpack, external=backbone.external)
        self._preprocess = preprocess = backbone.preprocess
        (given,) = self._interpreter.get_input_details()
        (made,) = self._interpreter.get_output_details()
        self._input, self._output = given["index"], made["index"]
        self._format = tensor_format(given)
        self._keeps_pixels = keeps_pixels(preprocess, self._format)

    def features(self, prepared: Pixels) -> Float32Array:
        """Args: prepared: what ``preprocess`` made of an image. Returns: (width,)."""
        self._interpreter.set_tensor(self._input, self._tensor(prepared))
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._output), np.float32).reshape(-1)

    def _tensor(self, prepared: Pixels) -> NDArray[Any]:
        if self._keeps_pixels:
            return prepared[None]
        return quantize_in(normalize(prepared, self._preprocess), self._format)[None]
