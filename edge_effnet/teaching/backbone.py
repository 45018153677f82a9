"""The part of a classifier that is kept: from the image to the features its last layers read."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.artifact import Artifact, Card, read_artifact, split_archive
from edge_effnet.errors import ModelError
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize
from edge_effnet.runtime.input_pixels.input_tensor import keeps_pixels
from edge_effnet.runtime.input_pixels.known import input_pixels
from edge_effnet.runtime.interpreter import open_bytes
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
    """

    path: Path
    model: bytes
    structure: Structure
    tensor: int
    width: int
    preprocess: Preprocess
    card: Card | None
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
    structure = artifact.structure
    tensor = find_features(structure, str(path))
    model, _ = split_archive(read_model_bytes(path), str(path))
    settings = _preprocess(path, artifact, preprocess)
    width = structure.tensors[tensor].elements
    kept = Backbone(path, model, structure, tensor, width, settings, artifact.card, "")
    return replace(kept, sha256=_taught_before(artifact.card) or _hash_of(kept))


def _taught_before(card: Card | None) -> str | None:
    """The hash in the card of a file that was taught: its bytes are others, its features not."""
    steps = [step for step in (card.steps if card else ()) if step.get("step") == TAUGHT]
    return str(steps[-1]["backbone_sha256"]) if steps else None


def _hash_of(backbone: Backbone) -> str:
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
    tensor, found = structure.outputs[0] if structure.outputs else -1, -1
    while (maker := makers.get(tensor)) is not None and _passes(structure, maker):
        tensor = maker.inputs[0]
        if maker.name in _LAYERS or (found >= 0 and maker.name in _MADE_OF_FEATURES):
            found = tensor
    last = makers.get(structure.outputs[0]) if structure.outputs else None
    if found < 0 or not makers.get(found):
        raise ModelError(
            f"{name} has no last layer that could be exchanged",
            found=f"{last.name if last else 'nothing'} at its end",
            expected="a classifier: a vector of features, and a dense layer behind it",
            fix="give another file with --base, or leave --base out",
        )
    return found


def _passes(structure: Structure, operator: Operator) -> bool:
    """Whether it belongs to the last layers: each makes a vector of a vector, alone."""
    if operator.name not in _LAYERS | _BETWEEN:
        return False
    sources = [i for i in operator.inputs if i >= 0 and not structure.tensors[i].constant_bytes]
    source = structure.tensors[operator.inputs[0]]
    return sources == [operator.inputs[0]] and source.elements == source.shape[-1]


def features_model(backbone: Backbone) -> bytes:
    """The network up to its features, which are its only output, float32."""
    model, structure, tensor = backbone.model, backbone.structure, backbone.tensor
    return with_new_end(model, structure, tensor, backbone.ending(), [backbone.features])


class FeatureReader:
    """Computes features; one for a thread.

    Args:
        model: as ``features_model`` makes it.
    """

    def __init__(self, model: bytes, preprocess: Preprocess) -> None:
        self._interpreter, self._preprocess = open_bytes(model), preprocess
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
