"""What was meant by a word that is none of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.architecture.files import find_variant, nearest_variant
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem
from edge_effnet.plugins import COMMANDS
from edge_effnet.spelling import (
    duration_text,
    nearest,
    read_duration,
    read_number,
    read_share,
    read_size,
)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("B0", "b0"),
        ("v2b0", "v2-b0"),
        ("efficientnet-b0", "b0"),
        ("EfficientNetB7", "b7"),
        ("EfficientNetV2-B0", "v2-b0"),
        ("efficientnet_lite0", "lite0"),
        ("tf_efficientnetv2_s", "v2-s"),
        ("edgtpu-s", "edgetpu-s"),
        ("lite5", None),  # there is none, and lite4 is another network
        ("b8", None),
        ("mobilenet", None),
        ("", None),
    ],
)
def test_names_of_networks_as_others_write_them(word: str, meant: str | None) -> None:
    assert nearest_variant(word) == meant
    with pytest.raises(UsageProblem) as refused:
        find_variant(word or "…")
    assert (f"did you mean {meant}?" in str(refused.value)) == (meant is not None)


@given(st.sampled_from(list(VARIANTS)), st.data())
def test_capitals_and_signs_between_do_not_count(name: str, data: st.DataObject) -> None:
    sign = data.draw(st.sampled_from(["", "-", "_", " ", "."]))
    word = data.draw(st.sampled_from(["", "EfficientNet", "efficientnet-"])) + sign.join(
        name.split("-")
    )
    assert nearest_variant(word.upper() if data.draw(st.booleans()) else word) == name


@pytest.mark.parametrize(
    ("word", "meant"),
    [("covnert", "convert"), ("Bench", "bench"), ("eval", "evaluate"), ("xyz", None), ("c", None)],
)
def test_commands(word: str, meant: str | None) -> None:
    assert nearest(word, COMMANDS) == meant


def test_numbers_with_a_sign() -> None:
    assert read_number(" 12.5% ") == (12.5, True)
    assert read_number("3e-1") == (0.3, False)
    assert read_number("nan") is None
    assert read_number("%") is None
    assert read_share("25%") == read_share("0.25") == 0.25
    with pytest.raises(ValueError, match="no number"):
        read_share("a quarter")


def test_a_size_is_width_by_height() -> None:
    assert read_size("640x480") == read_size(" 640×480 ") == (640, 480)
    for text in ("640", "x480", "640x480x3", "0x480", "wide"):
        with pytest.raises(UsageProblem, match="--size is not understood"):
            read_size(text)


@pytest.mark.parametrize(
    ("text", "seconds", "shown"),
    [
        ("10m", 600, "10 min"),
        ("10 min", 600, "10 min"),
        ("90", 90, "90 s"),
        ("1.5h", 5400, "90 min"),
        ("2d", 172_800, "2 d"),
        ("0.5s", 0.5, "0.5 s"),
    ],
)
def test_times(text: str, seconds: float, shown: str) -> None:
    assert read_duration(text, "--every") == seconds
    assert duration_text(seconds) == shown


@pytest.mark.parametrize("text", ["", "0", "0h", "-5m", "ten", "5 weeks", "1e9", "10m30s", "nan"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageProblem, match="--every is not understood"):
        read_duration(text, "--every")
