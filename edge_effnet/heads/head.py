"""The head of a network: what its last layer's numbers mean, and what may be answered from them.

A head is found from the model's last operator and the width of its output, kept in the model
card, and can be named by the user. Everything that evaluates, shows or thresholds an answer asks
the head; nothing else takes the largest score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.heads.kinds import DEFAULT_THRESHOLD, HEADS, HeadChoice, Task
from edge_effnet.tflite.reader import Operator, Structure


@dataclass(frozen=True)
class Head:
    """The head of one model.

    Attributes:
        kind: name of its row in ``HEADS``.
        outputs: width of the model's output.
        threshold: of a probability, 0–1: of two classes the second is answered, of several
            labels each is answered, where the score lies above it.
    """

    kind: str
    outputs: int
    threshold: float = DEFAULT_THRESHOLD

    def __post_init__(self) -> None:
        if self.kind not in HEADS:
            raise UsageProblem(
                "there is no such head",
                found=repr(self.kind),
                expected=", ".join(HEADS),
                fix="give one of these with --head, or leave it out",
            )
        if not 0 < self.threshold < 1:
            raise UsageProblem(
                "a threshold is a probability",
                found=f"{self.threshold:g}",
                expected="more than 0 and less than 1",
                fix="for example --threshold 0.5",
            )
        row = HEADS[self.kind]
        if row.fits(self.outputs):
            return
        if row.task == "labels":
            raise UsageProblem(
                "one output is not several labels",
                found=f"--head {self.kind} for a model with 1 output",
                expected="sigmoid or logits: the label, and its absence, are two classes",
                fix="--head sigmoid",
            )
        raise UsageProblem(
            f"a {self.kind} head does not have this width",
            found=f"{self.outputs} outputs",
            expected="1" if row.width == "one" else "one for each class, 2 or more",
            fix="leave --head out, or name another kind: " + ", ".join(HEADS),
        )

    @property
    def task(self) -> Task:
        return HEADS[self.kind].task

    @property
    def binary(self) -> bool:
        """Whether one output tells two classes apart."""
        return self.task == "classes" and self.outputs == 1

    @property
    def classes(self) -> int:
        """Number of labels: two where one output tells two classes apart."""
        return 2 if self.binary else self.outputs

    def scores(self, output: NDArray[np.float32]) -> NDArray[np.float32]:
        """The model's output (..., outputs) to scores (..., classes), float32.

        Scores of classes and labels are probabilities, but for a model whose ``softmax`` head
        was named by the user; values stay what they are.
        """
        activation = HEADS[self.kind].activation
        values = np.asarray(output, np.float32)
        if activation == "sigmoid" or (activation == "softmax" and self.binary):
            values = _sigmoid(values)
        elif activation == "softmax":
            values = _softmax(values)
        if self.binary:
            values = np.concatenate([1 - values, values], axis=-1)
        return np.asarray(values, np.float32)

    def answers(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        """The class answered for each row of scores, (images, classes) -> (images,).

        Of equal scores the lower index.

        Raises:
            ValueError: the head's task is not "classes".
        """
        if self.task != "classes":
            raise ValueError(f"a {self.kind} head answers no single class")
        if self.binary:
            return np.asarray(scores[:, 1] > self.threshold, np.int64)
        return np.asarray(scores.argmax(axis=1), np.int64)

    def decisions(self, scores: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Whether each label is answered, (images, labels), bool.

        Raises:
            ValueError: the head's task is not "labels".
        """
        if self.task != "labels":
            raise ValueError(f"a {self.kind} head decides on no labels")
        return np.asarray(scores > self.threshold)

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "outputs": self.outputs, "threshold": self.threshold}


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    # By the half angle: exp overflows no float for any logit.
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), np.float32)


def _softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float32)


def fit_names(names: Sequence[str] | None, head: Head) -> tuple[str, ...] | None:
    """A name for each class, label or value, from as many as a person would write down.

    The second class of two may be named alone (``cat`` is ``not cat``, ``cat``), a value not at
    all. Running numbers from 0 name nothing and go on to the last class. None where the names do
    not fit, or nobody named classes.
    """
    if names is None:
        return ("value",) if head.task == "value" and head.outputs == 1 else None
    if head.binary and len(names) == 1:
        return f"not {names[0]}", names[0]
    if len(names) < head.classes and tuple(names) == numbers(len(names)):
        return numbers(head.classes)
    return tuple(names) if len(names) == head.classes else None


