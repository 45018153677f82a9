"""What is said of the network before against the one of now."""

from __future__ import annotations

import numpy as np

from edge_effnet.metrics.two_models.previous import compare_with_before
from edge_effnet.ui.reports.previous import compared

TRUTH = ["cat"] * 50 + ["dog"] * 50 + ["owl"] * 20
KNOWN = ("cat", "dog")


def lines(*wrong_now: int, wrong_before: int = 2, chosen: bool = False) -> list[str]:
    """The network before knew no owl and had two cats wrong."""
    was, now = np.arange(120) < 100, np.ones(120, np.bool_)
    was[:wrong_before] = False
    now[list(wrong_now)] = False
    against = compare_with_before(
        "runs/old",
        TRUTH,
        was,
        now,
        before=KNOWN,
        after=(*KNOWN, "owl"),
        epoch_chosen_on_these_images=chosen,
    )
    return compared(against, "images")


def test_nothing_lost() -> None:
    first, second = lines(0)
    assert first == (
        "on the same 120 images, none of which either learned from: 98 right by runs/old as it "
        "was, 119 now (+17.5 points, 95 % interval +11.7 to +25.3); of the 100 of classes that "
        "both know 98, now 99 (+1.0 points, 95 % interval -2.7 to +5.4)"
    )
    assert second == (
        "of the classes that it knew no loss is proven (with 95 % confidence it is at most 1.7 "
        "points); no class lost"
    )


def test_classes_that_lost_are_named() -> None:
    _, second = lines(0, 1, 60)
    assert "classes that lost: 'dog' 49 of 50 images right (50 before)" in second
    _, second = lines(*range(60, 80))
    assert second.startswith("of the classes that it knew a loss is proven; ")
    assert "'dog' 30 of 50 images right (50 before, proven)" in second


def test_a_gain_is_proven_only_where_these_images_did_not_choose_the_epoch() -> None:
    _, second = lines(wrong_before=20)
    assert second == "of the classes that it knew a gain is proven; no class lost"
    _, second, third = lines(wrong_before=20, chosen=True)
    assert second == "of the classes that it knew no loss is proven; no class lost"
    assert third == (
        "no gain is proven where the epoch was chosen on these images: the best of several seems "
        "better on them than it is, and a loss may be larger"
    )
    _, second, third = lines(*range(60, 80), chosen=True)
    assert second.startswith("of the classes that it knew a loss is proven; ")
    assert third.startswith("no gain is proven where the epoch was chosen on these images")
