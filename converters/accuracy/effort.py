"""How long a search may take, said before it starts.

In units of one inference of the float model on one core, fitted to processor times of
EfficientNetV2-B0 and Lite0; other work on the machine comes on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from converters.accuracy.strategies import Strategy
from converters.quantization.candidates import Context, each_step
from converters.quantization.qat.config import MOST_PASSES, MOST_STEPS, QatConfig
from converters.quantization.ranges import search as range_search
from edge_effnet.plurals import counted

_CALIBRATE = 1.7  # for each image
_CORRECT = 900.0  # corrected biases and weights
_SEARCH = 20.0  # for each operator
_TRAIN = 20.0  # for each image of each step
_READ_SECONDS = 0.005  # an image


def effort_text(
    strategies: Sequence[Strategy], context: Context, images: int, inference_seconds: float
) -> str:
    """How many tries it may take, and how many minutes.

    Args:
        images: to measure on.
        inference_seconds: of the float model, on one core.
    """

    def minutes(rows: Sequence[Strategy]) -> int:
        seconds = sum(_seconds(row, context, images, inference_seconds) for row in rows)
        return math.ceil(seconds / context.workers / 60)

    fast = [row for row in strategies if not row.training]
    slow = [row for row in strategies if row.training]
    names, count = ", ".join(row.name for row in strategies), len(strategies)
    tries = f"at most {counted(count, 'try', 'tries')} ({names})"
    text = f"{tries} on {counted(images, 'image')}: about {_minutes(minutes(fast))}"
    if slow:
        text += f", and {_minutes(minutes(slow))} more if only training is left"
    return text


def _seconds(row: Strategy, context: Context, images: int, inference: float) -> float:
    """Of processor time."""
    steps, calibration = list(each_step(row.steps)), len(context.calibration)
    units = _CORRECT + _CALIBRATE * calibration
    training = row.training
    if training is not None:
        batch = QatConfig().batch
        passes = math.ceil(MOST_PASSES * calibration / batch)
        units = _TRAIN * batch * (training.steps or min(MOST_STEPS, passes))
    elif range_search.apply in steps:
        units += _SEARCH * len(context.structure.operators)
    return inference * units + images * (inference + _READ_SECONDS)


def _minutes(count: int) -> str:
    return counted(count, "minute")
