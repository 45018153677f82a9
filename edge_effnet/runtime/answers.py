"""From the scores of one image to the best answers, each with its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.heads.head import Head
from edge_effnet.metrics.one_model.classification import top_answers


@dataclass(frozen=True)
class Answer:
    """A class, a label or a value that a model gives for an image.

    Attributes:
        label: its name.
        probability: 0 to 1. Those of classes add up to 1, each of several labels stands for
            itself. None for a value.
        index: position of the label in the model's ``labels``.
        answered: whether the model decides for it: the best class, or every label whose
            probability lies above the model's threshold. False for all where ``unknown``.
        value: the number, of a model that answers values; else None.
        unknown: whether the image is like none that the model was taught: the same for all
            answers of one image. Always False of a file without such a rule.
    """

    label: str
    probability: float | None
    index: int
    answered: bool = True
    value: float | None = None
    unknown: bool = False


def best_answers(
    scores: Float32Array, labels: Sequence[str], head: Head, top: int, *, unknown: bool = False
) -> list[Answer]:
    """The answers that one image's scores, (labels,), amount to.

    Of classes the best ``top``, best first (of two classes the one decided for); of labels at
    least all those decided for; of values every one, in the model's order.

    Args:
        unknown: whether the image is like none that the model was taught.
    """
    if head.task == "value":
        return [
            Answer(label, None, index, not unknown, value=float(score), unknown=unknown)
            for index, (label, score) in enumerate(zip(labels, scores, strict=True))
        ]
    if head.task == "labels":
        answered = set(map(int, np.flatnonzero(head.decisions(scores[None])[0])))
    else:
        answered = {int(head.answers(scores[None])[0])}
    order = [int(index) for index in top_answers(scores[None], len(scores))[0]]
    if head.binary:
        order.sort(key=lambda index: index not in answered)
    count = max(top, len(answered)) if head.task == "labels" else top
    return [
        Answer(
            labels[index],
            float(scores[index]),
            index,
            index in answered and not unknown,
            unknown=unknown,
        )
        for index in order[:count]
    ]