def fix_of_names(names: Sequence[str], head: Head) -> str:
    """What to do about names that ``fit_names`` does not take."""
    if head.task == "value" and head.outputs == 1 and len(names) == 2:
        return "--head logits, if its one number tells these two classes apart"
    return "give the model's own label file with --labels: one name per line, in index order"


# What may stand between the operator that makes the scores and the output.
_PASSING = {"QUANTIZE", "DEQUANTIZE", "RESHAPE", "SQUEEZE", "CAST"}


def last_operator(structure: Structure) -> Operator | None:
    """The operator that computes the first output, behind those that only store it otherwise."""
    makers = {tensor: op for op in structure.operators for tensor in op.outputs}
    op = makers.get(structure.outputs[0]) if structure.outputs else None
    while op is not None and op.name in _PASSING and op.inputs:
        op = makers.get(op.inputs[0])
    return op


def find_head(
    structure: Structure,
    name: str,
    *,
    choice: HeadChoice | None = None,
    stated: Head | None = None,
) -> Head:
    """The head of a model: as the user names it, else the card, else by its last operator.

    Args:
        name: of the model, for errors.
        stated: what the model's card says.

    Raises:
        ModelError: several outputs, or a softmax of one, which is 1 whatever it sees.
        UsageProblem: ``choice`` does not fit the model, or its threshold decides nothing.
    """
    kind, threshold = (choice.kind, choice.threshold) if choice else (None, None)
    if len(structure.outputs) != 1:
        raise ModelError(
            f"{name} has {len(structure.outputs)} outputs",
            found=", ".join(str(list(structure.tensors[i].shape)) for i in structure.outputs),
            expected="one vector of scores, or one number",
            fix="export the one you need: keras.Model(model.input, model.outputs[0])",
        )
    shape = structure.tensors[structure.outputs[0]].shape
    outputs = int(shape[-1]) if shape else 1
    last = last_operator(structure)
    operator = last.name if last is not None else ""
    if operator == "SOFTMAX" and outputs == 1:
        raise ModelError(
            f"{name} answers the same to everything",
            found="a softmax of one output, which is always 1",
            expected="a sigmoid, or an output for each class",
            fix="train it again with Dense(1, activation='sigmoid') or with one output per class",
        )
    limit = threshold if threshold is not None else stated.threshold if stated else None
    limit = DEFAULT_THRESHOLD if limit is None else limit
    found = kind or (stated.kind if stated else _kind_of(operator, outputs))
    head = Head(found, outputs, limit)
    if threshold is not None and not (head.binary or head.task == "labels"):
        raise UsageProblem(
            f"--threshold decides nothing for {name}",
            found=f"a {found} head, "
            + ("which answers a number" if head.task == "value" else "whose highest score answers"),
            expected="one score that tells two classes apart, or labels that can be true together",
            fix="leave --threshold out",
        )
    if kind is None:
        return head
    row = HEADS[kind]
    if row.activation != "none" and operator in {one.final_operator for one in HEADS.values()}:
        raise UsageProblem(
            f"{name} gives probabilities already",
            found=f"{operator} as its last operator",
            expected="a model that ends before it, for --head " + kind,
            fix="leave --head out",
        )
    if row.before is not None and operator != row.final_operator:
        raise UsageProblem(
            f"{name} does not end in a sigmoid",
            found=f"{operator or 'no operator'} as its last operator",
            expected=f"{row.final_operator}, for --head {kind}",
            fix=f"--head {row.before}, which applies the sigmoid to its answer",
        )
    return head


def _kind_of(operator: str, outputs: int) -> str:
    if operator.startswith("CUSTOM:"):
        operator = "SOFTMAX"  # a compiled model keeps its operators to itself: the commonest end
    for row in HEADS.values():
        if row.final_operator == operator and row.fits(outputs):
            return row.name
    return "regression" if outputs == 1 else "logits"


def head_from_json(raw: Mapping[str, Any] | None) -> Head | None:
    """What ``Head.to_json`` wrote; None for a card that does not say (of version 0.1).

    Raises:
        KeyError, TypeError, ValueError: damaged.
        UsageProblem: no such head.
    """
    if raw is None:
        return None
    return Head(str(raw["kind"]), int(raw["outputs"]), float(raw["threshold"]))


def numbers(count: int) -> tuple[str, ...]:
    """0, 1, 2 …: what classes are called that nobody named."""
    return tuple(map(str, range(count)))
