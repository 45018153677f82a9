"""The time that is left."""

from __future__ import annotations

import pytest

from edge_effnet.search.pace import Pace, duration


def test_epochs_and_beginnings_are_timed_apart() -> None:
    pace = Pace().with_part(2, training_seconds=20, seconds=50).with_part(4, 40, 70)
    assert pace.seconds_for(epochs=6, parts=3) == pytest.approx(6 * 10 + 3 * 30)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(20, "under a minute"), (70, "about 1 minute"), (600, "about 10 minutes"),
     (9000, "about 2.5 hours")],
)  # fmt: skip
def test_a_duration_is_as_rough_as_it_is_known(seconds: float, text: str) -> None:
    assert duration(seconds) == text
