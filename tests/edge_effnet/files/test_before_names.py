"""Files that were replaced are told from others by their names, the newest first."""

from __future__ import annotations

from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.files.before_names import kept_names, next_name

NOW = datetime(2026, 11, 29, 10, 15)
KEPT = ["mine.before-20261129-101500.tflite", "mine.before-20251231-235959.tflite"]
OTHERS = [
    "mine.tflite",
    "mine.before-20261329-101500.tflite",
    "mine.before-now.tflite",
    "yours.before-20261129-101500.tflite",
    "mine.before-20261129-101500.tflite.part",
    "mine.before-٢٠٢٦1129-101500.tflite",
]


def test_the_newest_is_first() -> None:
    assert kept_names("mine.tflite", [*OTHERS, *reversed(KEPT)]) == KEPT


def test_a_name_is_newer_than_all_there_are() -> None:
    assert next_name("mine.tflite", OTHERS, NOW) == KEPT[0]
    later = "mine.before-20261129-101501.tflite"
    assert next_name("mine.tflite", KEPT, NOW) == later
    assert next_name("mine.tflite", KEPT, datetime(1970, 1, 1)) == later  # a Pi without a clock


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1), st.lists(st.text()))
def test_any_name_is_found_again(name: str, names: list[str]) -> None:
    kept = next_name(name, names, NOW)
    assert kept_names(name, [*names, kept])[0] == kept
