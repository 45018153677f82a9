"""Learning from recorded photos beside a running camera."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.camera.learning.learner import Learner
from edge_effnet.files.exchange import newest_before
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.camera.conftest import RGB, plain, wait_for
from tests.edge_effnet.conftest import MakeModel, write_image


@pytest.fixture
def collected(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def record(collected: Path, label: str, presses: int, photos: int = 4) -> None:
    """Photos as ``--collect`` names them: of each press the light is another."""
    for press in range(presses):
        for place in range(photos):
            pixels = plain(label if label in RGB else "blue") - 8 * (press + 1) + place
            name = f"burst-20261129-1015{press:02d}-{press + 1}-{place:04d}.jpg"
            write_image(collected / "photos" / label / name, pixels)


def learned(learner: Learner, **how: bool) -> dict[str, Any]:
    learner.learn(**how)
    wait_for(lambda: learner.state()["seconds"] is None, 60)
    return learner.state()


def learner_of(*files: Path, collected: Path, said: list[str] | None = None) -> Learner:
    say = (said if said is not None else []).append
    return Learner(files, collected, flush=lambda: None, say=say)


def test_a_new_thing_is_learned_and_the_old_file_stays(
    recorded_model: Path, collected: Path
) -> None:
    record(collected, "blue", presses=3)
    said: list[str] = []
    state = learned(learner_of(recorded_model, collected=collected, said=said))
    assert state["problem"] is None
    assert state["lines"][0] == "blue: right on 12 of 12 photos of another moment"
    assert said[0].startswith("learned in ")
    model = open_classifier(recorded_model)
    assert model.labels == ("green", "red", "blue")
    assert model.labels[int(model.scores(plain("blue")).argmax())] == "blue"
    before = newest_before(recorded_model)
    assert before is not None
    assert read_artifact(before).labels == ("green", "red")


def test_one_press_is_not_enough_to_say_how_right_it_is(
    recorded_model: Path, collected: Path
) -> None:
    record(collected, "blue", presses=1)
    state = learned(learner_of(recorded_model, collected=collected))
    assert state["lines"][0] == (
        "blue: not enough different views yet, 4 photos of one moment: record it again from "
        "elsewhere"
    )
    assert open_classifier(recorded_model).labels == ("green", "red", "blue")


def test_one_tap_goes_back_and_another_forth(recorded_model: Path, collected: Path) -> None:
    record(collected, "blue", presses=2)
    learner = learner_of(recorded_model, collected=collected)
    assert not learner.state()["can_go_back"]
    assert learned(learner)["can_go_back"]
    for labels in (("green", "red"), ("green", "red", "blue")):
        learner.go_back()
        assert read_artifact(recorded_model).labels == labels


def test_the_reference_learns_the_same(
    recorded_model: Path, collected: Path, tmp_path: Path
) -> None:
    reference = tmp_path / "reference.tflite"
    shutil.copyfile(recorded_model, reference)
    record(collected, "blue", presses=2)
    assert learned(learner_of(recorded_model, reference, collected=collected))["problem"] is None
    assert read_artifact(reference).labels == read_artifact(recorded_model).labels


def test_a_model_that_was_not_taught_needs_photos_of_all_that_it_knows(
    colour_model: MakeModel, colour_folder: Path, collected: Path
) -> None:
    model = colour_model("mine.tflite")
    before = model.read_bytes()
    record(collected, "cup", presses=2)
    learner = learner_of(model, collected=collected)
    problem = learned(learner)["problem"]
    assert problem.startswith("mine.tflite cannot learn here without photos of what it knows")
    assert "red, green, blue" in problem
    assert model.read_bytes() == before
    for colour in ("red", "green", "blue"):
        shutil.copytree(colour_folder / colour, collected / "photos" / colour)
    state = learned(learner)
    assert state["worse"]
    assert state["problem"] == (
        "no photo of red, green, blue was recorded by this camera, so that much of what it shows "
        "may be taken for cup: record each of those once too"
    )
    assert model.read_bytes() == before
    assert learned(learner, worse=True)["problem"] is None
    assert set(open_classifier(model).labels) == {"red", "green", "blue", "cup"}


def test_a_worse_file_is_taken_only_where_that_is_asked_for(
    taught_model: Path, collected: Path
) -> None:
    before, random = taught_model.read_bytes(), np.random.default_rng(8)
    for number in range(60):  # a new class that looks like one that is known
        pixels = random.integers(0, 60, (9, 12, 3), dtype=np.uint8)
        pixels[:, :, 0] += np.uint8(100 + 10 * (number % 3))
        write_image(collected / "photos" / "crimson" / f"{number}.png", pixels)
    learner = learner_of(taught_model, collected=collected)
    state = learned(learner)
    assert state["worse"]
    assert state["problem"] == (
        "taught.tflite as it was is better on the classes that it knew, and stays"
    )
    assert any(line.startswith("classes that lost: red 10 to ") for line in state["lines"])
    assert taught_model.read_bytes() == before
    assert not learned(learner, worse=True)["worse"]
    assert read_artifact(taught_model).labels == ("green", "red", "crimson")


def test_photos_that_taught_the_file_elsewhere_are_not_forgotten_unasked(
    taught_model: Path, collected: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "another machine"))
    before = taught_model.read_bytes()
    for label in ("green", "red", "blue"):
        record(collected, label, presses=2)
    learner = learner_of(taught_model, collected=collected)
    state = learned(learner)
    assert state["worse"]
    assert state["problem"] == (
        "the 20 photos that taught taught.tflite are not kept here: it would know no more than "
        "the 24 photos here show"
    )
    assert taught_model.read_bytes() == before


def test_with_the_photos_beside_nothing_is_forgotten(
    taught_model: Path,
    collected: Path,
    colour_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "another machine"))
    for colour in ("red", "green"):
        shutil.copytree(colour_folder / colour, collected / "photos" / colour)
    for colour in ("red", "green", "blue"):
        record(collected, colour, presses=2)
    assert learned(learner_of(taught_model, collected=collected))["problem"] is None


def test_a_photo_in_two_classes_is_named(taught_model: Path, collected: Path) -> None:
    record(collected, "blue", presses=2)
    record(collected, "sky", presses=1)  # the same photos as one press of blue
    lines = learned(learner_of(taught_model, collected=collected))["lines"]
    assert any(line.startswith("one photo is in two classes, ") for line in lines)


def test_nothing_recorded(taught_model: Path, collected: Path) -> None:
    learner = learner_of(taught_model, collected=collected)
    with pytest.raises(ValueError, match="record something first"):
        learner.learn()
    with pytest.raises(ValueError, match="no file of before"):
        learner.go_back()


def test_two_viewers_cannot_learn_at_once(taught_model: Path, collected: Path) -> None:
    record(collected, "blue", presses=2)
    learner = learner_of(taught_model, collected=collected)
    learner.learn()
    with pytest.raises(ValueError, match="learning"):
        learner.learn()
    with pytest.raises(ValueError, match="learning"):
        learner.go_back()
    wait_for(lambda: learner.state()["seconds"] is None, 60)


def test_the_model_file_was_moved_away(taught_model: Path, collected: Path) -> None:
    record(collected, "blue", presses=2)
    taught_model.rename(taught_model.with_name("elsewhere.tflite"))
    state = learned(learner_of(taught_model, collected=collected))
    assert "taught.tflite" in state["problem"]
    assert not taught_model.exists()
