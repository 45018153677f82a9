"""Recovery training as a rung of the ladder.

Imports no Keras: where it is missing, or the network is of another kind, the ladder goes
without this rung.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from converters.calibration.ranges import Ranges
from converters.calibration.representative import Calibration
from converters.quantization.qat.config import LABEL_WEIGHT, RecoveryConfig
from converters.tflite_graph.graph import integer_biases, refuse_unknown
from converters.tflite_graph.topology import sigmoid_answers
from edge_effnet.errors import ModelError
from edge_effnet.tflite.reader import Structure

if TYPE_CHECKING:
    from converters.accuracy.strategies import Rung

StartStage = Callable[[str, int | None], Callable[[int], None]]
Recover = Callable[[bytes, bytes, Ranges, Calibration, "Rung"], tuple[bytes, Ranges]]
"""From a float model, the integer one of the rung before and its ranges to a trained float
model and better ranges, as the rung says."""


def recovery_rung(
    structure: Structure, state: Path, *, seed: int, resume: bool, stage: StartStage
) -> Recover | None:
    """The function that trains, or None where it cannot.

    Args:
        structure: of the float model.
        state: file that keeps an interrupted training; ``resume`` takes it over.
    """
    if find_spec("keras") is None or find_spec("tensorflow") is None:
        return None
    if sigmoid_answers(structure):  # its loss is one of softmax
        return None
    try:
        refuse_unknown(structure)
    except ModelError:
        return None

    def train(
        model: bytes, small: bytes, ranges: Ranges, calibration: Calibration, rung: Rung
    ) -> tuple[bytes, Ranges]:
        from converters.quantization.qat.training import recover

        if not resume:
            state.unlink(missing_ok=True)
        shown: list[Callable[[int], None]] = []

        def progress(done: int, steps: int) -> None:
            if not shown:
                shown.append(stage("recovery training", steps))
            shown[0](done)

        recovered = recover(
            model,
            ranges,
            calibration,
            RecoveryConfig(
                steps=rung.steps, label_weight=LABEL_WEIGHT if rung.labelled else 0.0, seed=seed
            ),
            recipe=rung.quantization,
            biases=integer_biases(small),
            labels=calibration.truth if rung.labelled else None,
            state=state,
            progress=progress,
        )
        return recovered.model, recovered.ranges

    return train
