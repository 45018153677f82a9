"""How a last layer was learned; in the card, so that a later one can be held against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from edge_effnet.arrays import Float32Array

_NO_DECAY = 1e-3  # of a card that does not say


@dataclass(frozen=True)
class LayerSettings:
    """Of one layer.

    Attributes:
        decay: of its weights.
        lowered: how much the logits of classes that were added later are lowered, by name; see
            ``heads.learning.added_classes``.
    """

    decay: float
    lowered: Mapping[str, float] = field(default_factory=dict)

    def lowered_by(self, names: Sequence[str]) -> Float32Array:
        """For classes in this order, (classes,)."""
        return np.array([self.lowered.get(name, 0.0) for name in names], np.float32)

    def renamed(self, old: str, new: str) -> LayerSettings:
        """The same with another name for a class."""
        lowered = {new if name == old else name: one for name, one in self.lowered.items()}
        return replace(self, lowered=lowered)

    def to_json(self) -> dict[str, Any]:
        """For the card."""
        lowered = {"lowered": dict(self.lowered)} if self.lowered else {}
        return {"weight_decay": self.decay, **lowered}


def settings_from_json(step: Mapping[str, Any]) -> LayerSettings:
    """From a card's step. Of what it does not say, or says in no number, nothing is taken."""
    decay, lowered = step.get("weight_decay"), step.get("lowered")
    numbers = lowered.items() if isinstance(lowered, dict) else ()
    return LayerSettings(
        decay if isinstance(decay, float) else _NO_DECAY,
        {str(name): one for name, one in numbers if isinstance(one, float)},
    )
