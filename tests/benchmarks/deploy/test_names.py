"""Names of files on their way, and what a Pi says of its time."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.deploy.names import is_part, part_name, read_moment

NOW = datetime(2026, 11, 29, 10, 15)


@given(st.text(st.characters(exclude_characters="/\0"), min_size=1))
def test_a_file_on_its_way_is_told_by_its_name(name: str) -> None:
    assert is_part(name, part_name(name, "0123456789abcdef0123"))


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("20261129-101500\n", NOW),
        ("Welcome!\n20200101-000000\n20261129-101500\n", NOW),
        ("", None),
        ("20269999-101500\n", None),
        ("date: not found\n", None),
    ],
)
def test_what_date_prints_behind_a_greeting(said: str, moment: datetime | None) -> None:
    assert read_moment(said) == moment
