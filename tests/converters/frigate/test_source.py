"""Models that Frigate can be fed, and those that are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from converters.config import ConvertConfig, asked_recipes
from converters.float_model.choice import ModelChoice
from converters.float_model.source import Source
from converters.frigate.source import as_fed, at_its_size
from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import Preprocess
from tests.converters.conftest import TinyModel


@pytest.fixture
def source(tiny: TinyModel) -> Source:
    """Whose graph nobody looks at here."""
    head = Head("softmax", 10)
    side = Preprocess(224, 224)
    return Source("tiny", tiny.model, tiny.structure, head, side, None, None, {}, ())


def test_any_model_is_fed_as_frigate_does_it(source: Source) -> None:
    fed = as_fed(source)
    assert fed.preprocess == Preprocess(224, 224, 1.0, fit="squash", resize="linear")
    (line,) = fed.notices
    assert line.startswith("tiny was made for raw,crop=0.9; Frigate squashes")
    assert as_fed(fed) == fed  # and says so once


@pytest.mark.parametrize("scaling", ["unit", "tf", "mean=127,std=128"])
def test_one_mean_for_all_channels_is_what_the_input_can_stand_for(
    source: Source, scaling: str
) -> None:
    given = replace(source, preprocess=parse_preprocess(scaling, source.preprocess))
    assert as_fed(given).preprocess.mean == given.preprocess.mean


@pytest.mark.parametrize("told", ["torch", "caffe", "standardize", "channels=bgr"])
def test_pixels_that_frigate_does_not_feed(source: Source, told: str) -> None:
    given = replace(source, preprocess=parse_preprocess(told, source.preprocess))
    with pytest.raises(ModelError, match="does not take pixels as Frigate feeds them"):
        as_fed(given)


def test_another_size_is_refused(source: Source) -> None:
    with pytest.raises(ModelError, match="found 96x96"):
        as_fed(replace(source, preprocess=Preprocess(96, 96)))
    with pytest.raises(UsageProblem, match="found --resolution 192"):
        at_its_size(ModelChoice(variant="lite0", resolution=192))
    assert at_its_size(ModelChoice(variant="lite2")).resolution == 224


@pytest.mark.parametrize(
    "head",
    [Head("logits", 3), Head("sigmoid", 1), Head("multilabel", 3), Head("regression", 1)],
)
def test_an_answer_that_is_no_share_of_a_whole(source: Source, head: Head) -> None:
    with pytest.raises(ModelError, match=f"found a {head.kind} head"):
        as_fed(replace(source, head=head))


@pytest.mark.parametrize(
    ("recipes", "others", "found"),
    [
        (("edgetpu",), {}, "--edgetpu"),
        (("int8", "float16"), {}, "--float16"),
        ((), {"interface": "int8"}, "--io int8"),
    ],
)
def test_options_that_frigate_has_no_use_for(
    recipes: tuple[str, ...], others: dict, found: str
) -> None:
    with pytest.raises(UsageProblem, match=f"found {found}"):
        ConvertConfig(
            out=Path("door"), recipes=asked_recipes(recipes, "frigate"), target="frigate", **others
        )


def test_weights_of_another_resolution_are_named() -> None:
    """The demo weights, which saw small signs: squashing them to 224 px ruins their answers."""
    source = at_its_size(ModelChoice(variant="b0", weights="demo")).open()
    (line,) = [one for one in source.notices if "were trained at" in one]
    assert "at 224 px the network may be much less accurate" in line
    assert "train --resolution 224" in line
