"""``train --teacher``: whom a run learns from, how that is fed, and what the checkpoint says."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.data.division.trained_on import record
from edge_effnet.errors import DataError, EdgeEffnetError, UsageProblem
from edge_effnet.files.read import content_hash
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data.lists import list_images
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.follow_up import follow_up_config
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.teacher.find_teacher import scores_of
from edge_effnet.training.teacher.teacher import Teacher, TeacherScores, columns_of, on_batches
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import draw_colours, run, run_and_stop, same_states


@pytest.fixture(scope="session")
def taught(config: TrainConfig, finished: TrainingResult) -> TrainConfig:
    """A run that learns from the finished one; its images repeat, so the scores are kept."""
    return replace(
        config,
        teacher=str(finished.folder),
        augment="none",
        mixup=0.0,
        cutmix=0.0,
        epochs=2,
        seed=1,
    )


def of_colours(**more: Any) -> Teacher:
    """A teacher that answers with the mean of each channel: blue, green, red in this order."""
    values: dict[str, Any] = {
        "name": "colours",
        "path": Path("colours.keras"),
        "labels": ("red", "green", "blue"),
        "classes": 3,
        "preprocess": Preprocess(8, 8),
        "answer": on_batches(lambda ready: ready.mean(axis=(0, 1))),
    }
    return Teacher(**(values | more))


@pytest.fixture(scope="session")
def whole(
    taught: TrainConfig, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainingResult, list[str]]:
    """That run, and what it says; never to be changed."""
    said: list[str] = []
    folder = tmp_path_factory.mktemp("taught") / "run"
    return run(taught, folder, callbacks=Callbacks(say=said.append)), said


def test_the_run_and_its_checkpoint_say_who_taught(
    whole: tuple[TrainingResult, list[str]], finished: TrainingResult
) -> None:
    outcome, said = whole
    (step,) = (peek(outcome.checkpoint).metadata or {})["steps"]
    teacher = step["teacher"]
    assert teacher == outcome.teacher
    assert teacher["sha256"] == content_hash(finished.checkpoint)
    assert (teacher["file"], teacher["variant"]) == ("best.h5", "tiny")
    assert (teacher["temperature"], teacher["share"]) == (2.0, 0.9)
    right = teacher["val_accuracy"]
    assert f"the teacher answers {100 * right:.1f} % of the validation images right" in said
    assert CONFIG_FILE.read(outcome.folder).teacher == str(finished.folder)
    # It learned from images that the run could have validated on: none of these is.
    assert not any("no evidence" in line for line in said)


def test_stopped_and_resumed_is_the_same_run_if_the_teacher_is_the_same(
    taught: TrainConfig,
    whole: tuple[TrainingResult, list[str]],
    finished: TrainingResult,
    tmp_path: Path,
) -> None:
    teacher, stopped = tmp_path / "teacher.h5", tmp_path / "stopped"
    shutil.copy(finished.checkpoint, teacher)
    run_and_stop(replace(taught, teacher=str(teacher)), stopped, asked=8)
    shutil.copy(whole[0].checkpoint, teacher)
    with pytest.raises(UsageProblem, match=r"the teacher .* is another file now"):
        resume(stopped, workers=1)
    teacher.unlink()
    with pytest.raises(DataError, match=r"the teacher .* is gone"):
        resume(stopped, workers=1)
    shutil.copy(finished.checkpoint, teacher)
    resume(stopped, workers=1)
    same_states(whole[0].folder, stopped)


def test_a_teacher_of_the_run_that_is_replaced_is_refused(
    taught: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "run")
    with pytest.raises(UsageProblem, match="this one would replace, which needs it"):
        run(replace(taught, teacher=str(folder)), folder, overwrite=True)
    assert (folder / "best.h5").exists()


def test_a_teacher_of_other_classes_is_refused(
    taught: TrainConfig, tmp_path: Path, colours: Path
) -> None:
    data = shutil.copytree(colours, tmp_path / "data")
    (data / "red").rename(data / "grey")
    with pytest.raises(DataError) as caught:
        run(replace(taught, data=str(data)), tmp_path / "run")
    assert "no 'grey' among its 3: blue, green, red" in str(caught.value)
    assert not (tmp_path / "run" / "config.json").exists()


def test_classes_are_found_by_their_names() -> None:
    assert columns_of(of_colours(), ("blue", "Red"), "photos").tolist() == [2, 0]
    unnamed = of_colours(labels=None)
    assert columns_of(unnamed, ("a", "b", "c"), "photos").tolist() == [0, 1, 2]
    with pytest.raises(DataError, match="3 classes; expected 2 of photos"):
        columns_of(unnamed, ("a", "b"), "photos")


def test_it_is_fed_the_same_pixels_as_it_expects_them() -> None:
    """Another size, another order of channels, another normalization."""
    image = np.zeros((2, 16, 16, 3), np.float32)
    image[0, ..., 0] = 100  # red
    image[1, ..., 2] = 50
    plain = TeacherScores(of_colours(), np.arange(3))
    np.testing.assert_allclose(plain(image), [[100, 0, 0], [0, 0, 50]], atol=1e-4)
    turned = of_colours(preprocess=Preprocess(8, 8, channels="bgr", mean=(10.0,), std=(2.0,)))
    np.testing.assert_allclose(
        TeacherScores(turned, np.arange(3))(image), [[-5, -5, 45], [20, -5, -5]], atol=1e-4
    )


def test_what_was_said_of_an_image_is_kept() -> None:
    asked: list[int] = []

    def answer(ready: np.ndarray) -> np.ndarray:
        asked.append(len(ready))
        return ready.mean(axis=(1, 2))

    scores = TeacherScores(of_colours(answer=answer), np.array([0, 2]), repeating=True)
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.float32)
    first = scores(images)
    again = scores(images[[3, 0, 1, 2]])
    np.testing.assert_array_equal(again, first[[3, 0, 1, 2]])
    assert asked == [4]
    scores(np.concatenate([images[:3], images[:1] + 1]))
    assert asked == [4, 4]  # filled up: one shape


def test_images_without_labels_are_learned_from(
    taught: TrainConfig, tmp_path: Path, colours: Path
) -> None:
    more = tmp_path / "more"
    draw_colours(tmp_path / "new", 6, seed=8)
    more.mkdir()
    for index, path in enumerate(sorted((tmp_path / "new").rglob("*.png"))):
        shutil.copy(path, more / f"{index}.png")
    for path in sorted(colours.rglob("*.png")):  # all of the others have their place already
        shutil.copy(path, more / f"known-{path.parent.name}-{path.name}")
    asked = replace(taught, unlabelled=str(more))
    lists = list_images(asked)
    assert lists.unlabelled is not None
    assert len(lists.unlabelled) == 18
    assert "18 images without labels" in lists.notices[-1]
    assert "validated on" in lists.notices[-1]
    outcome = run(asked, tmp_path / "run")
    (step,) = (peek(outcome.checkpoint).metadata or {})["steps"]
    data = step["data"]
    assert data["unlabelled"] == {"source": str(more), "images": 18}
    assert data["images"]["trained"]["count"] == data["train_images"] + 18
    with pytest.raises(DataError, match="adds no image to learn from"):
        list_images(replace(asked, unlabelled=str(colours)))


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"unlabelled": "more"}, "--unlabelled more and no --teacher"),
        ({"unlabelled": "more", "teacher": "b0", "data": "signs"}, "--unlabelled is for photos"),
        ({"unlabelled": "more", "teacher": "b0", "teacher_share": 0.0}, "--teacher-share 0"),
        ({"teacher": "b0", "temperature": 0.0}, "--temperature is out of range"),
    ],
)
def test_options_that_contradict_each_other(values: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        TrainConfig(**({"data": "photos"} | values))
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "neither a file nor a variant"), (b"no model at all", "")],
)
def test_what_is_no_teacher(
    taught: TrainConfig, tmp_path: Path, content: bytes | None, found: str
) -> None:
    path = tmp_path / "teacher.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(EdgeEffnetError) as caught:
        run(replace(taught, teacher=str(path)), tmp_path / "run")
    assert found in str(caught.value)
    assert str(path) in str(caught.value)
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_run_that_goes_on_takes_no_teacher_over(
    taught: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    before = shutil.copytree(finished.folder, tmp_path / "run")
    CONFIG_FILE.write(before, replace(finished.config, teacher=taught.teacher, progressive="16:32"))
    given = {"previous": str(before), "data": taught.data}
    config = follow_up_config(given)
    assert (config.teacher, config.progressive) == (None, None)
    again = follow_up_config({**given, "teacher": str(finished.folder), "epochs": 0})
    assert run(again, tmp_path / "again").teacher is not None


def test_a_teacher_that_learned_from_what_a_run_with_from_validates_on_is_said(
    config: TrainConfig,
) -> None:
    """The images of such a run keep their side; any other leaves these out of validation."""
    lists = list_images(config)
    turned = {"data": {"images": record(lists.val, lists.train)}}
    said: list[str] = []
    follow_up = replace(config, weights="auto", previous="runs/before")
    scores_of(of_colours(steps=(turned,)), follow_up, lists, said.append)
    assert "the teacher learned from 9 of the 9 images that are validated on" in said[-1]
    said.clear()
    scores_of(of_colours(steps=(turned,)), config, lists, said.append)
    assert len(said) == 1
