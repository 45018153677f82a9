"""What workers tell each other and must see alike; they are threads here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge_effnet.data.image_sources import Unreadable
from edge_effnet.errors import EdgeEffnetError, WeightsError
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.stages import no_progress
from edge_effnet.training.cluster.agreement import (
    refuse_hidden_folder,
    refuse_other_images,
    refuse_other_skipped,
    refuse_unequal_teachers,
)
from edge_effnet.training.cluster.group import ALONE, Group
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import TrainingImages, list_images, open_images
from edge_effnet.training.epochs import evaluate
from edge_effnet.training.follow_up import wrong_before
from edge_effnet.training.teacher.teacher import Teacher, TeacherScores
from tests.edge_effnet.training.cluster.conftest import COUNT, on_all
from tests.edge_effnet.training.conftest import draw_colours


def lines(function: Callable[[Group], object]) -> list[str]:
    """The error that each worker raises; empty where it raises none."""

    def one(group: Group) -> str:
        try:
            function(group)
        except EdgeEffnetError as error:
            return str(error)
        return ""

    return on_all(one)


def test_what_workers_tell_each_other() -> None:
    def tell(group: Group) -> tuple[Any, ...]:
        own = np.arange(5, dtype=np.int32)[group.share(5).rows]
        return (
            group.texts(f"I am {group.index}"),
            group.gather(own, 5).tolist(),
            group.any(group.index == 2),
            group.from_chief(np.full(2, group.index, np.float32)).tolist(),
        )

    everything = (["I am 0", "I am 1", "I am 2"], [0, 1, 2, 3, 4], True, [0.0, 0.0])
    assert on_all(tell) == [everything] * COUNT


def test_what_fails_on_one_worker_fails_on_all_in_its_line() -> None:
    def read(group: Group) -> int:
        def own() -> int:
            if group.index == 1:
                raise WeightsError("no weights", found="nothing", fix="download them")
            return group.index

        return group.together(own)

    (line,) = set(lines(read))
    assert line.startswith("worker 1 on ")
    assert line.endswith(": no weights; found nothing; to fix: download them")
    assert on_all(lambda group: group.together(lambda: group.index, chief_first=True)) == [0, 1, 2]


@pytest.mark.parametrize("kind", ["labelled", "unlabelled"])
def test_a_worker_that_sees_other_images_is_named(
    config: TrainConfig, tmp_path: Path, kind: str
) -> None:
    def listed(group: Group) -> None:
        photos = draw_colours(tmp_path / f"{group.index}", 8)
        more = draw_colours(tmp_path / f"{group.index}-more", 4, seed=9)
        if group.index == 1:
            ((photos if kind == "labelled" else more) / "red" / "3.png").unlink()
        asked = replace(config, data=str(photos), teacher="t", unlabelled=str(more))
        refuse_other_images(group, list_images(asked))

    for line in lines(listed):
        assert "worker 1 on" in line
        assert "missing, such as red/3.png" in line


def test_an_image_that_one_worker_cannot_read(config: TrainConfig) -> None:
    lists = list_images(config)
    photo = Unreadable(Path("red/7.png"), "red/7.png is no image")

    def skipped(group: Group) -> None:
        skips = (photo,) if group.index == 2 else ()
        images = TrainingImages(lists, None, None, skips)  # type: ignore[arg-type]
        refuse_other_skipped(group, images)

    (line,) = set(lines(skipped))
    assert "worker 2 on" in line
    assert "cannot read 1 image that others can; found red/7.png" in line


def test_a_run_folder_that_not_all_see(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "config.json").touch()
    for line in lines(lambda one: refuse_hidden_folder(one, tmp_path / f"{one.index}/config.json")):
        assert "is a folder that not all machines see" in line
        assert "in it on worker 1 on" in line
        assert ", worker 2 on" in line


def test_another_teacher_on_one_worker() -> None:
    def own(group: Group) -> None:
        origin = {"sha256": "b" if group.index == 1 else "a"}
        teacher = Teacher(
            "t", Path("t.h5"), None, 3, Preprocess(8, 8), answer=lambda ready: ready, origin=origin
        )
        refuse_unequal_teachers(group, teacher)
        refuse_unequal_teachers(group, None)

    (line,) = set(lines(own))
    assert "worker 1 on" in line
    assert "has another teacher than the chief on" in line
    assert "found t.h5 has other contents than t.h5 there" in line


class Colours:
    """A network that answers with the mean of each channel: blue, green, red in this order."""

    def predict_on_batch(self, images: NDArray[Any]) -> NDArray[Any]:
        return images.mean(axis=(1, 2))[:, ::-1] / 40


def test_each_asks_about_its_share_and_all_know_the_answers(config: TrainConfig) -> None:
    """The network, the one before, and the teacher."""
    lists = list_images(config)
    images = open_images(lists, config, side=16, workers=1, stage=no_progress)
    before = SimpleNamespace(known_labels=("blue", "green"), side=16)
    teacher = Teacher(
        "t", Path("t.h5"), None, 3, Preprocess(8, 8), answer=lambda ready: ready.mean(axis=(1, 2))
    )

    def ask(group: Group) -> tuple[Any, ...]:
        loss, right = evaluate(Colours(), images.val, side=16, workers=1, group=group)
        wrong = wrong_before(
            Colours(), before, images, workers=1, advance=lambda _done: None, group=group
        )
        scores = TeacherScores(teacher, np.array([2, 1, 0]))
        accuracy = scores.accuracy(images.val, side=16, workers=1, group=group)
        return round(loss, 6), right.tolist(), wrong, accuracy

    alone = ask(ALONE)
    assert alone[1] == [True] * 9
    assert alone[2] == [index for index, label in enumerate(images.val.labels) if label == 2]
    assert alone[3] == 1.0
    assert on_all(ask) == [alone] * COUNT
