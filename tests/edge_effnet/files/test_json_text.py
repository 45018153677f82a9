"""Whatever a JSON text of others holds, it is a value or a ``ValueError``."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.json_text import parse_json, read_json
from edge_effnet.files.limits import TEXT_BYTES

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@given(VALUES)
def test_what_was_written_is_read(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "nested too deeply"),
        ("1" + "0" * 400, "of 401 digits"),
        ("1" * 5000, "of 5000 digits"),
        (str(2**64), "of 20 digits"),
        ("[1e999]", "the number 1e999, which is not finite"),
        ("NaN", "NaN, which is no JSON"),
        ('{"a": -Infinity}', "-Infinity, which is no JSON"),
        ('{"a": ', "Expecting value"),
        ("", "Expecting value"),
        (b"\xff\xfe\xfd", "decode"),
    ],
)
def test_what_is_none_is_said(text: str | bytes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_json(text)


@given(st.binary() | st.text().map(str.encode))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        parse_json(data)


def test_a_file_is_read_within_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.json"
    path.write_text('{"a": [1, 2]}')
    assert read_json(path) == {"a": [1, 2]}
    monkeypatch.setenv(TEXT_BYTES.variable, "5")
    with pytest.raises(ModelError, match=r"run\.json has more than the limit for label, CSV"):
        read_json(path, ModelError)
    with pytest.raises(DataError, match="No such file"):
        read_json(tmp_path / "nothing.json")
