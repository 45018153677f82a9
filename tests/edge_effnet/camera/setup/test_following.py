"""A model file that is replaced while the camera runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge_effnet.camera.run_status import run_json
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.camera.setup.run import CameraRun, open_run
from tests.edge_effnet.camera.conftest import MakeClip
from tests.edge_effnet.conftest import BLUE_IS_RED, COLOURS, RIGHT, MakeModel

Events = list[Callable[[CameraRun], bool]]


def replace_by(new: Path, path: Path) -> None:
    part = path.with_suffix(".part")
    shutil.copyfile(new, part)
    part.replace(path)


@pytest.fixture
def running(clip: MakeClip) -> Iterator[Callable[..., tuple[CameraRun, list[str]]]]:
    """Run a camera on a clip of blue; ``then`` are asked one after the other until each holds."""
    runs: list[CameraRun] = []

    def run(then: Events, **options: object) -> tuple[CameraRun, list[str]]:
        said: list[str] = []
        waiting = list(then)

        def watch(_: str) -> None:
            if waiting and waiting[0](runs[0]):
                del waiting[0]
            if not waiting:
                raise KeyboardInterrupt

        video = str(clip(["blue"] * 40))
        asked = CameraOptions(source=video, loop=True, **options)  # type: ignore[arg-type]
        runs.append(open_run(asked, say=said.append, show_status=watch))
        runs[0].session.run()
        return runs[0], said

    yield run
    for one in runs:
        one.end()


def answers(label: str) -> Callable[[CameraRun], bool]:
    def holds(run: CameraRun) -> bool:
        decision = run.session.status.answering.decision
        return decision is not None and decision.label == label

    return holds


def then(act: Callable[[], object]) -> Callable[[CameraRun], bool]:
    def done(_: CameraRun) -> bool:
        act()
        return True

    return done


def test_the_new_file_answers_and_no_frame_is_lost(
    running: Callable[..., tuple[CameraRun, list[str]]],
    colour_model: MakeModel,
    tmp_path: Path,
) -> None:
    model = colour_model("mine.tflite", BLUE_IS_RED)
    new = colour_model("new.tflite", RIGHT)
    lines = tmp_path / "answers.jsonl"
    run, said = running(
        [answers("red"), then(lambda: replace_by(new, model)), answers("blue")],
        model=model,
        jsonl=str(lines),
    )
    numbers = [
        line["frame"]
        for line in map(json.loads, lines.read_text().splitlines())
        if line["type"] == "answer"
    ]
    assert sorted(set(numbers)) == numbers
    document = run_json(run.session.status)
    (before,) = document["earlier_models"]
    assert before["answered_by_model"] + document["answered_by_model"] == len(numbers)
    assert before["model"]["sha256"] != document["model"]["sha256"]
    assert any("mine.tflite was replaced: the new file answers now" in line for line in said)


def test_both_models_of_a_comparison_are_replaced_one_after_the_other(
    running: Callable[..., tuple[CameraRun, list[str]]], colour_model: MakeModel
) -> None:
    more = (*COLOURS, "grey")
    weights = (*RIGHT, (0, 0, 0))
    model, reference = colour_model("mine.tflite", BLUE_IS_RED), colour_model("float.tflite")
    new = colour_model("new.tflite", weights, labels=more)

    def replace_both() -> None:
        replace_by(new, model)
        replace_by(new, reference)

    run, said = running(
        [answers("red"), then(replace_both), answers("blue")], model=model, compare=reference
    )
    assert run.session.status.answering.settings.labels == more
    comparison = run.session.status.answering.comparison
    assert comparison is not None
    assert comparison.disagreed == {}  # those of before are counted by themselves
    assert any("with grey" in line for line in said)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda colour: colour("new.tflite", end="LOGISTIC"), "another kind of answer"),
        (lambda colour: colour("new.tflite", labels=("a", "b", "c")), "no such label"),
        (lambda colour: colour("new.tflite", labels=("Red", "green", "blue")), "otherwise"),
        (lambda colour: colour("new.tflite", [[float("nan")] * 3] * 3), "not numbers"),
    ],
    ids=[
        "another head",
        "without a label that an option names",
        "that label spelled otherwise",
        "scores that are not numbers",
    ],
)
def test_what_does_not_fit_is_refused_and_the_old_one_goes_on(
    make: Callable[[MakeModel], Path],
    says: str,
    running: Callable[..., tuple[CameraRun, list[str]]],
    colour_model: MakeModel,
) -> None:
    model = colour_model("mine.tflite")
    new = make(colour_model)
    said_so: list[str] = []

    def refused(run: CameraRun) -> bool:
        said_so[:] = [line for line in run.session.status.notes if "goes on answering" in line]
        return bool(said_so)

    run, _ = running(
        [answers("blue"), then(lambda: replace_by(new, model)), refused, answers("blue")],
        model=model,
        on=(("red", "true"),),
    )
    assert says in said_so[0]
    assert not run.session.status.earlier


def test_a_file_that_is_damaged_on_its_way_is_refused(
    running: Callable[..., tuple[CameraRun, list[str]]], colour_model: MakeModel
) -> None:
    model = colour_model("mine.tflite")
    content = model.read_bytes()
    half = model.with_name("half")
    half.write_bytes(content[: len(content) // 2])

    def refused(run: CameraRun) -> bool:
        return any("goes on answering" in line for line in run.session.status.notes)

    run, _ = running(
        [answers("blue"), then(lambda: replace_by(half, model)), refused, answers("blue")],
        model=model,
    )
    assert not run.session.status.earlier
