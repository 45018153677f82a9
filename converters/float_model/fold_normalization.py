"""Folds what stands before a network's first convolution into it, on the float ``.tflite``.

A network that rescales pixels inside but is fed with rescaled ones sees, behind its
normalization, pixels that span a few thousandths around a large constant, which the convolution
and its batch normalization cancel. 8 bits, or the 11 of float16, hold the constant and lose the
image. Folded, the convolution reads the pixels themselves, and the constant is added in one
piece, for each place, since borders are padded with what is no pixel.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from converters.float_model.source import Source
from converters.tflite_graph.pixel_chain import Float64Array, PixelChain, read_pixel_chain
from converters.tflite_graph.unused import drop_unused
from edge_effnet.image.preprocessing import normalize
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure

# Behind a normalization that fits its pixels they span all 255 steps.
FEW_STEPS = 64
_STEPS = 255
# Of an image standardized by its own mean and deviation: about what its values reach.
_STANDARDIZED = 3.0


@dataclass(frozen=True)
class Folded:
    """A float model whose first convolution reads the input itself.

    Attributes:
        steps: of the 255 that 8 bits have, those that pixels spanned behind the normalization.
    """

    model: bytes
    steps: float


def with_folded_normalization(source: Source) -> tuple[Source, tuple[str, ...]]:
    """The same model, folded where that pays, and what to tell of it.

    Our own networks, and all whose normalization fits their pixels, stay as they are.
    """
    settings = source.preprocess
    channels = source.structure.tensors[source.structure.inputs[0]].shape[-1]
    ends = [
        normalize(np.full((1, 1, channels), level, np.uint8), settings)[0, 0].astype(np.float64)
        for level in (0, 255)
    ]
    if settings.standardize:
        ends = [np.full(channels, -_STANDARDIZED), np.full(channels, _STANDARDIZED)]
    folded = fold_normalization(source.model, *ends)
    if folded is None:
        return source, ()
    step = {
        "step": "folded",
        "what": "pixel normalization into the first convolution",
        "sha256": hashlib.sha256(folded.model).hexdigest(),
    }
    changed = replace(
        source,
        model=folded.model,
        structure=parse_structure(folded.model, source.name),
        steps=(*source.steps, step),
    )
    return changed, (
        f"{source.name} normalizes pixels inside, and is given ones that are normalized already: "
        f"they span {max(round(folded.steps), 1)} of 255 steps there. Folded into its first "
        "convolution, which loses nothing; the cure is to feed 0–255 when you train it",
    )


def fold_normalization(model: bytes, lows: Float64Array, highs: Float64Array) -> Folded | None:
    """Fold where pixels span few steps behind the normalization.

    Args:
        model: float.
        lows, highs: of the input's values, one each or one for each channel.

    Returns:
        None where nothing is to be folded: as our own networks are.
    """
    structure = parse_structure(model, "the float model")
    schema, tree = read_tree(model)
    chain = read_pixel_chain(structure, tree)
    if chain is None or not chain.before:
        return None
    steps = steps_spanned(chain, lows, highs)
    if steps >= FEW_STEPS:
        return None
    _fold(schema, tree, chain)
    return Folded(pack_tree(tree), steps)


def steps_spanned(chain: PixelChain, lows: Float64Array, highs: Float64Array) -> float:
    """How many of 255 steps all pixels' values span in what the convolution reads.

    8 bits hold 0 and all channels, so that a constant far from 0 takes the steps.
    """
    ends = np.stack([chain.gain * lows + chain.offset, chain.gain * highs + chain.offset])
    whole = max(ends.max(), 0.0) - min(ends.min(), 0.0)
    span = np.abs(ends[1] - ends[0]).max()
    return float(_STEPS * span / whole) if whole > 0 else float(_STEPS)


def _fold(schema: Any, tree: Any, chain: PixelChain) -> None:
    """Rewrite the front: PAD, then the convolution, then its answer to pixels of 0 added."""
    graph = tree.subgraphs[0]
    operators, source = graph.operators, int(graph.inputs[0])
    for index in chain.paddings:
        operators[index].inputs[0], source = source, int(operators[index].outputs[0])
    stem, made = operators[chain.stem], int(operators[chain.last].outputs[0])
    name = graph.tensors[made].name
    answer = chain.answer.astype(np.float32)
    center = answer[answer.shape[0] // 2, answer.shape[1] // 2]
    border = answer - center
    kernel = _constant(schema, tree, name + b";kernel", chain.kernel)
    bias = _constant(schema, tree, name + b";bias", center)
    stem.inputs = np.array([source, kernel, bias], np.int32)
    gone = {*chain.before, *chain.behind}
    kept = [operator for index, operator in enumerate(operators) if index not in gone]
    stem.outputs = np.array([made], np.int32)
    stem.builtinOptions.fusedActivationFunction = chain.activation
    if border.any():
        stem.builtinOptions.fusedActivationFunction = 0
        stem.outputs = np.array([_like(schema, graph, made, b";pixels")], np.int32)
        adding = schema.OperatorT()
        adding.opcodeIndex = operator_code(schema, tree, schema.BuiltinOperator.ADD, 1)
        adding.builtinOptionsType = schema.BuiltinOptions.AddOptions
        adding.builtinOptions = schema.AddOptionsT()
        adding.builtinOptions.fusedActivationFunction = chain.activation
        constant = _constant(schema, tree, name + b";borders", border[None])
        adding.inputs = np.array([stem.outputs[0], constant], np.int32)
        adding.outputs = np.array([made], np.int32)
        kept.insert(kept.index(stem) + 1, adding)
    graph.operators = kept
    drop_unused(tree)


def _constant(schema: Any, tree: Any, name: bytes, values: Any) -> int:
    """A new constant tensor of float32."""
    buffer, tensor, graph = schema.BufferT(), schema.TensorT(), tree.subgraphs[0]
    buffer.data = np.frombuffer(np.ascontiguousarray(values, "<f4").tobytes(), np.uint8)
    tree.buffers.append(buffer)
    tensor.name, tensor.type = name, schema.TensorType.FLOAT32
    tensor.shape, tensor.buffer = np.array(values.shape, np.int32), len(tree.buffers) - 1
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def _like(schema: Any, graph: Any, tensor: int, ending: bytes) -> int:
    """A new activation of another's type and shape."""
    new, old = schema.TensorT(), graph.tensors[tensor]
    new.name, new.type, new.shape = old.name + ending, old.type, old.shape
    graph.tensors.append(new)
    return len(graph.tensors) - 1
