"""Activation ranges: what every tensor of the float model holds on the calibration pictures.

Ranges are data: collected once (slow), after which each recipe costs a second. A range is the
mean over pictures of each picture's smallest and largest value, which clips the rare outliers
that would otherwise cost everybody resolution; the input and the logits are never clipped.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.calibration import Calibration
from edge_effnet.image import normalize
from edge_effnet.native_log import native_output_hidden
from edge_effnet.runtime.interpreter import load_runtime
from edge_effnet.tflite_file import Structure, Tensor

Ranges = dict[str, tuple[float, float]]

# Generated pictures excite the classes less than photos do (V2-B0: logits to 10.3, photos to
# 11.9 and beyond), so their range is widened to leave real ones unclipped.
GENERATED_LOGIT_MARGIN = 2.0
# Photos the calibration did not see may be recognized more surely than those it saw.
LOGIT_MARGIN = 1.15


@dataclass(frozen=True)
class Statistics:
    """Extremes of every float tensor: arrays of shape (pictures,), by tensor name."""

    lows: dict[str, NDArray[np.float32]]
    highs: dict[str, NDArray[np.float32]]

    @property
    def pictures(self) -> int:
        return len(next(iter(self.lows.values())))


def collect_statistics(
    model: bytes,
    structure: Structure,
    calibration: Calibration,
    *,
    workers: int,
    progress: Callable[[], None] = lambda: None,
) -> Statistics:
    """Run the float model on the calibration pictures and note every tensor's extremes.

    Args:
        workers: interpreters at work at once, each with all its tensors in memory.
        progress: called once per picture.

    Raises:
        DataError: a picture cannot be read.
    """
    watched = {
        index: tensor.name
        for index, tensor in enumerate(structure.tensors)
        if tensor.dtype == "float32" and not tensor.constant_bytes
    }
    idle = [_observer(model) for _ in range(workers)]

    def observe(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        interpreter = idle.pop()  # as many as threads, so never empty
        try:
            interpreter.set_tensor(structure.inputs[0], picture[None])
            interpreter.invoke()
            # A view, not a copy: it must be gone before the next invoke.
            return np.array(
                [
                    (values.min(), values.max())
                    for values in (interpreter.tensor(index)() for index in watched)
                ],
                np.float32,
            )
        finally:
            idle.append(interpreter)

    extremes = []
    with ThreadPoolExecutor(workers) as pool:
        pending: list[Any] = []
        for picture in calibration.inputs():
            pending.append(pool.submit(observe, picture))
            if len(pending) > 2 * workers:  # a few pictures in memory, never all
                extremes.append(pending.pop(0).result())
                progress()
        for future in pending:
            extremes.append(future.result())
            progress()
    table = np.stack(extremes)
    return Statistics(
        {name: table[:, i, 0] for i, name in enumerate(watched.values())},
        {name: table[:, i, 1] for i, name in enumerate(watched.values())},
    )


def _observer(model: bytes) -> Any:
    module = load_runtime().module
    with warnings.catch_warnings(), native_output_hidden():
        # "intended for debugging": to look at every tensor is the purpose here.
        warnings.simplefilter("ignore", UserWarning)
        interpreter = module.Interpreter(
            model_content=model, num_threads=1, experimental_preserve_all_tensors=True
        )
        interpreter.allocate_tensors()
    return interpreter


def choose_ranges(
    statistics: Statistics, structure: Structure, calibration: Calibration, model: bytes
) -> Ranges:
    """From statistics to the range of each tensor.

    The input's range is known, not measured: pixels 0–255 as the preprocessing hands them
    over, so pixels pass exactly; so is that of what a pointwise operator makes of them. The
    logits are never clipped: they get the extremes over all pictures and a margin.
    """
    ranges = {
        name: (float(lows.mean()), float(statistics.highs[name].mean()))
        for name, lows in statistics.lows.items()
    }
    ranges.update(_pinned(model, structure, calibration))
    margin = LOGIT_MARGIN if calibration.kind == "images" else GENERATED_LOGIT_MARGIN
    for name in _logits(structure):
        low, high = statistics.lows[name].min(), statistics.highs[name].max()
        ranges[name] = (float(low) * margin, float(high) * margin)
    return ranges


def _logits(structure: Structure) -> list[str]:
    """The outputs, and what the final softmax or sigmoid reads."""
    names = [structure.tensors[index].name for index in structure.outputs]
    for operator in structure.operators:
        if operator.name in {"SOFTMAX", "LOGISTIC"} and set(operator.outputs) & set(
            structure.outputs
        ):
            names = [structure.tensors[index].name for index in operator.inputs]
    return names


_POINTWISE = {"MUL", "ADD", "SUB", "DIV", "DEPTHWISE_CONV_2D"}


def _pinned(model: bytes, structure: Structure, calibration: Calibration) -> Ranges:
    """Ranges of the input and of the pointwise operators right behind it.

    Each of those is monotone in every pixel value, so an all-black and an all-white picture
    give its extremes exactly.
    """
    how, source = calibration.how, structure.inputs[0]
    chain = [source]
    for operator in structure.operators:
        moving = [i for i in operator.inputs if i >= 0 and not structure.tensors[i].constant_bytes]
        if moving == [chain[-1]] and _is_pointwise(operator.name, operator.inputs, structure):
            chain.append(operator.outputs[0])
    interpreter = _observer(model)
    extremes: dict[int, list[float]] = {index: [] for index in chain}
    for level in (0, 255):
        pixels = np.full((how.height, how.width, 3), level, np.uint8)
        interpreter.set_tensor(source, normalize(pixels, how)[None])
        interpreter.invoke()
        for index in chain:
            values = interpreter.get_tensor(index)
            extremes[index] += [float(values.min()), float(values.max())]
    return {structure.tensors[i].name: (min(v), max(v)) for i, v in extremes.items()}


def _is_pointwise(name: str, inputs: tuple[int, ...], structure: Structure) -> bool:
    if name not in _POINTWISE:
        return False
    if name != "DEPTHWISE_CONV_2D":
        return True
    kernel: Tensor = structure.tensors[inputs[1]]
    return kernel.shape[:3] == (1, 1, 1)
