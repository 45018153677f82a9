"""Correction of the output's scale: an integer model whose answers are flatter or sharper.

Rounding and clipping can shrink all logits alike. The scales of the last layer's weights, or the
steps it is multiplied by in float, undo that at no cost, since they are factors of all it computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from converters.quantization.candidates import Candidate, Context
from converters.tflite_graph.activations import Image, logits
from converters.tflite_graph.segments import logit_names
from edge_effnet.tflite.editor import writable_constant, writable_scales
from edge_effnet.tflite.reader import Structure, parse_structure

Floats = NDArray[np.float32]

# A factor further from 1 is no rounding effect: leave such a model alone.
_FARTHEST = 1.25


def apply(candidate: Candidate, context: Context) -> Candidate:
    """Step: the scale of an integer model's logits is corrected."""
    model = correct_output_scale(
        context.model,
        candidate.model,
        context.structure,
        context.correction_images,
        workers=context.workers,
    )
    return replace(candidate, model=model)


def correct_output_scale(
    model: bytes,
    quantized: bytes,
    structure: Structure,
    images: Sequence[Image],
    *,
    workers: int,
) -> bytes:
    """Scale the logits of an integer model to those of the float model.

    Args:
        model, structure: the float model that ``quantized`` was made from.
        quantized: full integer but for the answer, as it may be; left as it is.
        images: real-valued inputs, each height x width x 3.

    Returns:
        The same file but for the scales, or the steps, of its last layer.
    """
    reference, answer = (logits(m, structure, images, workers=workers) for m in (model, quantized))
    found = output_scale(reference, answer)
    corrected, own = bytearray(quantized), parse_structure(quantized, "the quantized model")
    name = logit_names(structure)[0]
    for operator in own.operators:
        if own.tensors[operator.outputs[0]].name != name:
            continue
        constants = [i for i in operator.inputs[1:] if i >= 0 and own.tensors[i].constant_bytes]
        if not constants or not 1 / _FARTHEST < found < _FARTHEST:
            continue
        if operator.name == "MUL":  # the answer is in float, see ``float_answer``
            writable_constant(corrected, constants[0]).view(np.float32)[:] /= np.float32(found)
        elif all(own.tensors[i].scales for i in constants):
            for index in constants:  # the bias's scale is input scale x weight scale
                writable_scales(corrected, index)[:] /= np.float32(found)
    return bytes(corrected)


def output_scale(reference: Floats, answer: Floats) -> float:
    """Least-squares factor between float's logits and the answers; 1 where they agree.

    The median over images, so that an odd one does not decide. Regressed on float's logits,
    which are free of noise: the other way round noise alone would look like a loss of gain.
    """
    signal = reference - reference.mean(axis=1, keepdims=True)
    centred = answer - answer.mean(axis=1, keepdims=True)
    energy = np.maximum((signal**2).sum(axis=1), 1e-20)
    return float(np.median((signal * centred).sum(axis=1) / energy))
