"""Images with the channels first, as networks from PyTorch take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converters.float_model.tflite_files.reader import read_tflite_model
from edge_effnet.errors import ModelError
from edge_effnet.measure.file_description.describe import describe_file
from edge_effnet.runtime.classifier import open_classifier
from tests.converters.network_builder import NetworkBuilder


def network(path: Path, *, turned: bool, batch: int = 1) -> Path:
    """The mean of each channel of 6 x 8 images, which are turned at once or read as they are."""
    builder = NetworkBuilder()
    source = builder.tensor("image", (batch, 3, 6, 8))
    pixels, axes = source, builder.tensor("axes", (2,), np.array([2, 3], np.int32))
    if turned:
        order = builder.tensor("order", (4,), np.array([0, 2, 3, 1], np.int32))
        axes = builder.tensor("axes", (2,), np.array([1, 2], np.int32))
        pixels = builder.tensor("pixels", (batch, 6, 8, 3))
        builder.operator("TRANSPOSE", [source, order], pixels, options="TransposeOptions")
    mean, scores = builder.tensor("mean", (batch, 3)), builder.tensor("scores", (batch, 3))
    builder.operator("MEAN", [pixels, axes], mean, options="ReducerOptions")
    builder.operator("SOFTMAX", [mean], scores, options="SoftmaxOptions", beta=1.0)
    path.write_bytes(builder.pack(source, [scores]))
    return path


@pytest.mark.parametrize("batch", [1, 4])
def test_what_convert_turns_is_described_as_images(batch: int, tmp_path: Path) -> None:
    path = network(tmp_path / "m.tflite", turned=True, batch=batch)
    found = describe_file(path)
    facts = dict(found.facts)
    assert facts["input"].startswith("6 x 8 RGB, float32, channels first")
    assert facts["answer"] == "3 classes (softmax)"
    assert found.command == f"edge-effnet convert --model {path} --int8 --data PHOTOS"
    assert (found.problems[0].code, found.problems[0].fix) == ("channels-first", found.command)
    read_tflite_model(path)


def test_what_convert_refuses_gets_no_command(tmp_path: Path) -> None:
    path = network(tmp_path / "m.tflite", turned=False)
    found = describe_file(path)
    assert found.command is None
    assert "export it with channels last" in (found.problems[0].fix or "")
    with pytest.raises(ModelError, match="channels first"):
        read_tflite_model(path)


@pytest.mark.parametrize(
    ("turned", "fix"), [(True, "convert --model .*m.tflite --int8"), (False, "export it with")]
)
def test_running_it_is_refused_with_the_same_way(turned: bool, fix: str, tmp_path: Path) -> None:
    path = network(tmp_path / "m.tflite", turned=turned)
    with pytest.raises(ModelError, match=f"takes images with the channels first.*{fix}"):
        open_classifier(path, preprocess="unit")
