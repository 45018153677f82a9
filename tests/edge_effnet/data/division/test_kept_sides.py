"""Dividing again, with more images than an earlier run had."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.kept_sides import divide_again
from edge_effnet.data.division.prints import prints_of
from edge_effnet.data.division.roles import Roles, assign_roles
from edge_effnet.data.division.trained_on import TrainingRecord, record, records
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import DataError
from tests.edge_effnet.data.division.test_roles import draw

RUN = "runs/old"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """What the earlier run had: three classes of 20 images."""
    return draw(tmp_path / "data", 20, 1)


def first_division(data: Path) -> tuple[Roles, tuple[TrainingRecord, ...]]:
    roles = assign_roles(load_dataset(data), None, share=0.2, seed=0)
    kept = {"data": {"images": record(roles.training, roles.evaluation)}}
    return roles, records([kept])


def again(data: Path, known: Sequence[TrainingRecord], val: Path | None = None) -> Roles:
    dataset = load_dataset(data)
    validation = load_dataset(val, labels=dataset.labels) if val else None
    return divide_again(dataset, validation, known, run=RUN, share=0.2, seed=0)


def names(dataset: Dataset) -> set[str]:
    return {f"{sample.path.parent.name}/{sample.path.name}" for sample in dataset.samples}


def test_without_new_images_the_division_stays(data: Path) -> None:
    before, known = first_division(data)
    now = again(data, known)
    assert names(now.training) == names(before.training)
    assert names(now.evaluation) == names(before.evaluation)
    assert now.notices == (
        "48 images that runs/old learned from are learned from again, 12 that it held out are "
        "validated on again; new: 0 to learn from, 0 to validate on",
    )


def test_new_images_and_classes_are_divided_by_the_same_rule(data: Path, tmp_path: Path) -> None:
    before, known = first_division(data)
    more = draw(tmp_path / "more", 10, 2)
    for number in range(10):
        name = f"{number:02}.png"
        shutil.move(more / "red" / name, data / "red" / f"new-{name}")
    shutil.move(more / "blue", data / "violet")
    now = again(data, known)
    assert names(before.training) <= names(now.training)
    assert names(before.evaluation) <= names(now.evaluation)
    new = names(now.evaluation) - names(before.evaluation)
    assert sorted(name.split("/")[0] for name in new) == ["red"] * 2 + ["violet"] * 2
    assert "new: 16 to learn from, 4 to validate on" in now.notices[0]


def test_an_image_keeps_its_side_in_another_folder_and_under_another_name(data: Path) -> None:
    before, known = first_division(data)
    held, learned = before.evaluation.samples[0].path, before.training.samples[0].path
    assert (held.parent.name, learned.parent.name) == ("blue", "blue")
    shutil.move(held, data / "red" / "was-blue.png")
    shutil.move(learned, data / "green" / "was-blue.png")
    now = again(data, known)
    assert "red/was-blue.png" in names(now.evaluation)
    assert "green/was-blue.png" in names(now.training)


def test_a_near_duplicate_of_a_used_image_goes_to_its_side(data: Path) -> None:
    """Even where that image lies there no more."""
    before, known = first_division(data)
    for side in (before.training, before.evaluation):
        path = side.samples[0].path
        pixels = cv2.imread(str(path))
        assert pixels is not None
        assert cv2.imwrite(str(path.with_name(f"again-{path.stem}.jpg")), pixels)
        path.unlink()
    now = again(data, known)
    for side, then in ((now.training, before.training), (now.evaluation, before.evaluation)):
        path = then.samples[0].path
        assert f"blue/again-{path.stem}.jpg" in names(side)
    assert len(now.notices) == 1  # nothing that the run used is missing


def test_frames_of_one_press_are_of_one_side_or_left_out(data: Path, tmp_path: Path) -> None:
    before, known = first_division(data)
    learned = [sample.path for sample in before.training.samples[:2]]
    held = [sample.path for sample in before.evaluation.samples[:2]]
    more = draw(tmp_path / "more", 3, 2)
    new = [more / "blue" / f"{number:02}.png" for number in range(3)]
    presses = ((learned[0], new[0]), (held[0], new[1]), (learned[1], held[1], new[2]))
    for press, images in enumerate(presses):
        for place, path in enumerate(images):
            shutil.move(path, data / "blue" / f"burst-20261129-101500-{press}-{place:04}.png")
    now = again(data, known)
    training, evaluation = names(now.training), names(now.evaluation)
    assert "blue/burst-20261129-101500-0-0001.png" in training
    assert "blue/burst-20261129-101500-1-0001.png" in evaluation
    # Of the third press one frame was learned from and one held out; both stay as they were.
    assert "blue/burst-20261129-101500-2-0000.png" in training
    assert "blue/burst-20261129-101500-2-0001.png" in evaluation
    assert "blue/burst-20261129-101500-2-0002.png" not in training | evaluation
    assert now.notices[1].startswith("1 new image was left out: near-duplicates, or frames of one")


def test_what_is_missing_is_counted(data: Path) -> None:
    before, known = first_division(data)
    for path in (before.evaluation.samples[0].path, *(s.path for s in before.training.samples[:3])):
        path.unlink()
    (line,) = again(data, known).notices[1:]
    assert line == (
        f"not in {data} any more: 3 of 48 images that runs/old learned from, 1 of 12 that it held "
        "out"
    )


def test_a_second_source_adds_to_what_was_held_out(data: Path, tmp_path: Path) -> None:
    before, known = first_division(data)
    val = draw(tmp_path / "val", 4, 2)
    learned = before.training.samples[0].path
    shutil.copy(learned, val / "red" / "learned.png")
    shutil.copy(val / "red" / "00.png", data / "red" / "new.png")
    now = again(data, known, val)
    assert names(now.training) == names(before.training) | {"red/new.png"}
    assert len(now.evaluation) == len(before.evaluation) + 11
    assert now.evaluation.source == f"{data} and {val}"
    assert "2 validation images were left out: in the training data too" in now.notices


def test_what_resembles_learned_images_is_not_learned_from_a_second_source(
    data: Path, tmp_path: Path
) -> None:
    before, known = first_division(data)
    val = draw(tmp_path / "val", 4, 2)
    pixels = cv2.imread(str(before.training.samples[0].path))
    assert pixels is not None
    assert cv2.imwrite(str(val / "blue" / "again.jpg"), pixels)
    now = again(data, known, val)
    assert names(now.training) == names(before.training)
    assert "blue/again.jpg" not in names(now.evaluation)
    assert "1 validation image was left out: in the training data too" in now.notices


def test_a_side_without_images_is_refused(data: Path) -> None:
    before, known = first_division(data)
    for sample in before.evaluation.samples:
        sample.path.unlink()
    with pytest.raises(DataError, match=r"no image of .* is left to validate on"):
        again(data, known)
    with pytest.raises(DataError, match="--data and --val are the same images"):
        again(data, known, data)


def test_unreadable_images_are_validated_on_so_that_they_are_named(data: Path) -> None:
    _, known = first_division(data)
    (data / "red" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n torn")
    assert "red/torn.png" in names(again(data, known).evaluation)


def test_what_cannot_be_read_is_no_image_that_was_learned_from(data: Path, tmp_path: Path) -> None:
    """With a second source a torn image stands among those to learn from, and is skipped there."""
    torn = data / "red" / "torn.png"
    torn.write_bytes(b"\x89PNG\r\n\x1a\n torn")
    val = draw(tmp_path / "val", 4, 2)
    dataset = load_dataset(data)
    roles = assign_roles(dataset, load_dataset(val, labels=dataset.labels), share=0.2, seed=0)
    assert "red/torn.png" in names(roles.training)
    images = record(roles.training, roles.evaluation)
    assert images is not None
    assert (images["trained"]["count"], images["held_out"]["count"]) == (60, 12)
    known = records([{"data": {"images": images}}])
    line = again(data, known, val).notices[0]
    assert line.startswith("60 images that runs/old learned from are learned from again, 12 that")
    assert line.endswith("new: 0 to learn from, 0 to validate on")
    # Earlier versions recorded it too.
    before = prints_of([sample.path for sample in roles.training.samples])
    as_recorded = replace(before, readable=np.ones(len(before), np.bool_))
    older = TrainingRecord(as_recorded, known[0].held_out, complete=True)
    assert again(data, [older], val).notices[0] == line
    # Without that source it would be one to validate on.
    torn.write_bytes(b"\x89PNG\r\n\x1a\n torn differently")
    assert again(data, known).notices[0].endswith("new: 0 to learn from, 0 to validate on")


def test_a_further_copy_is_counted_as_new(data: Path) -> None:
    before, known = first_division(data)
    for side, count in ((before.training, 2), (before.evaluation, 1)):
        path = side.samples[0].path
        for number in range(count):
            shutil.copy(path, path.with_name(f"copy-{number}-{path.name}"))
    now = again(data, known)
    assert (len(now.training), len(now.evaluation)) == (50, 13)
    assert now.notices[0] == (
        "48 images that runs/old learned from are learned from again, 12 that it held out are "
        "validated on again; new: 2 to learn from, 1 to validate on"
    )


def test_what_now_lies_in_the_second_source_is_not_counted_as_learned_from_again(
    data: Path, tmp_path: Path
) -> None:
    before, known = first_division(data)
    val = draw(tmp_path / "val", 4, 2)
    shutil.move(before.training.samples[0].path, val / "blue" / "learned.png")
    now = again(data, known, val)
    assert len(now.training) == 47
    assert now.notices[0] == (
        "47 images that runs/old learned from are learned from again, 12 that it held out are "
        "validated on again; new: 0 to learn from, 12 to validate on"
    )


def test_what_an_earlier_run_of_the_run_learned_from_is_learned_from(data: Path) -> None:
    """A network trained twice: what the first training used is not evaluated on."""
    before, known = first_division(data)
    held = replace(before.evaluation, samples=before.evaluation.samples[:1])
    first = records([{"data": {"images": record(held, None)}}])
    now = again(data, (*first, *known))
    assert names(held) <= names(now.training)
    assert not names(held) & names(now.evaluation)
