"""A batch of 1 and a fixed image size: what was baked in for another is rewritten, and the runtime
tells every other shape."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.float_model.tflite_files.checks import damaged, refuse_large_results
from converters.float_model.tflite_files.editable import EditableGraph
from edge_effnet.errors import ModelError
from edge_effnet.runtime.interpreter import open_bytes

# Operators that read the shape they make from a constant: which of their inputs it is.
_SHAPE_INPUT = {"RESHAPE": 1, "BROADCAST_TO": 1, "FILL": 0, "TRANSPOSE_CONV": 0, "SLICE": 2}


def fix_input(graph: EditableGraph, image: tuple[int, int, int]) -> None:
    """Set the input to one image, and what counts on another batch to a batch of 1.

    Args:
        image: height, width and channels.

    Raises:
        ModelError: a constant shape from which the batch cannot be taken out.
    """
    source = graph.inputs[0]
    batch, wanted = graph.shape(source)[0], (1, *image)
    if batch > 1:
        for operator in graph.operators:
            _without_batch(graph, operator, batch)
    if graph.shape(source) != wanted:
        graph.tensors[source].shape = np.array(wanted, np.int32)
        graph.changed = True
    for tensor in graph.tensors:
        if tensor.shapeSignature is not None and len(tensor.shapeSignature):
            tensor.shapeSignature, graph.changed = None, True


def _without_batch(graph: EditableGraph, operator: Any, batch: int) -> None:
    """Write 1 for the batch in the shape that an operator is told."""
    kind = graph.kind(operator)
    if kind not in _SHAPE_INPUT:
        return
    inputs, position = graph.listed(operator.inputs), _SHAPE_INPUT[kind]
    options = operator.builtinOptions
    if kind == "RESHAPE" and getattr(options, "newShape", None) is not None:
        options.newShape = _of_one(graph, graph.listed(options.newShape), batch)
    if position >= len(inputs) or not graph.is_constant(inputs[position]):
        return
    stored = graph.constant(inputs[position])
    one = np.array(_of_one(graph, stored.reshape(-1).tolist(), batch), stored.dtype)
    if not np.array_equal(one, stored.reshape(-1)):
        tensor = _copy_of(graph, inputs[position])
        graph.set_constant(tensor, one.reshape(stored.shape))
        inputs[position] = tensor
        operator.inputs = inputs


def _of_one(graph: EditableGraph, shape: list[int], batch: int) -> list[int]:
    """A constant shape for a batch of 1: its first side carries the batch, alone or multiplied
    with others; one that is found from the rest (-1) needs no change."""
    if not shape or -1 in shape:
        return [1 if side == batch and place == 0 else side for place, side in enumerate(shape)]
    if shape[0] % batch:
        if math.prod(shape) % batch:
            return shape  # made of no image
        raise _of_several(graph, f"the shape {shape} inside")
    return [shape[0] // batch, *shape[1:]]


def _of_several(graph: EditableGraph, found: str) -> ModelError:
    return ModelError(
        f"{graph.name} is made for a fixed batch, which cannot be taken out",
        found=found,
        expected="the batch as the first side of every shape",
        fix="export the model again with a batch of 1",
    )


def refuse_several_answers(graph: EditableGraph, interpreter: Any) -> None:
    """What remains of another batch: constants of that size, which the operators spread.

    Args:
        interpreter: as ``run_once`` made it.

    Raises:
        ModelError: one image gets several answers.
    """
    for detail in interpreter.get_output_details():
        shape = [int(side) for side in detail["shape"]]
        if len(shape) > 1 and shape[0] > 1:
            raise _of_several(graph, f"{shape[0]} answers to one image")


def _copy_of(graph: EditableGraph, index: int) -> int:
    """A tensor of its own for a constant that other operators may read."""
    tensor, known = graph.schema.TensorT(), graph.tensors[index]
    tensor.name, tensor.type, tensor.shape = known.name, known.type, known.shape
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def run_once(graph: EditableGraph) -> Any:
    """An interpreter that has seen one black image, with the values of every tensor.

    Raises:
        ModelError: it does not run with a batch of 1 and this image size, or takes more memory
            than there is.
    """
    source = graph.inputs[0]
    try:
        interpreter = open_bytes(graph.pack(), preserve=True, xnnpack=False)
        # Memory that is asked for is taken when it is written; shapes that a file states may lie.
        details = interpreter.get_tensor_details()
        results = [(d["name"], d["shape"], np.dtype(d["dtype"]).itemsize) for d in details]
        refuse_large_results(graph.name, results)
        black = np.zeros(graph.shape(source), graph.dtype(source))
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], black)
        interpreter.invoke()
    except (RuntimeError, ValueError) as error:
        raise ModelError(
            f"{graph.name} does not run on one image of {'x'.join(map(str, graph.shape(source)))}",
            found=" ".join(str(error).split())[:200],
            fix="export the model again with a batch of 1 and a fixed image size",
        ) from error
    return interpreter


def write_shapes(graph: EditableGraph, details: Mapping[int, Mapping[str, Any]]) -> None:
    """Write down the shapes that the runtime found.

    Args:
        details: of the tensors, by index, as the interpreter gives them.

    Raises:
        ModelError: an operator makes a tensor that the runtime does not have.
    """
    made = {index for operator in graph.operators for index in graph.made_by(operator)}
    for index in made:
        if index not in details:
            raise damaged(graph.name, "an operator that makes no tensor")
        shape: NDArray[np.int32] = np.asarray(details[index]["shape"], np.int32)
        if tuple(shape.tolist()) != graph.shape(index):
            graph.tensors[index].shape, graph.changed = shape, True
