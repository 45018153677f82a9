"""What is said of the operators that an int8 file computes in float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters.front_notes import figures_of
from edge_effnet.metrics import Predictions, compare_predictions


@pytest.mark.parametrize("generated", [False, True])
def test_it_is_said_on_what_images(generated: bool) -> None:
    def predictions(answers: list[int]) -> Predictions:
        scores = np.eye(3, dtype=np.float32)[answers]
        return Predictions(scores, None, tuple(Path(f"{i}.jpg") for i in range(4)), ("a", "b", "c"))

    reference = predictions([0, 1, 2, 0])
    own = compare_predictions(reference, predictions([0, 1, 2, 0]))
    other = compare_predictions(reference, predictions([0, 1, 1, 1]))
    line = figures_of(own, other, generated=generated)
    assert line.startswith("agreement 100.0 instead of 50.0 %")
    assert ("generated images" in line) == generated
