"""--preprocess: read, and written as it would be typed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocess_text import (
    NORMALIZATIONS,
    normalization_name,
    parse_preprocess,
    preprocess_text,
    settings_said,
)
from edge_effnet.image.preprocessing import Preprocess, foreign_preprocess, normalize

FOREIGN = foreign_preprocess(224, 192, 3)


def test_preprocess_option() -> None:
    default = Preprocess(224, 192, mean=(1.0,), std=(2.0,))
    assert parse_preprocess("crop=0.875", default) == Preprocess(224, 192, 0.875, (1.0,), (2.0,))
    read = parse_preprocess(" mean=123.7/116.3/103.5 , std=58,", default)
    assert (read.mean, read.std, read.crop) == ((123.7, 116.3, 103.5), (58.0,), 0.9)


@pytest.mark.parametrize(
    "text",
    """empty= crop crop= crop=0 crop=1.1 crop=0.5/0.5 mean=1/2 std=0 std=1/0/1 size=3 mean=x
    mean=nan std=inf crop=nan crop=0.9;mean=1 , =0.9""".split(),
)
def test_a_wrong_preprocess_option_is_a_usage_problem(text: str) -> None:
    with pytest.raises(UsageProblem):
        parse_preprocess(text, Preprocess(224, 224))


@pytest.mark.parametrize(
    ("name", "black", "white"),
    [("raw", 0, 255), ("unit", 0, 1), ("tf", -1, 1), ("torch", -2.1179, 2.2489)],
)
def test_the_usual_normalizations_by_their_names(name: str, black: float, white: float) -> None:
    """The ends of the red channel under tf and torch are those of Keras' preprocess_input."""
    settings = parse_preprocess(name, FOREIGN)
    for level, expected in ((0, black), (255, white)):
        pixels = np.full((1, 1, 3), level, np.uint8)
        assert normalize(pixels, settings)[0, 0, 0] == pytest.approx(expected, abs=1e-4)
    assert settings.fit == "squash"


def test_caffe_also_turns_the_channels_round() -> None:
    assert parse_preprocess("caffe", FOREIGN).channels == "bgr"


@pytest.mark.parametrize(
    ("text", "mean"),
    [
        ("torch,channels=bgr", (103.53, 116.28, 123.675)),
        ("channels=bgr,torch", (103.53, 116.28, 123.675)),
        ("caffe,channels=rgb", (123.68, 116.779, 103.939)),
        ("channels=rgb,caffe", (123.68, 116.779, 103.939)),
        ("caffe,channels=bgr", (103.939, 116.779, 123.68)),
        ("mean=1/2/3,channels=bgr", (1.0, 2.0, 3.0)),  # as written, in the network's order
        ("torch,mean=1/2/3,channels=bgr", (1.0, 2.0, 3.0)),
    ],
)
def test_each_colour_keeps_its_mean(text: str, mean: tuple[float, ...]) -> None:
    settings = parse_preprocess(text, FOREIGN)
    assert settings.mean == mean
    assert parse_preprocess(preprocess_text(settings), FOREIGN) == settings


def test_channels_alone_exchange_the_means_of_the_card() -> None:
    card = parse_preprocess("torch", FOREIGN)
    turned = parse_preprocess("channels=bgr", card)
    assert turned == parse_preprocess("torch,channels=bgr", FOREIGN)
    assert parse_preprocess("torch", turned) == turned


def test_means_of_the_wrong_colours_have_no_name() -> None:
    swapped = parse_preprocess("mean=123.675/116.28/103.53,std=58.395/57.12/57.375", FOREIGN)
    assert normalization_name(swapped) == "torch"
    assert normalization_name(replace(swapped, channels="bgr")) is None
    assert preprocess_text(parse_preprocess("caffe,channels=rgb", FOREIGN)) == (
        "caffe,fit=squash,channels=rgb"
    )


def test_a_crop_undoes_the_squashing() -> None:
    assert parse_preprocess("tf,crop=1", FOREIGN).fit == "crop"
    assert parse_preprocess("fit=pad", Preprocess(224, 224)).crop == 1


def test_one_normalization_replaces_another() -> None:
    standardized = parse_preprocess("standardize", FOREIGN)
    assert parse_preprocess("unit", standardized) == parse_preprocess("unit", FOREIGN)
    assert parse_preprocess("std=255", standardized) == parse_preprocess("unit", FOREIGN)


def test_a_mistyped_name_is_guessed() -> None:
    with pytest.raises(UsageProblem, match="did you mean standardize"):
        parse_preprocess("standardise", FOREIGN)


@given(
    st.one_of(
        st.sampled_from(sorted(NORMALIZATIONS)),
        st.tuples(st.integers(1, 200), st.integers(2, 200)).map("mean={0[0]},std={0[1]}".format),
    ),
    st.sampled_from(["fit=squash", "fit=pad", "fit=crop", "crop=0.875", "crop=1"]),
    st.sampled_from(["", ",channels=bgr", ",channels=rgb", ",resize=linear", ",resize=area"]),
)
def test_what_is_written_is_read(normalization: str, fit: str, others: str) -> None:
    settings = parse_preprocess(f"{normalization},{fit}{others}", FOREIGN)
    for default in (FOREIGN, Preprocess(224, 192)):
        assert parse_preprocess(preprocess_text(settings), default) == settings


def test_two_scalings_are_refused() -> None:
    for text in ("tf,unit", "raw,fit=crop,torch"):
        with pytest.raises(UsageProblem, match="names two scalings"):
            settings_said(text)
    assert settings_said("tf,tf") == {"mean", "std"}
