"""Shares, percentages and points: each with its sign, none taken for another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.quantities import Percent, Points, Quantity, Share


@given(st.floats(0.001, 0.949))
def test_a_share_with_and_without_its_sign(share: float) -> None:
    kind = Share(high=0.95, low_open=True)
    assert kind.parse(f"{share!r}", "--prune") == share
    assert kind.parse(f"{100 * share!r}%", "--prune") == pytest.approx(share)


@given(st.floats(1.001, 100))
def test_a_percentage_with_its_sign_or_without(percent: float) -> None:
    assert Percent().parse(repr(percent), "--min-agreement") == percent
    assert Percent().parse(f"{percent!r} %", "--min-agreement") == percent
    with pytest.raises(UsageProblem, match="is a share"):
        Share().parse(repr(percent), "--prune")


@given(st.floats(0.001, 1))
def test_a_share_is_no_percentage(share: float) -> None:
    with pytest.raises(UsageProblem, match="is in per cent") as refused:
        Percent().parse(repr(share), "--min-agreement")
    assert f"--min-agreement {100 * share:g}, or" in str(refused.value)
    assert Percent().parse(f"{share!r}%", "--min-agreement") == share


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Percent(), "0", 0.0),
        (Percent(), "100", 100.0),
        (Points(least=0.1), "0", 0.0),
        (Points(least=0.1), "0.5", 0.5),
        (Points(least=0.1), "0.5%", 0.5),
        (Points(least=0.1), "0.05%", 0.05),
        (Share(), "1", 1.0),
        (Share(), "0%", 0.0),
        (Share(high=10), "150%", 1.5),
    ],
)
def test_what_is_read(kind: Quantity, text: str, value: float) -> None:
    assert kind.parse(text, "--x") == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Share(), "30", "to fix: --x 30% or --x 0.3"),
        (Share(), "101%", "at most 1"),
        (Share(low_open=True), "0", "more than 0"),
        (Share(high_open=True), "1", "less than 1"),
        (Share(high=10), "5", "to fix: --x 5% or --x 0.05"),
        (Share(), "-1", "at least 0"),
        (Share(), "nan", "is not understood"),
        (Share(), "inf", "is a share"),
        (Share(), "0,3", "is not understood"),
        (Percent(), "0.99", "to fix: --x 99, or --x 0.99% if so little is meant"),
        (Percent(), "1", "to fix: --x 100, or --x 1%"),
        (Percent(), "101", "0 to 100"),
        (Percent(), "all", "is not understood"),
        (Points(least=0.1), "0.005", "to fix: --x 0.5 if a share was meant, --x 0.005% if not"),
        (Points(least=1), "0.05", "to fix: --x 5 if a share was meant"),
        (Points(least=0.1), "-1", "0 to 100"),
    ],
)
def test_what_is_refused_and_why(kind: Quantity, text: str, said: str) -> None:
    with pytest.raises(UsageProblem) as refused:
        kind.parse(text, "--x")
    assert said in str(refused.value)
