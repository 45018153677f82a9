"""Whether two files hold one network with the same weights, however each stores them."""

from __future__ import annotations

import numpy as np

from edge_effnet.runtime.classifier import Classifier
from edge_effnet.tflite.constants import layer_kernel
from edge_effnet.tflite.reader import Operator, Structure, read_model_bytes

_LAYERS = ("CONV_2D", "FULLY_CONNECTED")
_MOST_DIFFERENT = 0.3
"""Of a kernel's norm: rounding to 4 bits and fine-tuning of quantized weights stay below, and two
trainings are at 1.4."""


def same_network(one: Classifier, other: Classifier) -> bool:
    """Whether the last kernel and two in the middle are equal but for rounding.

    The last one, because many networks share all others with the pretrained one that they were
    made from; not the first, into which a normalization may have been folded.
    """
    if one is other:
        return True
    if one.input_format.shape != other.input_format.shape or one.head != other.head:
        return False
    files = [(read_model_bytes(of.path), of.pixels.structure) for of in (one, other)]
    mine, theirs = (_layers(structure) for _, structure in files)
    fewest = min(len(mine), len(theirs))
    if not fewest:  # none that can be read, as in a file compiled for the Edge TPU
        return False
    for place in {-1, -1 - fewest // 3, -1 - fewest // 2}:  # from the end, which is the same
        first, second = (
            layer_kernel(model, structure, layers[place])
            for (model, structure), layers in zip(files, (mine, theirs), strict=True)
        )
        if first is None or second is None or first.shape != second.shape:
            return False
        norm = min(np.linalg.norm(first), np.linalg.norm(second))
        if np.linalg.norm(first - second) > _MOST_DIFFERENT * norm:
            return False
    return True


def _layers(structure: Structure) -> list[Operator]:
    return [op for op in structure.operators if op.name in _LAYERS]
