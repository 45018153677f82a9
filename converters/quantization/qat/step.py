"""Quantization-aware training as a step of a strategy.

Imports no Keras: where it is missing, or the network is of another kind, strategies that train
are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec

from converters.quantization.candidates import Candidate, Context
from converters.quantization.qat.config import LABEL_WEIGHT, QatConfig
from converters.quantization.quantizer import quantize
from converters.tflite_graph.graph import integer_biases, refuse_unknown
from converters.tflite_graph.segments import sigmoid_answers
from edge_effnet.errors import ModelError
from edge_effnet.heads.kinds import Task
from edge_effnet.tflite.reader import Structure


def can_train(structure: Structure, task: Task) -> bool:
    """Whether a float model can be trained here.

    Args:
        task: what its answer is; named by the user, a model that ends in logits may answer
            several labels.
    """
    if find_spec("keras") is None or find_spec("tensorflow") is None:
        return False
    if task != "classes" or sigmoid_answers(structure):  # the loss is one of softmax
        return False
    try:
        refuse_unknown(structure)
    except ModelError:
        return False
    return True


@dataclass(frozen=True)
class Train:
    """Step: the network is trained to answer in int8 as it does in float.

    Attributes:
        steps: of training; None for the default.
        labelled: whether the calibration images' labels teach too.
    """

    steps: int | None = None
    labelled: bool = False

    def __call__(self, candidate: Candidate, context: Context) -> Candidate:
        from converters.quantization.qat.training import train

        run, calibration = context.qat, context.calibration
        if run is None:
            return candidate
        if not run.resume:
            run.state.unlink(missing_ok=True)
        shown: list[Callable[[int], None]] = []

        def progress(done: int, steps: int) -> None:
            if not shown:
                shown.append(run.stage("quantization-aware training", steps))
            shown[0](done)

        trained = train(
            context.model,
            dict(candidate.ranges),
            calibration,
            QatConfig(
                steps=self.steps,
                label_weight=LABEL_WEIGHT if self.labelled else 0.0,
                seed=run.seed,
            ),
            recipe=candidate.recipe,
            biases=integer_biases(candidate.model),
            labels=calibration.class_indices if self.labelled else None,
            state=run.state,
            progress=progress,
        )
        model = quantize(
            trained.model,
            candidate.recipe,
            trained.ranges,
            context.interface,
            left_float=candidate.left_float,
            float_answer=candidate.float_answer,
        )
        return replace(candidate, model=model, ranges=trained.ranges)
