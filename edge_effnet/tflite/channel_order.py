"""Images that come to a ``.tflite`` with their channels first, as PyTorch's networks take them."""

from __future__ import annotations

from collections.abc import Sequence

from edge_effnet.tflite.reader import Structure

_STARTS = (("CAST", "DEQUANTIZE", "TRANSPOSE"), ("TRANSPOSE",))
"""What may stand before the first layer: of each place, the names of its operator."""


def channels_first(shape: Sequence[int]) -> bool:
    """Of an input, batch first."""
    return len(shape) == 4 and shape[3] not in (1, 3) and shape[1] in (1, 3)


def channels_last(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape of images with the channels last, where they come first."""
    return (shape[0], *shape[2:], shape[1]) if channels_first(shape) else shape


def ends_channels_last(structure: Structure) -> bool:
    """Whether images come with the channels last, or are turned at once, which ``convert``
    undoes."""
    index = structure.inputs[0]
    wanted = channels_last(structure.tensors[index].shape)
    for kinds in _STARTS:
        readers = [op for op in structure.operators if index in op.inputs]
        if structure.tensors[index].shape == wanted or len(readers) != 1:
            break
        if readers[0].name in kinds and readers[0].outputs:
            index = readers[0].outputs[0]
    return structure.tensors[index].shape == wanted
