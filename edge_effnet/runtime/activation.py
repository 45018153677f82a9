"""Class-activation maps (Zhou et al. 2016) from a ``.tflite``, float or int8.

A network that ends in a global average and one fully connected layer says itself where in the
image its answer comes from: the score of class c is, but for the bias, the average over the
places (y, x) of sum_k w[c, k] f[y, x, k], with the features f before the average. That sum is the
map. One inference with all tensors kept, no gradients.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.runtime.delegates import delegate_for
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.reader import Structure, read_model_bytes, read_structure

_PASSING = {"RESHAPE", "SQUEEZE", "QUANTIZE"}  # between the average and the layer
_AFTER = {"SOFTMAX", "QUANTIZE", "DEQUANTIZE"}  # behind the layer


@dataclass(frozen=True)
class Ending:
    """Tensors of a network's end: features (1, h, w, k) and weights (classes, k)."""

    features: int
    weights: int


def find_ending(structure: Structure) -> Ending | None:
    """The end of a network that a class-activation map can be read from, else None."""
    makers = {tensor: op for op in structure.operators for tensor in op.outputs}
    op = makers.get(structure.outputs[0]) if structure.outputs else None
    while op is not None and op.name in _AFTER:
        op = makers.get(op.inputs[0])
    if op is None or op.name != "FULLY_CONNECTED":
        return None
    weights, before = op.inputs[1], makers.get(op.inputs[0])
    while before is not None and before.name in _PASSING:
        before = makers.get(before.inputs[0])
    if before is None or before.name not in {"MEAN", "AVERAGE_POOL_2D"}:
        return None
    pooled, features = (
        structure.tensors[before.outputs[0]].shape,
        structure.tensors[before.inputs[0]].shape,
    )
    averages_all = len(features) == 4 and np.prod(pooled) == features[3]
    if not averages_all or structure.tensors[weights].shape[-1:] != features[3:]:
        return None
    return Ending(before.inputs[0], weights)


class ActivationMapper:
    """A model held open for maps."""

    def __init__(self, path: Path, ending: Ending) -> None:
        self._interpreter = open_bytes(read_model_bytes(path), preserve=True, xnnpack=False)
        self._ending = ending
        self._details = {
            detail["index"]: detail for detail in self._interpreter.get_tensor_details()
        }

    def map(self, tensor: NDArray[Any], index: int) -> Float32Array:
        """Where the score of class ``index`` comes from.

        Args:
            tensor: a ready input tensor, as ``Classifier.tensor`` makes it.

        Returns:
            float32, (h, w) of the last features; positive where the place speaks for the class.
        """
        self._interpreter.set_tensor(self._interpreter.get_input_details()[0]["index"], tensor)
        self._interpreter.invoke()
        features = self._real(self._ending.features)[0]
        return np.asarray(features @ self._real(self._ending.weights)[index], np.float32)

    def _real(self, tensor: int) -> Float32Array:
        """A tensor's real numbers; scales lie along the first axis of the weights."""
        stored = self._interpreter.get_tensor(tensor).astype(np.float32)
        quantization = self._details[tensor]["quantization_parameters"]
        scales, zeros = np.float32(quantization["scales"]), np.float32(quantization["zero_points"])
        if not scales.size:
            return np.asarray(stored)
        shape = (-1, *[1] * (stored.ndim - 1)) if scales.size > 1 else ()
        return np.asarray((stored - zeros.reshape(shape)) * scales.reshape(shape))


def open_mapper(path: Path) -> ActivationMapper | None:
    """Open a model for maps; None where its end does not allow them.

    Raises:
        ModelError: no model, or damaged.
    """
    structure = read_structure(path)
    ending = None if delegate_for(structure) else find_ending(structure)
    return ActivationMapper(path, ending) if ending else None
