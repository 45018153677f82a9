"""A network against the one that it follows."""

from __future__ import annotations

import numpy as np

from edge_effnet.metrics.two_models.paired import paired_test
from edge_effnet.metrics.two_models.previous import compare_with_before

TRUTH = ["cat"] * 20 + ["dog"] * 20 + ["owl"] * 10


def wrong(*indices: int) -> np.ndarray:  # type: ignore[type-arg]
    right = np.ones(len(TRUTH), np.bool_)
    right[list(indices)] = False
    return right


def test_new_classes_are_counted_apart() -> None:
    was, now = wrong(0, *range(40, 50)), wrong(1, 2, 25, 49)
    against = compare_with_before(
        "runs/old", TRUTH, was, now, before=("cat", "dog"), after=("cat", "dog", "owl")
    )
    assert (against.new, against.forgotten) == (("owl",), ())
    assert (against.every.before, against.every.now) == (39, 46)
    assert (against.known.images, against.known.before, against.known.now) == (40, 39, 37)
    assert against.known.paired == paired_test(was[:40], now[:40])
    assert not against.is_worse
    assert list(against.lost_classes) == ["cat", "dog"]
    document = against.to_json("run")
    assert document["run"] == "runs/old"
    assert document["by_class"]["cat"] == {"images": 20, "before": 19, "now": 18}
    assert document["drop_points"] == -14.0
    assert document["images_of_known_classes"]["drop_points"] == 5.0
    assert document["classes_lost"] == ["cat", "dog"]


def test_a_proven_loss() -> None:
    against = compare_with_before(
        "old.tflite", TRUTH, wrong(), wrong(*range(12)), before=("cat", "dog", "owl"), after=TRUTH
    )
    assert against.is_worse


def test_without_images_of_known_classes_nothing_is_compared() -> None:
    against = compare_with_before(
        "old.tflite", ["owl"], wrong()[:1], wrong()[:1], before=("cat",), after=("owl",)
    )
    assert against.known.paired is None
    assert against.forgotten == ("cat",)
    assert against.to_json("file")["images_of_known_classes"] == {
        "images": 0,
        "before": 0,
        "now": 0,
    }


def test_a_new_class_does_not_hide_that_the_old_ones_got_worse() -> None:
    was, now = wrong(*range(40, 50)), wrong(*range(10))
    against = compare_with_before(
        "runs/old", TRUTH, was, now, before=("cat", "dog"), after=("cat", "dog", "owl")
    )
    assert (against.every.before, against.every.now) == (40, 40)
    assert against.worse == against.known
    assert against.is_worse


def test_no_gain_is_proven_by_images_on_which_the_epoch_was_chosen() -> None:
    """A loss is: the choice can but hide it."""
    all_right, many_wrong = wrong(), wrong(*range(12))
    classes = ("cat", "dog", "owl")
    for chosen in (False, True):
        gain, loss = (
            compare_with_before(
                "runs/old",
                TRUTH,
                was,
                now,
                before=classes,
                after=classes,
                epoch_chosen_on_these_images=chosen,
            )
            for was, now in ((many_wrong, all_right), (all_right, many_wrong))
        )
        assert (gain.proves_gain, gain.is_worse) == (not chosen, False)
        assert (loss.proves_gain, loss.is_worse) == (False, True)
        assert gain.to_json("run")["epoch_chosen_on_these_images"] is chosen
