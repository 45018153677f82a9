"""What lies in people's folders, and what is said of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.folders import list_folder
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import DataError
from edge_effnet.image.kinds import HEAD_BYTES, KINDS, decodable, kind_of, remedy
from edge_effnet.image.reading import read_image

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
SUFFIXES = [kind.suffix for kind in KINDS if decodable(kind)]


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cat/1.jpg", "cat/2.jpg", "dog/1.jpg"):
        image(tmp_path / "pets" / name)
    return tmp_path / "pets"


def image(path: Path, suffix: str = ".jpg") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((64, 64, 3), 120, np.uint8)
    written = path.with_name("written" + suffix)
    assert cv2.imwrite(str(written), pixels / np.float32(255) if suffix in FLOAT else pixels)
    return written.rename(path)


FLOAT = {".hdr", ".pfm"}


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_images_are_known_by_content(pets: Path, suffix: str) -> None:
    """Whatever OpenCV decodes is listed under any name, and what is listed can be read."""
    path = image(pets / "dog" / "IMG 0001", suffix)
    assert path in list_folder(pets).classes["dog"]
    assert read_image(path).shape == (64, 64, 3)


def test_the_common_kinds_are_decodable() -> None:
    assert {".jpg", ".png", ".webp", ".bmp", ".tif", ".ppm"} <= set(SUFFIXES)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (HEIC, "HEIC"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif", "AVIF"),
        (b"\0\0\0\x20ftypavif", "AVIF"),
        (b"\xff\x0a\x00", "JPEG XL"),
        (b"BMW is a make of cars, and this is a text", None),
        (b"P2 is a prize, this is a text", None),
        (b"\0\0\0\x20ftypisom", None),
        (b"", None),
    ],
)
def test_kinds(head: bytes, name: str | None) -> None:
    kind = kind_of(head + bytes(HEAD_BYTES))
    assert (kind.name if kind else None) == name


def test_heic_is_named_with_its_remedy(pets: Path) -> None:
    for name in ("IMG_1.HEIC", "IMG_2.jpg"):  # phones and mail programs rename them
        (pets / "cat" / name).write_bytes(HEIC)
    dataset = load_dataset(pets)
    assert dataset.class_counts == {"cat": 2, "dog": 1}
    (line,) = dataset.lines()[1:]
    first = pets / "cat" / "IMG_1.HEIC"
    assert line.startswith(f"left out: HEIC images (2, first {first}): export them as JPEG")
    assert dataset.reading_json()["left_out"] == [
        {"kind": "HEIC images", "count": 2, "first": str(first)}
    ]
    with pytest.raises(DataError, match=r"is a HEIC image, which OpenCV does not read.*as JPEG"):
        read_image(first)


def test_a_folder_of_heic_alone_says_what_to_do(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.heic").write_bytes(HEIC)
    with pytest.raises(DataError, match=r"holds no images; found 2 HEIC images; .*as JPEG"):
        load_dataset(tmp_path)


def test_links_are_entered_once(pets: Path, tmp_path: Path) -> None:
    elsewhere = image(tmp_path / "more" / "3.jpg").parent
    (pets / "cat" / "batch").symlink_to(elsewhere)
    (pets / "cat" / "linked.jpg").symlink_to(elsewhere / "3.jpg")
    (pets / "owl").symlink_to(elsewhere)  # not again
    (pets / "cat" / "loop").symlink_to(pets)
    (pets / "cat" / "above").symlink_to(tmp_path)
    (pets / "cat" / "dogs").symlink_to("../dog")
    (pets / "cat" / "gone.jpg").symlink_to("nowhere")
    dataset = load_dataset(pets)
    assert dataset.class_counts == {"cat": 3, "dog": 1, "owl": 1}
    assert {left.kind: left.count for left in dataset.left_out} == {
        "linked folders that lead to a folder listed already": 4,
        "links that lead nowhere": 1,
    }


def test_what_is_no_image_is_counted(pets: Path) -> None:
    os.mkfifo(pets / "cat" / "pipe.jpg")  # opening it would wait for ever
    (pets / "cat" / "notes.txt").write_text("notes")
    (pets / "labels.txt").write_text("cat\ndog\n")
    (pets / "cat" / ".hidden.jpg").write_text("x")
    (pets / "cat" / "Thumbs.db").write_text("x")
    (pets / "__MACOSX").mkdir()
    (pets / "empty").mkdir()
    image(pets / "loose.png", ".png")
    left = {one.kind: (one.count, one.first.name) for one in load_dataset(pets).left_out}
    assert left == {
        "other files": (2, "notes.txt"),
        "images outside of the class folders": (1, "loose.png"),
        "class folders without images": (1, "empty"),
    }


def test_a_file_that_claims_to_be_an_image_is_listed_and_named_when_read(pets: Path) -> None:
    (pets / "dog" / "broken.JPG").write_text("no image")
    assert load_dataset(pets).class_counts == {"cat": 2, "dog": 2}
    with pytest.raises(DataError, match=r"broken.JPG is not a readable image"):
        read_image(pets / "dog" / "broken.JPG")


def test_the_parts_of_a_data_set_are_no_classes(tmp_path: Path) -> None:
    for part in ("Train", "val"):
        for name in ("cat", "dog"):
            image(tmp_path / part / name / f"{part}.jpg")
    evaluation = load_dataset(tmp_path)
    assert (evaluation.source, evaluation.labels) == (str(tmp_path / "val"), ("cat", "dog"))
    assert evaluation.notes == (
        f"{tmp_path} holds Train and val, no classes: evaluated on {tmp_path / 'val'}",
    )
    assert load_dataset(tmp_path, flat=True).samples == evaluation.samples
    learning = load_images(tmp_path)
    assert [sample.path.name for sample in learning.samples] == ["Train.jpg", "Train.jpg"]
    assert load_dataset(tmp_path, part="training").source == str(tmp_path / "Train")
    assert len(load_images(tmp_path, part=None)) == 4
    image(tmp_path / "test" / "cat" / "test.jpg")
    with pytest.raises(DataError, match=r"holds the parts of a data set.*/test or .*/val"):
        load_dataset(tmp_path)


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for name in ("train", "bus"):
        image(tmp_path / name / "1.jpg")
    assert load_dataset(tmp_path).labels == ("bus", "train")


def test_a_flat_folder_gives_agreement(tmp_path: Path) -> None:
    image(tmp_path / "1.jpg")
    flat = load_dataset(tmp_path, labels=("cat", "dog"), flat=True)
    assert (flat.labels, flat.samples[0].label) == ((), None)
    assert flat.lines() == [f"{tmp_path}: 1 image without classes"]


def test_other_kinds_have_a_remedy_too() -> None:
    assert all(remedy(kind) for kind in KINDS if not decodable(kind))


def test_an_archive_unpacked_into_a_folder_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "flowers" / name).mkdir(parents=True)
        (tmp_path / "flowers" / name / "0.png").touch()
    (tmp_path / "__MACOSX").mkdir()
    assert list_folder(tmp_path).inner == tmp_path / "flowers"
    with pytest.raises(DataError, match=r"those of the classes; found flowers; .*give .*flowers"):
        load_dataset(tmp_path)
    assert list_folder(tmp_path / "flowers").inner is None
    (tmp_path / "flowers" / "1.png").touch()
    assert list_folder(tmp_path).inner is None  # one class, and some of its images lie deeper


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("TrainData", "val-images")])
def test_parts_under_longer_names(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in ("cat", "dog"):
        for part in names:
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "0.png").touch()
    assert load_dataset(tmp_path).source == str(tmp_path / names[1])
    assert load_images(tmp_path).source == str(tmp_path / names[0])
