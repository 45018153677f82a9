"""What a program of a user's own is promised: names, types, and that the import stays light."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import edge_effnet
from edge_effnet.errors import DataError, ModelError, UsageProblem
from tests.edge_effnet.camera.conftest import MakeClip, clip, plain  # noqa: F401 (a fixture)
from tests.edge_effnet.conftest import MakeModel
from tests.edge_effnet.test_cli import Device, device  # noqa: F401 (a fixture)

LIGHT = """
import sys, edge_effnet
loaded = {"numpy", "cv2", "keras", "tensorflow"} & set(sys.modules)
assert not loaded, loaded
model = edge_effnet.open_model(sys.argv[1])
print(model.classify(sys.argv[2], top=1)[0].label)
with edge_effnet.open_camera(sys.argv[3], model=model) as camera:
    print(sorted({answers[0].label for _, answers in camera}))
try:
    edge_effnet.build("b0")
except edge_effnet.EdgeEffnetError as error:
    print(error)
"""
TYPED = """
import numpy as np
import edge_effnet

model: edge_effnet.Model = edge_effnet.open_model("m.tflite", threads=2)
answers: list[edge_effnet.Answer] = model.classify(np.zeros((8, 8, 3), np.uint8))
with edge_effnet.open_camera(model=model) as camera:
    for frame, found in camera:
        number: int = frame.number
        label: str = found[0].label
edge_effnet.open_model(7)
"""


def test_every_public_name_is_there_and_documented() -> None:
    for name in edge_effnet.__all__:
        assert name in dir(edge_effnet)
        assert name == "__version__" or getattr(edge_effnet, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'open_modle'"):
        edge_effnet.open_modle  # type: ignore[attr-defined]  # noqa: B018


def test_a_device_classifies_without_tensorflow(
    device: Device,  # noqa: F811
    colour_model: MakeModel,
    colour_folder: Path,
) -> None:
    model = colour_model()
    done = device("-c", LIGHT, model, colour_folder / "blue" / "0.png", colour_folder)
    assert not done.stderr
    label, labels, refused = done.stdout.splitlines()
    assert label == "blue"
    assert labels == "['blue', 'green', 'red']"
    assert "pip install 'edge-effnet[train]'" in refused


def test_users_types_are_checked(tmp_path: Path) -> None:
    """The lazy names have their types; of this program one line is wrong."""
    program = tmp_path / "program.py"
    program.write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "Found 1 error in 1 file" in done.stdout, done.stdout
    assert 'Argument 1 to "open_model" has incompatible type "int"' in done.stdout


def test_an_array_and_its_file_give_the_same_answers(
    colour_model: MakeModel, tmp_path: Path
) -> None:
    model = edge_effnet.open_model(colour_model(), threads=1)
    assert model.labels == ("red", "green", "blue")
    assert model.card is not None
    assert model.card.name == "colours"
    image = plain("green")
    cv2.imwrite(str(tmp_path / "green.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    answers = model.classify(image)
    assert answers == model.classify(str(tmp_path / "green.png"))
    assert answers[0].label == "green"
    assert [answer.answered for answer in answers] == [True, False, False]
    assert sum(answer.probability or 0 for answer in answers) == pytest.approx(1)
    assert model.classify(image, top=1) == answers[:1]


def test_an_image_like_none_that_was_taught_is_answered_by_no_class(
    taught_model: Path, colour_folder: Path
) -> None:
    model = edge_effnet.open_model(taught_model)
    for answer in model.classify(colour_folder / "blue" / "0.png"):
        assert (answer.unknown, answer.answered) == (True, False)
    known = model.classify(colour_folder / "red" / "0.png")
    assert [(answer.label, answer.unknown, answer.answered) for answer in known] == [
        *(("red", False, True), ("green", False, False))
    ]
    with edge_effnet.open_camera(colour_folder / "blue", model=model) as camera:
        assert not any(answers[0].answered for _, answers in camera)


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), np.float32), np.zeros((0, 8, 3), np.uint8)],
)
def test_another_array_is_refused(colour_model: MakeModel, image: Any) -> None:
    with pytest.raises(DataError, match="this array is no RGB image"):
        edge_effnet.open_model(colour_model()).classify(image)


def test_several_labels_and_values(colour_model: MakeModel) -> None:
    labels = edge_effnet.open_model(colour_model("l.tflite", end="LOGISTIC"))
    pink = np.full((4, 4, 3), (200, 20, 200), np.uint8)
    found = {answer.label: answer.answered for answer in labels.classify(pink, top=1)}
    assert found["red"]
    assert found["blue"]
    value = edge_effnet.open_model(
        colour_model("v.tflite", weights=((1, 0, 0),), labels=None, end=None),
        preprocess="mean=0,std=1",
    )
    (answer,) = value.classify(pink)
    assert answer.probability is None
    assert answer.value == pytest.approx(10 * 200 / 255, rel=1e-4)


def test_labels_of_ones_own(colour_model: MakeModel) -> None:
    path = colour_model()
    model = edge_effnet.open_model(path, labels=("rot", "grün", "blau"))
    assert model.classify(plain("blue"), top=1)[0].label == "blau"
    with pytest.raises(ModelError, match="its labels do not fit"):
        edge_effnet.open_model(path, labels=("rot",))


def test_a_video_is_answered_frame_by_frame(colour_model: MakeModel, clip: MakeClip) -> None:  # noqa: F811
    video = clip(["red"] * 6 + ["blue"] * 6)
    with edge_effnet.open_camera(
        video, model=colour_model(), every_frame=True, smooth_s=0
    ) as camera:
        told = [(frame.number, answers[0].label) for frame, answers in camera]
    assert told == [(number, "red" if number < 6 else "blue") for number in range(12)]
    assert camera.dropped == 0


def test_leaving_the_block_stops_the_camera(colour_model: MakeModel, clip: MakeClip) -> None:  # noqa: F811
    before = threading.active_count()
    with edge_effnet.open_camera(clip(["red"] * 9), model=colour_model(), loop=True) as camera:
        for frame, _ in camera:
            if frame.number > 10:
                break
    camera.close()
    assert threading.active_count() == before
    assert list(camera) == []


def test_a_source_that_gives_nothing_says_so(colour_model: MakeModel, tmp_path: Path) -> None:
    model = edge_effnet.open_model(colour_model())
    with pytest.raises(DataError, match="is no source of"):
        edge_effnet.open_camera(tmp_path / "none.mp4", model=model)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    broken = edge_effnet.open_camera(tmp_path / "broken.png", model=model)
    with broken, pytest.raises(DataError, match="holds no readable"):
        list(broken)


@pytest.mark.slow
def test_build_gives_a_network_of_the_classes_asked_for() -> None:
    build: Callable[..., Any] = edge_effnet.build
    model = build("b0", classes=4, resolution=32)
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 4)
    with pytest.raises(UsageProblem, match="there is no variant"):
        build("b99")
