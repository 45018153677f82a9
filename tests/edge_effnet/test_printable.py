"""Names and labels cannot write to a terminal more than their text."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import DataError
from edge_effnet.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("cat.jpg", "cat.jpg"),
        ("Kätzchen 猫 👩‍🌾", "Kätzchen 猫 👩‍🌾"),
        ("\x1b[31mred\x07", r"\x1b[31mred\x07"),
        ("one\ntwo\ttab\r", r"one\ntwo\ttab\r"),
        ("cat\u202egpj.exe", r"cat\u202egpj.exe"),
        ("\u2028\x85\x9b2J", r"\u2028\x85\x9b2J"),
        ("\ud800\U000e0041", r"\ud800\U000e0041"),
    ],
)
def test_what_has_no_shape_is_written_as_its_code(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_name_that_is_no_utf_8_shows_its_bytes() -> None:
    assert printable(os.fsdecode(b"caf\xe9.jpg")) == r"caf\xe9.jpg"


@given(st.text(st.characters()))
def test_the_result_is_one_line_that_every_utf_8_terminal_takes(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


def test_errors_show_names_so() -> None:
    error = DataError("\x1b[2Jcat\udce9.jpg is empty", found="0\nbytes\x9b", fix="remove it")
    assert str(error) == r"\x1b[2Jcat\xe9.jpg is empty; found 0 bytes\x9b; to fix: remove it"
