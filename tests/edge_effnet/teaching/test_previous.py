"""A taught file and the one before it, on the same images."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import OutputError
from edge_effnet.heads.learning.softmax_regression import unit
from edge_effnet.teaching.collection import Collection
from edge_effnet.teaching.layer_settings import LayerSettings
from edge_effnet.teaching.previous import Previous, compare_with_previous, refuse_worse

CLASSES, WIDTH = 3, 60
SETTINGS = LayerSettings(1e-2)
BEFORE = Path("before.tflite")


def drawn(each: int, *, third: int | None = None, noise: float = 0.9) -> Collection:
    """So many images of each class, maybe another number of the third; the first of them are the
    same for every number."""
    counts = (each, each, each if third is None else third)
    random = np.random.default_rng(7)
    centres = random.normal(size=(CLASSES, WIDTH))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    drawn = random.normal(size=(60, CLASSES, WIDTH))
    rows = [drawn[:count, label] for label, count in enumerate(counts)]
    classes = np.repeat(np.arange(CLASSES), counts)
    values = unit(centres[classes] + noise * np.concatenate(rows) / np.sqrt(10))
    names = [f"{label}-{index}" for label in range(CLASSES) for index in range(counts[label])]
    return Collection(
        ("a", "b", "c"),
        classes,
        tuple(hashlib.sha256(name.encode()).hexdigest() for name in names),
        np.random.default_rng(1).integers(0, 2**63, (len(names), 2), dtype=np.uint64),
        values[:, None].astype(np.float32),
        tuple(map(Path, names)),
        "drawn",
    )


def test_images_of_now_are_asked_of_layers_that_have_not_learned_them() -> None:
    few, many = drawn(6), drawn(60)
    against = compare_with_previous(Previous(BEFORE, few, SETTINGS), many, SETTINGS, seed=0)
    assert against.every.images == len(many)
    # Were the first six of each class asked of a layer that knows them, all would be right.
    assert against.every.before < against.every.now < len(many)
    assert against.every == against.known
    refuse_worse(against, ())


def test_a_layer_of_fewer_images_is_worse_and_refused() -> None:
    few, many = (drawn(each, noise=1.2) for each in (6, 60))
    against = compare_with_previous(Previous(BEFORE, many, SETTINGS), few, SETTINGS, seed=0)
    assert against.is_worse
    with pytest.raises(OutputError, match="is better than what would replace it"):
        refuse_worse(against, ())


def test_a_class_that_only_the_new_one_knows_counts_for_it() -> None:
    both = drawn(20)
    old = both.without("c")
    against = compare_with_previous(Previous(BEFORE, old, SETTINGS), both, SETTINGS, seed=0)
    assert against.new == ("c",)
    assert against.known.images == 40
    assert against.every.before == against.known.before


def test_a_class_that_only_the_new_one_knows_does_not_hide_a_loss() -> None:
    old = drawn(60, noise=1.2).without("c")
    few = drawn(10, third=60, noise=1.2)
    against = compare_with_previous(Previous(BEFORE, old, SETTINGS), few, SETTINGS, seed=0)
    assert against.every.now > against.every.before
    assert against.worse == against.known
    with pytest.raises(OutputError, match="is better than what would replace it") as refused:
        refuse_worse(against, ())
    assert refused.value.found is not None
    counts = f"{against.known.before} of {against.known.images} photos of the classes that both"
    assert refused.value.found.startswith(f"{counts} know right before")


def test_names_that_were_changed_are_the_same_classes() -> None:
    images = drawn(20)
    before = Previous(BEFORE, images, SETTINGS).renamed([("a", "x")])
    now = images.renamed("a", "x")
    against = compare_with_previous(before, now, SETTINGS, seed=0)
    assert (against.new, against.forgotten) == ((), ())
    assert against.every.before == against.every.now


def test_a_class_that_is_lost_unasked_is_refused() -> None:
    images = drawn(20)
    fewer = images.without("c")
    against = compare_with_previous(Previous(BEFORE, images, SETTINGS), fewer, SETTINGS, seed=0)
    with pytest.raises(OutputError, match="knows classes that the new file would not"):
        refuse_worse(against, ())
    refuse_worse(against, ["c"])
