"""Which class a name means, where a model has names and where it has none."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from edge_effnet.data.classes import Name, Reading, read_classes
from edge_effnet.errors import DataError

SOURCE = Path("photos")
NUMBERS = tuple(map(str, range(12)))


def read(
    names: Iterable[Name],
    *,
    labels: tuple[str, ...] | None = None,
    classes: int | None = None,
    in_folders: bool = True,
) -> Reading:
    return read_classes(
        set(names),
        SOURCE,
        labels=labels,
        classes=classes,
        in_folders=in_folders,
    )


def test_numbers_are_sorted_as_text_in_folders_and_as_numbers_in_a_csv() -> None:
    assert read(NUMBERS).labels == ("0", "1", "10", "11", *"23456789")
    assert read(NUMBERS, in_folders=False).labels == NUMBERS
    assert read(["10", "9", "x"], in_folders=False).labels == ("10", "9", "x")
    assert read([3, 1]).labels == ("0", "1", "2", "3")


def test_folders_up_to_ten_are_read_one_way() -> None:
    reading = read("0123456789", classes=10)
    assert reading.indices == {str(number): number for number in range(10)}
    assert reading.note is None
    assert read(["00", "01", "02"], classes=3).indices == {"00": 0, "01": 1, "02": 2}


def test_more_numbered_folders_are_asked_about() -> None:
    with pytest.raises(
        DataError, match=r"folder '10' is class 2 as Keras.*and class 10 by its num"
    ):
        read(NUMBERS, classes=12)
    from_one = [str(number) for number in range(1, 13)]
    with pytest.raises(DataError, match=r"'10' is class 1 as Keras.*class 9 by.*FILE .*1 first"):
        read(from_one, classes=12)
    assert read(from_one, classes=12, in_folders=False).indices["10"] == 9
    assert read(from_one[:9], classes=9).indices["9"] == 8  # one reading
    assert read(["10", "20", "5"], classes=3).indices == {
        "10": 0,
        "20": 1,
        "5": 2,
    }
    by_number = read(NUMBERS, labels=NUMBERS, classes=12)
    assert by_number.indices["10"] == 10
    by_name = read(NUMBERS, labels=tuple(sorted(NUMBERS)), classes=12)
    assert by_name.indices["10"] == 2


def test_some_numbered_folders_are_no_indices() -> None:
    with pytest.raises(DataError, match=r"found 2 classes: 0, 2; expected 3.*--labels numbers"):
        read(["0", "2"], classes=3)
    assert read(["0", "2"], labels=("0", "1", "2")).indices == {"0": 0, "2": 2}
    assert read(["0", "2"], classes=3, in_folders=False).indices == {"0": 0, "2": 2}
    assert read([0, 2], classes=3).labels == ("0", "1", "2")


def test_a_model_without_names_is_taken_to_know_the_sorted_names() -> None:
    assumed = read(["blue", "red"], classes=2)
    assert (assumed.labels, assumed.indices) == (("blue", "red"), {"blue": 0, "red": 1})
    assert "in the order blue, red" in str(assumed.note)
    with pytest.raises(DataError, match="are not the network's; found 2 classes: blue, red"):
        read(["blue", "red"], classes=3)


def test_numbers_for_a_model_with_names() -> None:
    labels = ("blue", "green", "red")
    assert read(["0", "2"], labels=labels, in_folders=False).indices == {"0": 0, "2": 2}
    assert read(["0", "1", "2"], labels=labels).indices == {"0": 0, "1": 1, "2": 2}
    for names in (["0", "2"], ["1", "2", "3"], ["0", "1", "red"]):
        with pytest.raises(DataError, match="classes that the labels do not have"):
            read(names, labels=labels)
    coins = ("10", "20", "5")
    assert read(["5", "10"], labels=coins).indices == {"5": 2, "10": 0}  # names, not indices
    with pytest.raises(DataError, match="found '2'"):
        read(["5", "2"], labels=coins, in_folders=False)
