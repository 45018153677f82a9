"""The table of heads: what the numbers of a network's last layer can mean.

Apart from ``edge_effnet.heads.head``, so that ``--help`` can name the rows without NumPy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Task = Literal["classes", "labels", "value"]
"""One class of several; several labels that can be true together; a number."""

Activation = Literal["none", "softmax", "sigmoid"]

DEFAULT_THRESHOLD = 0.5

NO_LABEL = "(none)"
"""The empty set of labels, in documents, CSV files and tables."""


@dataclass(frozen=True)
class HeadKind:
    """One row of the table.

    Attributes:
        task: what an image's answer is.
        activation: what the host applies to the model's output to get scores.
        summary: for ``--help`` and documents.
        width: how many outputs it has: one, several, or either.
        final_operator: that a model of it ends in; None: any.
        before: the kind of the same model before that operator; a model that does not end in it
            is refused with this as remedy. None: it is not refused.
    """

    name: str
    task: Task
    activation: Activation
    summary: str
    width: Literal["one", "several", "either"] = "either"
    final_operator: str | None = None
    before: str | None = None

    def fits(self, outputs: int) -> bool:
        """Whether a model of so many outputs can be of this kind."""
        return self.width == "either" or (self.width == "one") == (outputs == 1)


HEADS: dict[str, HeadKind] = {
    row.name: row
    for row in (
        HeadKind("softmax", "classes", "none", "one class of several, a probability for each",
                 "several", "SOFTMAX"),
        HeadKind("logits", "classes", "softmax", "one class of several, before the softmax"),
        HeadKind("sigmoid", "classes", "none", "two classes, the probability of the second",
                 "one", "LOGISTIC", before="logits"),
        HeadKind("multilabel", "labels", "none", "labels that can be true together",
                 "several", "LOGISTIC", before="multilabel-logits"),
        HeadKind("multilabel-logits", "labels", "sigmoid", "the same before the sigmoids",
                 "several"),
        HeadKind("regression", "value", "none", "a number"),
    )
}  # fmt: skip


@dataclass(frozen=True)
class HeadChoice:
    """What the user says of a head; None leaves it to the model's card, or to the model."""

    kind: str | None = None
    threshold: float | None = None
