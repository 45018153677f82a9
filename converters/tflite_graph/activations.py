"""The values of a running model's tensors, image by image, on all cores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, count, islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.error_metrics import mirrored
from converters.tflite_graph.parts import Part, divide, images_at_once
from converters.tflite_graph.segments import logit_names, sigmoid_answers
from converters.tflite_graph.subgraph import answering, run_part
from edge_effnet.data.threads import ahead
from edge_effnet.errors import ModelError
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.runtime.tensors import TensorFormat, quantize_in, tensor_format
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
    form = _input_format(model)
    return [quantize_in(image, form)[None] for image in images]


def _input_format(model: bytes) -> TensorFormat:
    return tensor_format(open_with_all_tensors(model).get_input_details()[0])


Reducer = Callable[[int, int, NDArray[Any]], _Result]
"""Given the image's index, the tensor's place among those asked for, and its stored values. These
are a view into the interpreter: what is kept of them must be copied."""


def collect_activations(
    model: bytes,
    tensors: Sequence[int],
    images: Iterable[Image],
    reducer: Reducer[_Result],
    *,
    workers: int,
    progress: Callable[[], None] = lambda: None,
) -> list[list[_Result]]:
    """Run a model on images and reduce some of its tensors' values each time.

    A large model runs in parts (``parts``), so that a few of its tensors are in memory at once.

    Args:
        model: float or quantized; images are real-valued for both.
        tensors: their indices.
        reducer: of one tensor's values; called in several threads.
        workers: interpreters at work at once.
        progress: called as often as there are images.

    Returns:
        For each image, what ``reducer`` answered for each tensor, both in order.
    """
    parts = divide(model, tensors)
    form = _input_format(parts[0].model)
    results: list[list[_Result]] = []
    numbered, most = enumerate(images), images_at_once(parts)
    for first in numbered:
        batch = chain([first], numbered if most is None else islice(numbered, most - 1))
        inputs = ((number, quantize_in(image, form)[None]) for number, image in batch)
        found: list[dict[int, _Result]] = []
        for answers in run_parts(
            parts, tensors, inputs, reducer, workers=workers, progress=progress
        ):
            found = [a | b for a, b in zip(found, answers, strict=True)] if found else answers
        results += [[answer[place] for place in range(len(tensors))] for answer in found]
    return results


def activations_by_part(
    model: bytes,
    tensors: Sequence[int],
    images: Sequence[Image],
    reducer: Reducer[_Result],
    *,
    workers: int,
) -> Iterator[dict[int, list[_Result]]]:
    """The same for whoever can do with the tensors of one part at a time, in order.

    Args:
        images: few, all of which pass each part together.

    Yields:
        For each part, what ``reducer`` answered for each image, by the tensor's place.
    """
    parts = divide(model, tensors)
    form = _input_format(parts[0].model)
    inputs = ((number, quantize_in(image, form)[None]) for number, image in enumerate(images))
    for answers in run_parts(parts, tensors, inputs, reducer, workers=workers):
        yield {place: [answer[place] for answer in answers] for place in answers[0]}


def run_parts(
    parts: Sequence[Part],
    tensors: Sequence[int],
    inputs: Iterable[tuple[int, NDArray[Any]]],
    reducer: Reducer[_Result],
    *,
    workers: int,
    progress: Callable[[], None] = lambda: None,
) -> Iterator[list[dict[int, _Result]]]:
    """Run one part after the other on all of the images.

    Args:
        inputs: the images' numbers, and what the input tensor stores of them; read while the
            first part runs.

    Yields:
        For each part: for each image, what ``reducer`` answered, by the tensor's place.
    """
    steps, numbers = count(1), list[int]()
    for part in parts:
        ends, found = deque[NDArray[Any]](), list[dict[int, _Result]]()
        for number, answer, end in _run(part, tensors, inputs, reducer, workers):
            if part is parts[0]:
                numbers.append(number)
            found.append(answer)
            if part is not parts[-1]:
                ends.append(end)
            if next(steps) % len(parts) == 0:
                progress()
        yield found
        inputs = _taken(numbers, ends)


def _taken(numbers: Sequence[int], held: deque[NDArray[Any]]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Each with its number; what was taken is kept no longer."""
    for number in numbers:
        yield number, held.popleft()


def _run(
    part: Part,
    tensors: Sequence[int],
    inputs: Iterable[tuple[int, NDArray[Any]]],
    reducer: Reducer[_Result],
    workers: int,
) -> Iterator[tuple[int, dict[int, _Result], NDArray[Any]]]:
    """What one part makes of its inputs: their numbers, the answers by place, and its end."""
    idle = [open_with_all_tensors(part.model) for _ in range(workers)]
    places = [(place, tensor) for place, tensor in enumerate(tensors) if tensor in part.tensors]

    def work(task: tuple[int, NDArray[Any]]) -> tuple[int, dict[int, _Result], NDArray[Any]]:
        number, values = task
        interpreter = idle.pop()  # as many as threads, so never empty
        try:
            interpreter.set_tensor(part.source, values)
            interpreter.invoke()
            # Views, not copies, and gone before the next invoke.
            answer = {
                place: reducer(number, place, interpreter.tensor(tensor)())
                for place, tensor in places
            }
            return number, answer, interpreter.get_tensor(part.end)
        finally:
            idle.append(interpreter)

    return ahead(work, inputs, workers)


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

    def reducer(_: int, values: NDArray[Any]) -> NDArray[np.float32]:
        return np.asarray((values.reshape(-1).astype(np.float32) - zero_point) * scale)

    found = run_part(
        answering(model, indices[name]),
        own.inputs[0],
        stored_images(model, images),
        indices[name],
        reducer,
        workers=workers,
    )
    values = np.asarray(np.stack(found), np.float32)
    return mirrored(values) if sigmoid_answers(structure) else values
