"""Learned rounding of a whole network, layer by layer from the input on.

Both networks, float and integer, are walked segment by segment with the same pictures: each layer
learns from what the integer network really hands to it, its rounded predecessors included. What
an output learned is kept only where it comes nearer to float's sums on pictures that did not
teach. Layers behind a pooling, the classifier among them, have a single row in each picture: mostly
too few to learn from, and they stay. So do the file's size and speed; no training, no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.quantization.rounding.layer_problem import Lesson, find_lessons
from converters.quantization.rounding.patches import rows_of
from converters.quantization.rounding.solve import (
    Floats,
    Rows,
    Values,
    moments,
    solve_kernel,
    weighted_error,
)
from converters.tflite_graph.activations import Picture, stored_pictures
from converters.tflite_graph.graph import read_graph
from converters.tflite_graph.layers import LARGEST_BIAS, not_shouting, slope
from converters.tflite_graph.subgraph import Dissection, operators_between, run_part
from converters.tflite_graph.topology import Segment, segments
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import writable_constant, writable_scales
from edge_effnet.tflite.reader import Structure, parse_structure

# One picture of so many judges, the others teach.
_JUDGES = 4
# What lies on the flat side of a function counts for a little: it must not run away.
_LEAST_WEIGHT = 0.02
# Numbers of rows held at once, where each output weighs them in its own way.
_HELD = 30_000_000
# Large networks learn from fewer pictures: what each has come to is held for all of them.
_HELD_BYTES, _FEWEST_PICTURES = 400_000_000, 32

See = Callable[[int, NDArray[Any]], NDArray[Any]]
"""What to keep of a tensor, given the picture's place and the values."""


@dataclass(frozen=True)
class _Net:
    """One of the two networks, and what the pictures have come to in it."""

    dissection: Dissection
    source: int
    held: list[NDArray[Any]]
    workers: int

    def look(self, part: bytes | bytearray, tensor: int, see: See) -> list[NDArray[Any]]:
        """What there is to see in a tensor, picture by picture."""
        if tensor == self.source:
            return [see(place, value) for place, value in enumerate(self.held)]
        return run_part(part, self.source, self.held, tensor, see, workers=self.workers)

    def moved(self, part: bytes | bytearray, end: int) -> _Net:
        held = self.look(part, end, lambda _, value: value)
        return _Net(self.dissection, end, held, self.workers)


@dataclass(frozen=True)
class _Constants:
    """What a layer's kernel and bias are, in real units, a row for each output.

    Attributes:
        kernel: outputs x inputs, on the grid of ``steps``.
        steps, bias: of shape (outputs,).
    """

    kernel: Floats
    steps: Floats
    bias: Floats


def can_round(model: bytes) -> bool:
    """Whether a float model's kernels can be read."""
    try:
        read_graph(model)
    except ModelError:  # a network of another kind
        return False
    return True


