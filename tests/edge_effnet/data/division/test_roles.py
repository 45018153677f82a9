"""What ``--data X`` means, and which images are learned from and evaluated on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.roles import assign_roles, source_paths
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.signs.option import is_signs, named_source
from edge_effnet.errors import DataError


def draw(folder: Path, count: int, seed: int) -> Path:
    random = np.random.default_rng(seed)
    for name in ("blue", "green", "red"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            coarse = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
            image = cv2.resize(coarse, (48, 40), interpolation=cv2.INTER_CUBIC)
            assert cv2.imwrite(str(folder / name / f"{number:02}.png"), image)
    return folder


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 40 images; never to be changed."""
    return draw(tmp_path_factory.mktemp("roles") / "data", 40, 1)


@pytest.fixture(scope="session")
def val(data: Path) -> Path:
    """Others, 16 of a class; one of them stands in ``data`` too."""
    folder = draw(data.parent / "val", 16, 2)
    (folder / "red" / "00.png").write_bytes((data / "red" / "05.png").read_bytes())
    return folder


def numbers(dataset: Dataset, label: str) -> str:
    return " ".join(sorted(s.path.stem for s in dataset.samples if s.path.parent.name == label))


def every(dataset: Dataset, step: int) -> Dataset:
    return replace(dataset, samples=dataset.samples[::step])


def test_signs_are_the_embedded_data_set_unless_there_is_such_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert is_signs("signs")
    assert is_signs(Path("signs"))
    assert not is_signs(tmp_path / "signs")
    assert not is_signs(None)
    assert named_source("signs") == "signs"
    (tmp_path / "signs").mkdir()
    assert not is_signs("signs")
    assert named_source("signs") == "./signs"
    assert named_source("photos") == "photos"


def test_the_parts_of_a_folder_have_their_roles(tmp_path: Path) -> None:
    def paths() -> tuple[Path, Path | None]:
        return source_paths(str(tmp_path), None)

    (tmp_path / "train").mkdir()
    (tmp_path / "cats").mkdir()
    assert paths() == (tmp_path, None)
    (tmp_path / "cats").rmdir()
    (tmp_path / "val").mkdir()
    assert paths() == (tmp_path / "train", tmp_path / "val")
    (tmp_path / "test").mkdir()  # stays unseen
    assert paths() == (tmp_path / "train", tmp_path / "val")
    (tmp_path / "dev").mkdir()
    assert paths() == (tmp_path, None)  # which of two is for the user to say
    given = source_paths(str(tmp_path), str(tmp_path / "test"))
    assert given == (tmp_path, tmp_path / "test")


def test_a_share_of_each_class_is_held_out_the_same_for_the_same_seed(data: Path) -> None:
    """The numbers are those of version 0.1: a run that is resumed finds its images."""
    dataset = load_dataset(data)
    roles = assign_roles(dataset, None, share=0.2, seed=0)
    assert numbers(roles.evaluation, "blue") == "07 08 14 20 29 30 31 34"
    other = assign_roles(dataset, None, share=0.3, seed=7)
    assert numbers(other.evaluation, "blue") == "00 08 14 18 22 26 27 28 33 37 38 39"
    for one in (roles, other):
        assert one.notices == ()
        assert not set(one.training.samples) & set(one.evaluation.samples)
        assert set(one.training.samples) | set(one.evaluation.samples) == set(dataset.samples)


def test_images_trained_on_are_not_evaluated_on(data: Path) -> None:
    dataset = load_dataset(data)
    known = every(dataset, 3)
    steps = [{"data": {"images": record(known, None)}}]
    roles = assign_roles(dataset, None, share=0.2, seed=0, steps=steps)
    assert numbers(roles.evaluation, "blue") == "04 08 14 16 22 25 26 28"
    assert not set(known.samples) & set(roles.evaluation.samples)
    assert roles.notices == (
        f"the network was trained on 40 of 120 images of {data} (or on near-duplicates): "
        "validation leaves them out",
    )
    # Too few others: then all may be held out, and that proves nothing.
    few = assign_roles(dataset, None, share=0.2, seed=0, steps=steps, fewest=81)
    plain = assign_roles(dataset, None, share=0.2, seed=0)
    assert few.evaluation == plain.evaluation
    assert few.notices[0].startswith("no evidence: the network was trained on 40 of 120 images")


def test_a_second_source_is_evaluated_on_without_what_is_learned_from(
    data: Path, val: Path
) -> None:
    dataset, validation = load_dataset(data), load_dataset(val)
    roles = assign_roles(dataset, validation, share=0.2, seed=0)
    assert roles.training == dataset
    assert set(validation.samples) - set(roles.evaluation.samples) == {validation.samples[32]}
    first, line = roles.notices
    assert first.startswith("validated on ")
    assert line.startswith("1 of 48 validation images stands in the training data too")
    assert f"(first: {val / 'red' / '00.png'} = {data / 'red' / '05.png'})" in line
    steps = [{"data": {"images": record(every(validation, 4), None)}}]
    roles = assign_roles(dataset, validation, share=0.2, seed=0, steps=steps)
    assert len(roles.evaluation) == 36
    assert "trained on 11 of 47 images" in roles.notices[2]


def test_the_same_images_twice_are_refused(data: Path, tmp_path: Path) -> None:
    dataset = load_dataset(data)
    (tmp_path / "link").symlink_to(data)
    for other in (dataset, load_dataset(tmp_path / "link"), every(dataset, 2)):
        with pytest.raises(DataError, match="--data and --val are the same images"):
            assign_roles(dataset, other, share=0.2, seed=0)
