"""Class names: the 1000 of ImageNet, label files, and one spelling for another."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.data.given_labels import read_labels
from edge_effnet.data.labels import (
    fold,
    imagenet_classes,
    imagenet_labels,
    match_label,
    parse_labels,
    refuse_reordered,
    same_names,
)
from edge_effnet.errors import DataError, ModelError

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


@pytest.mark.parametrize(
    ("name", "labels", "index"),
    [
        ("1_1", ("1", "11"), None),
        ("1-2", ("10", "12", "7"), None),
        ("class 1 1", ("class 1", "class 11"), None),
        ("class11", ("class 1", "class 11"), 1),
        ("FreshApple", ("fresh_apple", "rotten"), 0),
        ("5 Euro", ("5Euro", "10Euro"), 0),
    ],
)
def test_numbers_are_not_joined(name: str, labels: tuple[str, ...], index: int | None) -> None:
    assert match_label(name, labels) == index


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


# One name, many spellings

words = st.text(st.sampled_from("abcößéåłIJ "), min_size=1, max_size=8).map(str.strip).filter(bool)
label_lists = st.lists(words, min_size=1, max_size=6, unique_by=fold)


@given(label_lists, st.data())
def test_a_label_is_found_however_it_is_spelled(labels: list[str], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(labels) - 1))
    spelled = unicodedata.normalize(data.draw(st.sampled_from(["NFC", "NFD"])), labels[place])
    spelled = data.draw(st.sampled_from([str, str.upper, str.lower, str.title]))(spelled)
    if fold(spelled) != fold(labels[place]):  # capitals that do not come back, as of ß and ŉ
        return
    for separator in "_- ":
        assert match_label(f" {spelled.replace(' ', separator)} ", labels) == place


@given(st.lists(words, min_size=1, max_size=5), st.lists(words, min_size=1, max_size=5))
def test_two_labels_that_fit_are_never_chosen_between(labels: list[str], names: list[str]) -> None:
    for name in (*names, *map(str.upper, labels)):
        exact = [place for place, label in enumerate(labels) if label == name]
        folded = [place for place, label in enumerate(labels) if fold(label) == fold(name)]
        if len(exact or folded) > 1:
            with pytest.raises(DataError, match="can be two classes"):
                match_label(name, labels)
        elif exact or folded:
            assert match_label(name, labels) == (exact or folded)[0]


def test_folded_spellings_are_refused_where_two_labels_share_them() -> None:
    labels = ("fresh_apple", "FRESH APPLE", "rotten")
    assert [match_label(name, labels) for name in labels] == [0, 1, 2]
    with pytest.raises(DataError, match="found 'fresh_apple' and 'FRESH APPLE'"):
        match_label("Fresh-Apple", labels)


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ("0 blue\n1 green\n2 red", ("blue", "green", "red")),
        ("0: blue\n1: green", ("blue", "green")),
        ("0\tblue\n1\tgreen", ("blue", "green")),
        ("0,blue\n1, green", ("blue", "green")),
        ("1 blue\n2 green", ("1 blue", "2 green")),
        ("00 a\n01 b", ("a", "b")),
        ("0 10 Rupees\n1 20 Rupees", ("10 Rupees", "20 Rupees")),
        ("10 Rupees\n20 Rupees", ("10 Rupees", "20 Rupees")),
        ("0 Euro\n1 Euro", ("0 Euro", "1 Euro")),
        ("0.5 mm\n1.5 mm", ("0.5 mm", "1.5 mm")),
        ("0 blue\n2 green", ("0 blue", "2 green")),
        ("0\n1\n2", ("0", "1", "2")),
    ],
)
def test_running_numbers_before_names(lines: str, names: tuple[str, ...]) -> None:
    assert parse_labels(lines, "labels.txt") == names


def test_a_number_before_a_name_is_no_other_name() -> None:
    plain, numbered = ("blue", "green"), ("0 blue", "1 green")
    for labels in (plain, numbered):
        assert [match_label(name, labels) for name in (*plain, *numbered)] == [0, 1, 0, 1]
        assert match_label("1 blue", labels) is None
    assert [match_label(name, ("1 blue", "2 green")) for name in (*plain, "2 green")] == [0, 1, 1]


def test_labels_that_the_data_name(tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "a.png").touch()
    by_name = tuple(sorted(map(str, range(12))))
    assert read_labels(Path("folders"), tmp_path) == by_name == ("0", "1", "10", "11", *"23456789")
    assert read_labels(Path("numbers"), tmp_path) == tuple(map(str, range(12)))
    with pytest.raises(DataError, match="--labels folders needs images in class folders"):
        read_labels(Path("folders"), None)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.png").touch()
    with pytest.raises(DataError, match="named by number; found 0, 1, 10 …"):
        read_labels(Path("numbers"), tmp_path)


@pytest.mark.parametrize("given", [["b", "a", "c"], ["C", "B", "A"], ["a", "c", "b"]])
def test_a_list_in_another_order_is_refused(given: list[str]) -> None:
    with pytest.raises(ModelError, match=r"the labels of x.tflite in another order; found"):
        refuse_reordered(given, ("a", "b", "c"), "x.tflite")


@pytest.mark.parametrize("given", [["A", "b", "c"], ["x", "y", "z"], ["b", "a"]])
def test_other_lists_are_not_reordered(given: list[str]) -> None:
    refuse_reordered(given, ("a", "b", "c"), "x.tflite")
    refuse_reordered(given, None, "x.tflite")
    assert same_names(["Red", "red"], ["Red", "red"])
    assert not same_names(["Red", "red"], ["red", "Red"])  # here spelling alone tells them apart