def learn_rounding(
    model: bytes,
    small: bytes,
    pictures: Sequence[Picture],
    *,
    workers: int,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> bytes:
    """Round the kernels of an integer model anew.

    Args:
        model: the float model that ``small`` was made from.
        small: full integer; left as it is.
        pictures: real-valued inputs, each height x width x 3; a hundred photos are enough.
        progress: told (layers done, layers in all).

    Returns:
        The same file but for kernels, their scales, and biases.

    Raises:
        ModelError: see ``read_graph``.
    """
    learned = bytearray(small)
    structure, whole = (parse_structure(m, "the model") for m in (small, model))
    pictures = pictures[: _most_pictures(whole)]
    lessons = list(find_lessons(structure, whole, read_graph(model), len(pictures)))
    names = {tensor.name: index for index, tensor in enumerate(whole.tensors)}
    ours, theirs = (
        _Net(Dissection(m, s, s.outputs[0]), s.inputs[0], stored_pictures(m, pictures), workers)
        for m, s in ((small, structure), (model, whole))
    )
    done = 0
    pairs = [(lesson.layer.output, lesson.layer.judged) for lesson in lessons]
    for segment in segments(structure, pairs):
        inside = [lesson for lesson in lessons if lesson.layer.output in segment.inside]
        end = names.get(structure.tensors[segment.end].name, theirs.source)
        part, float_part = _parts(ours, theirs, segment, inside, end)
        for lesson in inside:
            found, factors = _learn(part, float_part, lesson, ours, theirs)
            for target in (part, learned):
                _write(target, lesson, found, factors)
            done += 1
            progress(done, len(lessons))
        if done == len(lessons):
            break
        ours, theirs = ours.moved(part, segment.end), theirs.moved(float_part, end)
    return bytes(learned)


def _most_pictures(structure: Structure) -> int:
    """To learn from, where the largest activation of each is held."""
    largest = max(4 * tensor.elements for tensor in structure.tensors if not tensor.constant_bytes)
    return max(_FEWEST_PICTURES, _HELD_BYTES // largest)


def _parts(
    ours: _Net, theirs: _Net, segment: Segment, inside: Sequence[Lesson], float_end: int
) -> tuple[bytearray, bytes]:
    """A segment of the integer model, and what of float's makes the same tensors."""
    wanted = ({lesson.layer.source for lesson in inside} | {segment.end}) - {ours.source}
    part = ours.dissection.part(segment.operators, (ours.source,), sorted(wanted))
    targets = {lesson.float_source for lesson in inside} | {float_end}
    targets -= {theirs.source}
    operators = operators_between(theirs.dissection.structure, theirs.source, targets)
    return bytearray(part), theirs.dissection.part(operators, (theirs.source,), sorted(targets))


def _learn(
    part: bytearray, float_part: bytes, lesson: Lesson, ours: _Net, theirs: _Net
) -> tuple[_Constants, Floats]:
    """What a layer's constants become, and the factors of its steps."""
    layer, tensors = lesson.layer, ours.dissection.structure.tensors
    source = tensors[layer.source]

    def float_rows(place: int, values: NDArray[Any]) -> Values:
        return rows_of(values, lesson.node, lesson.size, lesson.chosen(place))

    def real_rows(place: int, values: NDArray[Any]) -> Values:
        steps = values.astype(np.float32) - source.zero_points[0]
        return float_rows(place, steps * np.float32(source.scales[0]))

    read = ours.look(part, layer.source, real_rows)
    wanted = [
        lesson.sums(rows) for rows in theirs.look(float_part, lesson.float_source, float_rows)
    ]
    heard = not_shouting([float((rows**2).mean()) for rows in wanted])
    read, wanted = ([rows[place] for place in heard] for rows in (read, wanted))
    judging = np.concatenate(
        [np.full(len(rows), place % _JUDGES == _JUDGES - 1) for place, rows in enumerate(read)]
    )
    now = _constants(part, lesson, ours.dissection.structure)
    if judging.all() or not judging.any():
        return now, np.ones_like(now.steps)
    best = _Constants(now.kernel.copy(), now.steps.copy(), now.bias.copy())
    for outputs, rows in _groups(np.concatenate(read), np.concatenate(wanted), lesson):
        teach, judge = rows.some(~judging), rows.some(judging)
        shape = (len(rows.sums), rows.sums.shape[2])
        old = now.kernel[outputs].reshape(*shape, -1), now.bias[outputs].reshape(shape)
        seen = moments(teach)
        kernel, steps = solve_kernel(
            lesson.kernel[outputs].reshape(*shape, -1), now.steps[outputs].reshape(*shape, 1), seen
        )
        # The mean stays what bias correction made of it.
        bias = old[1] + ((old[0] - kernel) * seen.input_mean).sum(axis=2)
        better = weighted_error(judge, kernel, bias) < weighted_error(judge, *old)
        better &= np.abs(bias / (steps[..., 0] * source.scales[0])) <= LARGEST_BIAS
        kept = np.arange(len(now.bias))[outputs][better.ravel()]
        best.kernel[kept], best.steps[kept] = kernel[better], steps[better][:, 0]
        best.bias[kept] = bias[better]
    return best, best.steps / now.steps


def _groups(read: Values, wanted: Values, lesson: Lesson) -> Iterator[tuple[slice, Rows]]:
    """The outputs that are solved for together, with the inputs, sums and weights of their rows.

    Outputs without a function behind them share all; each of the others has its own weights.
    """
    if lesson.layer.follower == "none" and not lesson.depthwise:
        rows = read.reshape(1, len(read), -1)
        yield slice(None), Rows(rows, wanted[None], np.ones_like(wanted[None, :, :1]))
        return
    weights = slope(wanted, lesson.layer.follower) ** 2 + np.float32(_LEAST_WEIGHT)
    together = max(1, _HELD // (len(read) * lesson.kernel.shape[1]))
    for first in range(0, wanted.shape[1], together):
        outputs = slice(first, min(first + together, wanted.shape[1]))
        if lesson.depthwise:
            rows = read[:, :, outputs].transpose(2, 0, 1)
        else:
            rows = read.reshape(1, len(read), -1)
        sums, weight = (part[:, outputs].T[:, :, None] for part in (wanted, weights))
        yield outputs, Rows(rows, sums, weight)


def _constants(model: bytearray, lesson: Lesson, structure: Structure) -> _Constants:
    """As they are stored now."""
    layer, tensors = lesson.layer, structure.tensors
    steps = np.array(tensors[layer.kernel].scales)
    kernel = lesson.in_rows(writable_constant(model, layer.kernel).view(np.int8))
    bias = writable_constant(model, layer.bias).view(np.int32)
    return _Constants(kernel * steps[:, None], steps, bias * np.array(tensors[layer.bias].scales))


def _write(model: bytearray, lesson: Lesson, found: _Constants, factors: Floats) -> None:
    layer = lesson.layer
    for tensor in (layer.kernel, layer.bias):
        writable_scales(model, tensor)[:] *= factors.astype(np.float32)
    kernel = writable_constant(model, layer.kernel).view(np.int8)
    kernel[:] = lesson.as_stored(found.kernel / found.steps[:, None])
    bias = np.rint(found.bias / writable_scales(model, layer.bias))
    fits = np.abs(bias) <= LARGEST_BIAS  # others were too large before, and nothing of them changed
    writable_constant(model, layer.bias).view(np.int32)[fits] = bias[fits].astype(np.int32)
