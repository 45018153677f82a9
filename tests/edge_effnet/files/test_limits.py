"""Sizes that a file claims are compared with a limit that the user can raise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.files.limits import IMAGE_PIXELS, LIMITS, Limit

PIXELS = Limit("EDGE_EFFNET_MAX_TEST_PIXELS", 1000, "pixels", "images")
DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "limits.md"


def test_what_is_larger_is_refused_with_the_way_out() -> None:
    PIXELS.check(1000, "a.png", DataError)
    with pytest.raises(DataError) as refused:
        PIXELS.check(1024, "a.png", DataError)
    assert str(refused.value) == (
        "a.png claims more than the limit for images; found 1,024 pixels; expected at most 1,000 "
        "pixels; to fix: check where it comes from; if it is right, "
        "set EDGE_EFFNET_MAX_TEST_PIXELS=1024"
    )


def test_what_no_variable_can_allow_has_no_way_out() -> None:
    with pytest.raises(DataError, match=r"found over 10\^18 pixels.*check where it comes from$"):
        PIXELS.check(10**18, "a.png", DataError)


def test_the_environment_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PIXELS.variable, "2000")
    PIXELS.check(1024, "a.png", DataError)


@pytest.mark.parametrize("text", ["", "0", "-1", "1e9", "many", "²", "9" * 30])
def test_a_variable_that_is_no_limit_is_said(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv(PIXELS.variable, text)
    with pytest.raises(UsageProblem, match="EDGE_EFFNET_MAX_TEST_PIXELS is no limit"):
        PIXELS.check(1, "a.png", DataError)


def test_the_documents_list_every_limit() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([\d,]+) (\w+) \|$", DOCUMENT.read_text(), re.M)
    listed = [(variable, of, int(most.replace(",", "")), unit) for variable, of, most, unit in rows]
    assert listed == [(one.variable, one.of, one.default, one.unit) for one in LIMITS]
    assert IMAGE_PIXELS in LIMITS
