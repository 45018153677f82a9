"""Whatever a Pi answers is a value of the table or one line, and bounded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.devices.pi.answers import ANSWERS, Line, checked, lines_of, read_document
from benchmarks.devices.pi.job import read_result
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.limits import TEXT_BYTES

ABOUT = {"python": "3.11.2", "machine": "aarch64", "bits": 64, "cpuinfo": "", "free_bytes": 9}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["cases", "spec", "models", "code", "log", "what"]), inner
        )
    ),
)


class Stream:
    """What ``asyncssh`` reads, in pieces of one size."""

    def __init__(self, text: str, piece: int = 7) -> None:
        self.pieces = (text[at : at + piece] for at in range(0, len(text), piece))

    async def read(self, _count: int) -> str:
        return next(self.pieces, "")


def lines(text: str, piece: int = 7) -> list[Line]:
    async def all_of() -> list[Line]:
        return [line async for line in lines_of(Stream(text, piece), "pi4")]  # type: ignore[arg-type]

    return asyncio.run(all_of())


def test_lines_come_whole_and_a_greeting_is_passed_over() -> None:
    told = [{"progress": {"stage": "warm up", "steps": 3}}, {"progress": {"done": 1}}]
    text = "Welcome!\n" + "".join(json.dumps(line) + "\n" for line in [*told, {"answer": ABOUT}])
    assert lines(text) == [*told, {"answer": ABOUT}]
    assert checked(ABOUT, ANSWERS["describe"], "pi4") == ABOUT


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("follow", {"code": None, "log": []}),
        ("follow", {"code": -11, "log": ["x"], "died": "numpy 1.24"}),
        ("missing", ["ab12"]),
        ("start", 417),
        ("forget", None),
    ],
)
def test_what_the_helper_answers_fits(verb: str, answer: Any) -> None:
    assert checked(answer, ANSWERS[verb], "pi4") == answer
    refused = {"what": "a", "found": None, "fix": "b"}
    assert lines(json.dumps({"error": refused}) + "\n") == [{"error": refused}]


@pytest.mark.parametrize(
    "text", ["{}{", "{", '{"progress": 5}', '{"progress": {"done": -1}}', '{"error": {}}']
)
def test_a_line_that_is_none_is_said(text: str) -> None:
    with pytest.raises(EdgeEffnetError, match="pi4 answers what is not understood"):
        lines(text + "\n")


def test_an_endless_line_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TEXT_BYTES.variable, "1000")
    with pytest.raises(EdgeEffnetError, match="pi4 sends more than the limit"):
        lines("{" * 100_000, piece=100)


def test_a_long_line_takes_no_more_time_than_its_length() -> None:
    line = {"say": "x" * 10_000_000}
    began = time.process_time()
    assert lines(json.dumps(line) + "\n", piece=1000) == [line]
    assert time.process_time() - began < 10


@pytest.mark.parametrize("verb", ANSWERS)
@given(raw=VALUES)
def test_any_answer_fits_or_is_refused(verb: str, raw: Any) -> None:
    with contextlib.suppress(EdgeEffnetError):
        checked(raw, ANSWERS[verb], "pi4")


@given(VALUES, VALUES)
def test_any_result_is_read_or_refused(raw: Any, job: Any) -> None:
    with pytest.raises(EdgeEffnetError):
        read_result(raw, job, "pi@pi4")


def test_a_document_that_is_no_json_is_said() -> None:
    with pytest.raises(EdgeEffnetError, match=r"not understood; found .*401 digits"):
        read_document(b"1" + b"0" * 400, "pi4")
