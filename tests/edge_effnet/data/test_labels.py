"""Class names: the 1000 of ImageNet, label files, and one spelling for another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_effnet.data.labels import (
    imagenet_classes,
    imagenet_labels,
    match_label,
    parse_labels,
    read_labels,
)
from edge_effnet.errors import DataError

LABELS = ("tench, Tinca tinca", "golden retriever", "T-shirt")


def test_imagenet_has_1000_names_each_once() -> None:
    classes = imagenet_classes()
    assert len(classes) == len(set(imagenet_labels())) == len({row.wnid for row in classes}) == 1000
    assert all(re.fullmatch(r"n\d{8}", row.wnid) for row in classes)
    assert [row.wnid for row in classes] == sorted(row.wnid for row in classes)
    assert all(name == name.strip() and name for name in imagenet_labels())
    assert (classes[0].wnid, classes[217].wnid) == ("n01440764", "n02102040")


def test_the_names_are_those_of_the_reference_list(reference: Path) -> None:
    theirs = read_labels(reference / "imagenet_labels.txt")
    ours = imagenet_labels()
    names = [name.partition(",")[0] for name in theirs]
    with pytest.raises(DataError, match=r"'crane' can be two classes; found 'crane \(bird\)' and"):
        match_label("crane", ours)
    found = [None if name == "crane" else match_label(name, ours) for name in names]
    # Two lists of names for the same photos: a handful of words differ or stand for two classes.
    assert sum(place == index for index, place in enumerate(found)) >= 980
    wnids = [match_label(row.wnid, theirs) for row in imagenet_classes()]
    assert wnids == list(range(1000))


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("tench, Tinca tinca", 0),
        ("Tench", 0),
        ("tinca_tinca", 0),
        ("golden_retriever", 1),
        ("Golden-Retriever", 1),
        ("  golden  retriever ", 1),
        ("t shirt", 2),
        (2, 2),
        ("retriever", None),
        ("n01440764", None),  # these labels are not ImageNet's
        ("1", None),
        (3, None),
        (-1, None),
    ],
)
def test_spellings(name: str | int, index: int | None) -> None:
    assert match_label(name, LABELS) == index


def test_the_exact_spelling_wins() -> None:
    labels = ("Red", "red", "RED", "re-d")
    assert [match_label(name, labels) for name in labels] == [0, 1, 2, 3]


def test_imagenet_synonyms() -> None:
    labels = imagenet_labels()
    assert (
        match_label("n02102040", labels) == match_label("English springer spaniel", labels) == 217
    )


def test_label_files(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes("\ufeffcat\r\n dog \r\nKöter\r\n\r\n".encode())
    assert read_labels(path) == ("cat", "dog", "Köter")


@pytest.mark.parametrize(
    ("text", "said"), [("", "no lines"), ("\n \n", "no lines"), ("a\n\nb\n", "line 2 is blank")]
)
def test_text_that_is_no_label_file(text: str, said: str) -> None:
    with pytest.raises(DataError, match=f"x.txt is not a label file; found {said}"):
        parse_labels(text, "x.txt")


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(bytes(range(256)))
    for path in (tmp_path / "model.tflite", tmp_path / "missing.txt", tmp_path):
        with pytest.raises(DataError, match="cannot be read as a label file"):
            read_labels(path)
