"""What a user's file leaves open of its input is found before anything is calibrated."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from converters.float_model.file_source import from_file
from converters.float_model.input_pixels import settle_input
from converters.float_model.source import Source
from edge_effnet.errors import DataError, ModelError
from edge_effnet.image.preprocess_text import preprocess_text
from tests.edge_effnet.runtime.input_pixels.conftest import colour_photos, make_network

__all__ = ["colour_photos"]


def source_of(folder: Path, model: bytes, preprocess: str | None = None) -> Source:
    path = folder / "mine.tflite"
    path.write_bytes(model)
    return from_file(path, labels=None, preprocess=preprocess)


def settled(source: Source, *, data: Path | None = None, calibration: Path | None = None) -> Source:
    return settle_input(source, data=data, calibration=calibration, workers=2)


@pytest.mark.parametrize("option", ["data", "calibration"])
def test_labelled_photos_of_either_option_tell(
    tmp_path: Path, colour_photos: Path, option: str
) -> None:
    open_ended = source_of(tmp_path, make_network(channels=(0, 1, 2), gain=30.0))
    source = settled(open_ended, **{option: colour_photos})
    assert source.preprocess.channels == "bgr"
    assert source.evidence is None
    assert source.notices[-1].startswith("mine.tflite: pixels are divided by 255 in B, G, R order")
    assert "found from trying the usual ways on 36 labelled photos" in source.notices[-1]
    step = source.steps[-1]
    assert step["step"] == "preprocess found"
    assert step["preprocess"] == preprocess_text(source.preprocess)
    assert settled(source) is source


def test_photos_without_labels_only_suggest(tmp_path: Path, colour_photos: Path) -> None:
    source = source_of(tmp_path, make_network(gain=30.0))
    with pytest.raises(ModelError) as refused:
        settled(source, calibration=colour_photos / "red")
    assert "mine.tflite does not say how pixels become its input" in str(refused.value)
    assert "to fix: --preprocess unit is likely" in str(refused.value)
    with pytest.raises(ModelError, match="is likely"):
        settled(source)


def test_what_the_file_says_needs_no_photos(tmp_path: Path) -> None:
    source = settled(source_of(tmp_path, make_network(before=[("MUL", 1 / 255)])))
    assert preprocess_text(source.preprocess) == "raw,fit=squash"
    assert "found from a rescaling inside the network" in source.notices[-1]


def test_what_the_user_says_is_not_looked_for(tmp_path: Path) -> None:
    source = source_of(tmp_path, make_network(), "tf,fit=pad")
    assert settled(source) is source
    assert preprocess_text(source.preprocess) == "tf,fit=pad"
    fit_alone = source_of(tmp_path, make_network(before=[("MUL", 1 / 255)]), "fit=crop")
    assert preprocess_text(settled(fit_alone).preprocess) == "raw,crop=1"


def test_a_line_where_the_file_speaks_against_what_the_user_says(tmp_path: Path) -> None:
    rescaling = source_of(tmp_path, make_network(before=[("MUL", 1 / 255)]), "unit")
    assert "a rescaling inside the network says that pixels stay 0–255" in rescaling.notices[-1]
    of_pixels = source_of(tmp_path, make_network(gain=20 / 255), "unit")
    assert "leave the range that its layers expect" in of_pixels.notices[-1]
    assert "--preprocess raw is likelier" in of_pixels.notices[-1]
    assert source_of(tmp_path, make_network(gain=20.0), "unit").notices == ()
    assert source_of(tmp_path, make_network(before=[("MUL", 1 / 255)]), "raw").notices == ()


def test_channels_that_the_network_does_not_take(tmp_path: Path) -> None:
    for asked in ("unit,channels=grey", "channels=grey"):
        with pytest.raises(ModelError, match="another number of channels"):
            source_of(tmp_path, make_network(), asked)


def test_photos_of_other_classes_are_told_before_the_user_is_asked(
    tmp_path: Path, colour_photos: Path
) -> None:
    source = source_of(tmp_path, make_network(gain=30.0))
    shutil.copytree(colour_photos / "red", colour_photos / "more")
    with pytest.raises(DataError, match=r"the classes of .* are not the network's"):
        settled(source, data=colour_photos)
