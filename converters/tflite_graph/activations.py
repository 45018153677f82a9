"""The values of a running model's tensors, image by image, on all cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.error_metrics import mirrored
from converters.tflite_graph.segments import logit_names, sigmoid_answers
from edge_effnet.data.threads import ahead
from edge_effnet.errors import ModelError
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.runtime.tensors import quantize_in, tensor_format
from edge_effnet.tflite.reader import Structure, parse_structure

Image = NDArray[np.float32]
"""A real-valued network input, height x width x 3."""
_Result = TypeVar("_Result")


def open_with_all_tensors(model: bytes) -> Any:
    """An interpreter that keeps every tensor of a model, not only its outputs.

    Raises:
        ModelError: the runtime lacks one of its operators.
    """
    try:
        return open_bytes(model, preserve=True)
    except (RuntimeError, ValueError) as error:  # a custom operator, mostly
        raise ModelError(
            "the model cannot be run",
            found=" ".join(str(error).split())[:200],
            expected="operators that the runtime knows",
            fix="export it again with built-in operators only",
        ) from error


def stored_images(model: bytes, images: Iterable[Image]) -> list[NDArray[Any]]:
    """Real-valued images as a model's input tensor holds them, with a batch of 1."""
    form = tensor_format(open_with_all_tensors(model).get_input_details()[0])
    return [quantize_in(image, form)[None] for image in images]


def collect_activations(
    model: bytes,
    tensors: Sequence[int],
    images: Iterable[Image],
    reducer: Callable[[int, list[NDArray[Any]]], _Result],
    *,
    workers: int,
    progress: Callable[[], None] = lambda: None,
) -> list[_Result]:
    """Run a model on images and reduce some of its tensors' values each time.

    Args:
        model: float or quantized; images are real-valued for both.
        tensors: their indices.
        reducer: given the image's index and the tensors' stored values. These are views into
            the interpreter: what is kept of them must be copied.
        workers: interpreters at work at once, each with all its tensors in memory.
        progress: called once per image.

    Returns:
        What ``reducer`` answered for each image, in order.
    """
    idle = [open_with_all_tensors(model) for _ in range(workers)]
    source = idle[0].get_input_details()[0]
    form = tensor_format(source)

    def work(task: tuple[int, Image]) -> _Result:
        index, image = task
        interpreter = idle.pop()  # as many as threads, so never empty
        try:
            interpreter.set_tensor(source["index"], quantize_in(image, form)[None])
            interpreter.invoke()
            # Views, not copies, and gone before the next invoke.
            return reducer(index, [interpreter.tensor(number)() for number in tensors])
        finally:
            idle.append(interpreter)

    results: list[_Result] = []
    for result in ahead(work, enumerate(images), workers):
        results.append(result)
        progress()
    return results


def logits(
    model: bytes, structure: Structure, images: Sequence[Image], *, workers: int
) -> NDArray[np.float32]:
    """What a model says before its softmax: real values, images x classes; ``mirrored`` where
    it ends in sigmoids or in one number.

    Args:
        model: the float model or an integer one made from it.
        structure: of the float model, whose tensor names both share.
    """
    own = parse_structure(model, "the model")
    name = logit_names(structure)[0]
    indices = {tensor.name: index for index, tensor in enumerate(own.tensors)}
    tensor = own.tensors[indices[name]]
    scale = tensor.scales[0] if tensor.scales else 1.0
    zero_point = tensor.zero_points[0] if tensor.scales else 0

    def reducer(_: int, values: list[NDArray[Any]]) -> NDArray[np.float32]:
        return np.asarray((values[0].reshape(-1).astype(np.float32) - zero_point) * scale)

    found = collect_activations(model, [indices[name]], images, reducer, workers=workers)
    values = np.asarray(np.stack(found), np.float32)
    return mirrored(values) if sigmoid_answers(structure) else values
