"""What a file alone tells, in the order in which it is believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from edge_effnet.errors import UsageProblem
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocess_text import parse_preprocess, preprocess_text
from edge_effnet.image.preprocessing import Preprocess, foreign_preprocess
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import (
    ask_how,
    contradiction,
    evidence_of,
    found_line,
    with_told,
)
from edge_effnet.tflite.reader import parse_structure
from tests.edge_effnet.runtime.input_pixels.conftest import make_network

MakeNetwork = Callable[..., bytes]
TORCH = [("SUB", (0.485, 0.456, 0.406)), ("DIV", (0.229, 0.224, 0.225))]


def told_by(model: bytes, **more: Any) -> Evidence:
    return evidence_of(model, parse_structure(model, "a network"), **more)


@pytest.mark.parametrize(
    ("quantized", "text"),
    [
        (("int8", 1 / 255, -128), "unit"),
        (("uint8", 1 / 255, 0), "unit"),
        (("int8", 2 / 255, -1), "tf"),
        (("uint8", 2 / 255, 127), "mean=127,std=127.5"),  # as stored, which tf misses by a half
        (("int8", 1.0, -128), "raw"),
        (("int8", 0.977 / 255, -128), "unit"),  # calibration that averages
        (("int8", 0.926 / 255, -128), "unit"),  # calibration images without white
        (("uint8", 1.0, 0), "raw"),
        (("uint8", 0.0, 0), "raw"),
    ],
)
def test_the_scale_of_a_quantized_input_says_it(
    network: MakeNetwork, quantized: tuple[str, float, int], text: str
) -> None:
    evidence = told_by(network(quantized=quantized))
    assert preprocess_text(evidence.settings) == f"{text},fit=squash"
    assert (evidence.strength, evidence.reason) == ("stated", "the scale of its input tensor")


@pytest.mark.parametrize(
    ("quantized", "text"),
    [
        (("int8", 0.0187, -15), "torch,fit=squash"),
        (("int8", 4.8 / 255, -6), "torch,fit=squash"),  # -2.3…2.5: standardized images too
        (("int8", 1.0774, -13), "caffe,fit=squash"),
        (("int8", 1.0, 0), "mean=128,std=1,fit=squash"),  # pixels - 128
        (("uint8", 1.0, 128), "mean=128,std=1,fit=squash"),
    ],
)
def test_a_range_around_zero_is_what_photos_may_contradict(
    network: MakeNetwork, quantized: tuple[str, float, int], text: str
) -> None:
    evidence = told_by(network(quantized=quantized))
    assert preprocess_text(evidence.settings) == text
    assert evidence.strength == "inferred"


def test_a_range_of_no_usual_scaling_takes_pixels_as_stored_values(network: MakeNetwork) -> None:
    evidence = told_by(network(quantized=("int8", 3 / 255, -43)))
    assert evidence.strength == "inferred"
    assert evidence.settings.mean[0] == pytest.approx(85)
    assert evidence.settings.std[0] == pytest.approx(85)


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ([("MUL", 1 / 255)], "raw"),
        ([("MUL", 1 / 127.5), ("SUB", 1.0)], "raw"),
        ([("DIV", 127.5), ("ADD", -1.0)], "raw"),
        ([("MUL", 1 / 255), *TORCH], "raw"),
        ([("SUB", (103.939, 116.779, 123.68))], "raw"),
        (TORCH, "unit"),
        ([("MUL", 2.0), ("SUB", 1.0)], "unit"),
        ([("MUL", 255.0)], "unit"),
        ([("ADD", 1.0), ("MUL", 127.5)], "tf"),
    ],
)
def test_a_rescaling_inside_says_what_it_is_fed(
    network: MakeNetwork, before: Sequence[tuple[str, Any]], text: str
) -> None:
    evidence = told_by(network(before=before))
    assert preprocess_text(evidence.settings) == f"{text},fit=squash"
    assert (evidence.strength, evidence.reason) == ("inferred", "a rescaling inside the network")


def test_teachable_machine_goes_before_the_wrong_range_of_its_file(network: MakeNetwork) -> None:
    names = {"input_name": "sequential_7_input", "layer_name": "sequential_9/dense_Dense2/MatMul"}
    float_file = told_by(network(**names))
    assert preprocess_text(float_file.settings) == "tf,crop=1"
    assert float_file.reason == "the way Teachable Machine exports"
    assert not float_file.warnings
    assert float_file.fit_known  # photos are not asked whether it is the central square
    right = told_by(network(**names, quantized=("uint8", 2 / 255, 127)))
    assert not right.warnings
    wrong = told_by(network(**names, quantized=("uint8", 1 / 255, 0)))
    assert preprocess_text(wrong.settings) == "unit,crop=1"
    assert "its input tensor holds 0…1, and the network was trained on -1…1" in wrong.warnings[0]


def test_metadata_and_layers_go_before_the_rest(network: MakeNetwork) -> None:
    model = network(before=[("MUL", 1 / 255)])
    stated = Preprocess(8, 8, 1.0, (127.0,), (128.0,), "squash")
    assert told_by(model, stated=stated) == Evidence(stated, "its TFLite metadata", "stated")
    by_layers = FoundPreprocess(stated, "a Rescaling layer")
    assert told_by(model, found=by_layers) == Evidence(stated, "a Rescaling layer", "inferred")


def test_what_the_user_says(network: MakeNetwork) -> None:
    nothing = told_by(network())
    assert nothing.strength == "open"
    assert nothing.found is None
    assert with_told(nothing, "tf,fit=crop") == Preprocess(8, 8, 1.0, (127.5,), (127.5,))
    assert with_told(nothing, "std=255") == Preprocess(8, 8, 1.0, std=(255.0,), fit="squash")
    centred = told_by(network(quantized=("int8", 1 / 127.5, 0)))
    assert preprocess_text(centred.settings) == "tf,fit=squash"
    assert with_told(centred, "mean=0") == Preprocess(8, 8, 1.0, std=(127.5,), fit="squash")
    assert with_told(centred, "mean=127.5") == centred.settings
    assert with_told(centred, "unit") == Preprocess(8, 8, 1.0, std=(255.0,), fit="squash")
    fit_alone = with_told(nothing, "fit=pad")
    assert isinstance(fit_alone, Evidence)
    assert (fit_alone.settings.fit, fit_alone.strength) == ("pad", "open")
    assert (fit_alone.fit_known, fit_alone.channels_known) == (True, False)
    channels_alone = with_told(nothing, "channels=bgr")
    assert isinstance(channels_alone, Evidence)
    assert (channels_alone.fit_known, channels_alone.channels_known) == (False, True)
    quantized = with_told(told_by(network(quantized=("int8", 1 / 255, -128))), "crop=0.9")
    assert isinstance(quantized, Evidence)
    assert preprocess_text(quantized.settings) == "unit,crop=0.9"
    with pytest.raises(UsageProblem, match="not understood"):
        with_told(nothing, "quickly")


def test_a_line_where_the_user_contradicts_the_file(network: MakeNetwork) -> None:
    stated = told_by(network(quantized=("int8", 1 / 255, -128)))
    base = foreign_preprocess(8, 8, 3)
    line = contradiction(stated, parse_preprocess("raw", base))
    assert line is not None
    assert "the scale of its input tensor says that pixels are divided by 255" in line
    for same in ("unit", "unit,channels=bgr,fit=crop", "mean=1,std=255"):
        assert contradiction(stated, parse_preprocess(same, base)) is None
    torch = replace(stated, settings=parse_preprocess("torch", base), strength="inferred")
    assert contradiction(torch, parse_preprocess("torch,channels=bgr", base)) is None
    swapped = parse_preprocess("mean=103.53/116.28/123.675,std=57.375/57.12/58.395", base)
    assert contradiction(torch, swapped) is not None
    assert contradiction(torch, parse_preprocess("standardize", base)) is not None
    assert contradiction(told_by(network()), parse_preprocess("raw", base)) is None


def test_the_line_says_what_is_done_and_from_what_it_was_found(network: MakeNetwork) -> None:
    found = told_by(network(quantized=("int8", 1 / 255, -128))).found
    assert found is not None
    assert found_line("m.tflite", found) == (
        "m.tflite: pixels are divided by 255: found from the scale of its input tensor; the photo "
        "is squashed, as nothing says otherwise"
    )


def test_a_grey_network_is_said_to_be_one() -> None:
    unit = parse_preprocess("unit", foreign_preprocess(8, 8, 1))
    found = FoundPreprocess(unit, "its TFLite metadata")
    assert "pixels are divided by 255 and the photo is made grey and squashed" in found_line(
        "m", found
    )


def test_the_refusal_names_the_likely_answer_first() -> None:
    model = make_network(gain=20.0)
    structure = parse_structure(model, "a network")
    error = str(ask_how("m.tflite", model, structure, foreign_preprocess(8, 8, 3)))
    assert "m.tflite does not say how pixels become its input" in error
    assert "to fix: --preprocess unit is likely (pixels are divided by 255" in error
    assert "else one of tf, raw, torch, standardize, caffe" in error
    assert "labelled photos tell it (--data of evaluate and convert)" in error
    tried = str(ask_how("m.tflite", model, structure, foreign_preprocess(8, 8, 3), tried=100))
    assert "100 labelled photos are answered no better than chance may explain" in tried
    few = str(ask_how("m.tflite", model, structure, foreign_preprocess(8, 8, 3), tried=6))
    assert "6 labelled photos are too few: 8 are needed" in few
    assert "by chance" not in few


def test_a_fit_that_the_user_says_is_credited_to_the_user(network: MakeNetwork) -> None:
    told = with_told(told_by(network(quantized=("int8", 1 / 255, -128))), "fit=pad")
    assert isinstance(told, Evidence)
    assert told.found is not None
    assert found_line("m", told.found).endswith(
        "the photo is padded: found from the scale of its input tensor, with fit=pad as "
        "--preprocess says"
    )
