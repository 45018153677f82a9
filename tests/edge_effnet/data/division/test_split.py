"""One rule for every division, and what is said of the evaluation set."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.division.split import (
    balanced_sample,
    classes_not_shown,
    divide,
    evaluation_warnings,
    imbalance_warning,
    leakage,
    without,
)
from edge_effnet.data.listing import load_dataset, load_images
from tests.edge_effnet.data.conftest import MakePhotos, draw, write


def file_names(dataset: Dataset) -> list[tuple[str, str]]:
    return [(sample.path.name, dataset.labels[sample.label or 0]) for sample in dataset.samples]


def test_leakage_is_found_whatever_was_done_to_the_file(photos: MakePhotos) -> None:
    source = photos({"train/cat": 2, "train/dog": 2, "test/cat": 2, "test/dog": 2})
    small = cv2.resize(cv2.imread(str(source / "train/dog/001.jpg")), None, fx=0.5, fy=0.5)
    write(source / "test/cat/renamed.jpg", small, quality=70)
    train, test = load_dataset(source / "train"), load_dataset(source / "test")
    assert leakage(train, test) == [(source / "train/dog/001.jpg", source / "test/cat/renamed.jpg")]
    assert len(without(test, train)) == len(test) - 1 == 4


@pytest.fixture
def pets(photos: MakePhotos) -> Dataset:
    return load_dataset(photos({"cat": 20, "dog": 10}))


def test_a_division_is_seeded_by_class_and_whole(pets: Dataset) -> None:
    made = divide(pets, 0.2, seed=3)
    assert made == divide(pets, 0.2, seed=3)
    assert made.evaluation != divide(pets, 0.2, seed=4).evaluation
    assert made.rest.class_counts == {"cat": 16, "dog": 8}
    assert made.evaluation.class_counts == {"cat": 4, "dog": 2}
    both = made.rest.samples + made.evaluation.samples
    assert sorted(both, key=lambda sample: sample.path) == list(pets.samples)
    assert leakage(made.rest, made.evaluation) == []
    assert made.notices == []


def test_a_division_does_not_depend_on_where_the_data_lies(pets: Dataset, tmp_path: Path) -> None:
    shutil.copytree(pets.source, tmp_path / "moved")
    there = divide(load_dataset(tmp_path / "moved"), 0.3, seed=1).evaluation
    assert file_names(there) == file_names(divide(pets, 0.3, seed=1).evaluation)


def test_each_class_keeps_half_for_evaluation(photos: MakePhotos) -> None:
    dataset = load_dataset(photos({"ant": 1, "bee": 2, "cat": 3, "dog": 7, "eel": 30}))
    for seed in range(3):
        made = divide(dataset, 0.5, seed)
        evaluation = {"ant": 1, "bee": 1, "cat": 2, "dog": 4, "eel": 15}
        assert made.evaluation.class_counts == evaluation
        assert made.rest.class_counts == {"bee": 1, "cat": 1, "dog": 3, "eel": 15}


def test_small_classes_stand_on_both_sides_and_single_images_are_learned(
    photos: MakePhotos,
) -> None:
    dataset = load_dataset(photos({"cat": 2, "dog": 1, "owl": 9}))
    for seed in range(3):
        made = divide(dataset, 0.1, seed)
        assert made.evaluation.class_counts == {"cat": 1, "owl": 1}
        assert made.rest.class_counts == {"cat": 1, "dog": 1, "owl": 8}


def test_copies_near_and_exact_stay_on_one_side(pets: Dataset) -> None:
    source = Path(pets.source)
    for number in range(6):
        original = source / f"cat/{number:03}.jpg"
        shutil.copy(original, source / f"dog/mislabelled{number}.jpg")
        small = cv2.resize(cv2.imread(str(original)), None, fx=0.7, fy=0.7)
        write(source / f"cat/small{number}.jpg", small)
    dataset = load_dataset(source)
    for seed in range(5):
        made = divide(dataset, 0.3, seed)
        assert leakage(made.rest, made.evaluation) == []
        assert len(made.rest) + len(made.evaluation) == len(dataset) == 42


def test_a_burst_never_takes_the_evaluation_set_away(photos: MakePhotos) -> None:
    source = photos({"cat": 10})
    for number in range(6):  # of ten more: less would not be most of the class
        pixels = np.clip(draw(300) + np.uint8(2 * number), 0, 255).astype(np.uint8)
        write(source / "cat" / f"burst{number}.png", pixels)
    dataset = load_images(source)
    for seed in range(6):
        made = divide(dataset, 0.5, seed)
        assert made.alike == ()
        assert len(made.evaluation) >= 8
        assert len(made.rest) >= 2
        bursts = {sample.path.name.startswith("burst") for sample in made.rest.samples}
        others = {sample.path.name.startswith("burst") for sample in made.evaluation.samples}
        assert not (True in bursts and True in others)


def test_where_all_images_of_a_class_look_alike_that_is_said(photos: MakePhotos) -> None:
    source = photos({"cat": 6})
    for number in range(8):
        pixels = draw(500)
        cv2.circle(pixels, (20 + 15 * number, 80), 3, (255, 255, 255), -1)
        write(source / "line" / f"{number}.png", pixels)
    made = divide(load_dataset(source), 0.5, 0)
    assert made.evaluation.class_counts == {"cat": 3, "line": 4}
    assert made.alike == ("line",)
    assert "most images of 'line'" in made.notices[0]


def test_what_must_not_be_evaluated_on_never_is(pets: Dataset) -> None:
    barred = np.array([sample.path.name < "008.jpg" for sample in pets.samples])
    made = divide(pets, 0.5, 0, barred=barred)
    assert not {sample.path for sample in made.evaluation.samples} & {
        sample.path for sample, known in zip(pets.samples, barred, strict=True) if known
    }
    assert len(made.evaluation) == 14  # 16 of 30 may not: all others are
    few = divide(pets, 0.2, 0, barred=barred)
    assert len(few.evaluation) == 6  # a fifth of all


def test_unreadable_images_are_evaluated_on_so_that_they_are_named(photos: MakePhotos) -> None:
    source = photos({"cat": 4, "dog": 4})
    for number in range(4):
        (source / "dog" / f"broken{number}.jpg").write_text("no image")
    made = divide(load_dataset(source), 0.5, 0)
    assert made.rest.class_counts == {"cat": 2, "dog": 2}
    assert made.evaluation.class_counts == {"cat": 2, "dog": 6}


def test_images_of_several_labels_and_of_none_are_divided(pets: Dataset) -> None:
    several = replace(
        pets,
        samples=tuple(
            replace(sample, label=None, labels=(0,) if place % 5 else (0, 1))
            for place, sample in enumerate(pets.samples)
        ),
    )
    made = divide(several, 0.5, 0)
    assert sum(sample.labels == (0, 1) for sample in made.evaluation.samples) == 3
    assert len(made.evaluation) == 15
    values = replace(
        pets, samples=tuple(Sample(s.path, None, value=1.5) for s in pets.samples), labels=()
    )
    assert len(divide(values, 0.2, 0).evaluation) == 6


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=40),
    st.integers(0, 50),
    st.integers(0, 3),
)
def test_a_balanced_sample_is_as_even_as_can_be(classes: list[int], count: int, seed: int) -> None:
    samples = tuple(Sample(Path(f"{i}.jpg"), label) for i, label in enumerate(classes))
    dataset = Dataset(samples, tuple("abcde"), "made up")
    picked = balanced_sample(dataset, count, seed)
    assert len(picked) == min(count, len(dataset))
    assert len(set(picked.samples)) == len(picked)
    assert set(picked.samples) <= set(samples)
    assert picked == balanced_sample(dataset, count, seed)
    taken = picked.class_counts
    for name, available in dataset.class_counts.items():
        # A class has fewer than another only when it has no more, or by the last round's one.
        assert taken.get(name, 0) >= min(available, max(taken.values(), default=0) - 1)


def made_up(counts: dict[str, int]) -> Dataset:
    samples = [
        Sample(Path(f"{name}{number}.jpg"), label)
        for label, (name, count) in enumerate(counts.items())
        for number in range(count)
    ]
    return Dataset(tuple(samples), tuple(counts), "photos")


def test_imbalance_is_said() -> None:
    warning = imbalance_warning(made_up({"cat": 11, "dog": 2}))
    assert warning is not None
    assert "11 images of 'cat', 2 of 'dog'" in warning
    assert imbalance_warning(made_up({"cat": 11, "dog": 3})) is None
    assert imbalance_warning(Dataset((Sample(Path("a.jpg"), None),), (), "flat")) is None


def test_what_is_wrong_with_an_evaluation_set_is_said() -> None:
    whole = made_up({"cat": 20, "dog": 3, "owl": 2})
    cats = replace(whole, samples=whole.samples[:20])
    assert classes_not_shown(cats, whole) == ["dog", "owl"]
    alone, lacking = evaluation_warnings(cats, whole)
    assert "all 20 images to evaluate on in photos are of one class, 'cat'" in alone
    assert "no image of 'dog', 'owl' in photos to evaluate on" in lacking
    assert evaluation_warnings(made_up({"cat": 3, "dog": 3}), made_up({"cat": 3, "dog": 3})) == []
