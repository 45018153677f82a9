"""What a network was trained on is recorded, recognized, and never counted as evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division import trained_on as seen
from edge_effnet.data.division.split import Division, divide
from edge_effnet.data.division.trained_on import (
    leave_out_trained,
    record,
    seen_in_training,
    trained_on,
)
from edge_effnet.data.listing import load_dataset
from tests.edge_effnet.data.conftest import MakePhotos, draw, write


@pytest.fixture
def photos_and_run(photos: MakePhotos) -> tuple[Dataset, Division]:
    dataset = load_dataset(photos({"cat": 10, "dog": 10}))
    return dataset, divide(dataset, 0.2, 0)


def steps_of(run: Division) -> list[dict[str, Any]]:
    """As they come back from a file."""
    step = {"step": "trained", "data": {"images": record(run.rest, run.evaluation)}}
    return json.loads(json.dumps([{"step": "exported"}, step]))  # type: ignore[no-any-return]


def copies(dataset: Dataset, folder: Path) -> Dataset:
    """The same photos under other names, smaller and encoded again."""
    samples = []
    for place, sample in enumerate(dataset.samples):
        small = cv2.resize(cv2.imread(str(sample.path)), None, fx=0.6, fy=0.6)
        path = write(folder / f"{place}.jpg", small, quality=60)
        samples.append(replace(sample, path=path))
    return Dataset(tuple(samples), dataset.labels, str(folder))


def test_a_run_is_evaluated_on_what_it_held_out(
    photos_and_run: tuple[Dataset, Division], tmp_path: Path
) -> None:
    dataset, run = photos_and_run
    for given in (dataset, copies(dataset, tmp_path / "copies")):
        chosen = leave_out_trained(given, steps_of(run))
        assert (chosen.images, chosen.trained, chosen.held_out) == (20, 16, 4)
        assert chosen.dataset.class_counts == {"cat": 2, "dog": 2}
        assert chosen.is_evidence
        assert chosen.line is not None
        assert "trained on 16 of 20 images" in chosen.line
        assert "evaluated on 4, which its training held out" in chosen.line
    exact = leave_out_trained(dataset, steps_of(run)).dataset
    assert set(exact.samples) == set(run.evaluation.samples)


def test_copies_and_near_duplicates_of_training_are_told_apart(
    photos_and_run: tuple[Dataset, Division], tmp_path: Path
) -> None:
    dataset, run = photos_and_run
    learned = {sample.path for sample in run.rest.samples}
    found = seen_in_training(dataset, steps_of(run))
    assert found is not None
    assert (set(found.copies), found.near) == (learned, ())
    scaled = copies(dataset, tmp_path / "copies")
    found = seen_in_training(scaled, steps_of(run))
    assert found is not None
    assert (found.copies, len(found.near)) == ((), len(learned))
    assert seen_in_training(dataset, [{"step": "exported"}]) is None


def test_images_it_never_saw_are_evaluated_on_too(
    photos_and_run: tuple[Dataset, Division], tmp_path: Path
) -> None:
    dataset, run = photos_and_run
    new = [write(tmp_path / "new" / f"{seed}.jpg", draw(900 + seed)) for seed in range(3)]
    more = replace(
        dataset,
        samples=(*dataset.samples, *(replace(dataset.samples[0], path=path) for path in new)),
    )
    chosen = leave_out_trained(more, steps_of(run))
    assert (chosen.trained, chosen.held_out, chosen.unseen) == (16, 4, 3)
    assert chosen.line is not None
    assert chosen.line.endswith("evaluated on 7, 4 that its training held out and 3 it never saw")
    unknown = leave_out_trained(replace(dataset, samples=more.samples[20:]), steps_of(run))
    assert (unknown.line, unknown.unseen, unknown.trained) == (None, 3, 0)


def test_where_it_knows_all_images_no_figure_is_evidence(
    photos_and_run: tuple[Dataset, Division], tmp_path: Path
) -> None:
    _, run = photos_and_run
    chosen = leave_out_trained(copies(run.rest, tmp_path / "copies"), steps_of(run))
    assert not chosen.is_evidence
    assert len(chosen.dataset) == 16  # there is nothing else to evaluate on
    assert chosen.line is not None
    assert chosen.line.startswith("no evidence: the network was trained on all 16 images")
    assert chosen.to_json()["trained_on"]["is_evidence"] is False


def test_a_file_that_cannot_be_read_is_no_evidence(
    photos_and_run: tuple[Dataset, Division], tmp_path: Path
) -> None:
    dataset, run = photos_and_run
    (tmp_path / "broken.jpg").write_bytes(b"no image")
    broken = replace(dataset.samples[0], path=tmp_path / "broken.jpg")
    chosen = leave_out_trained(replace(dataset, samples=(*run.rest.samples, broken)), steps_of(run))
    assert (chosen.is_evidence, chosen.unseen) == (False, 0)
    chosen = leave_out_trained(replace(dataset, samples=(*dataset.samples, broken)), steps_of(run))
    assert chosen.line is not None
    assert "evaluated on 4, which its training held out" in chosen.line
    assert broken in chosen.dataset.samples  # evaluation names it


def test_what_any_step_or_model_learned_from_is_not_evaluated_on(
    photos_and_run: tuple[Dataset, Division],
) -> None:
    """Fine-tuned or pruned later on what an earlier run had held out."""
    dataset, run = photos_and_run
    later = Division(run.evaluation, replace(run.evaluation, samples=()))
    chosen = leave_out_trained(dataset, [*steps_of(run), *steps_of(later)])
    assert (chosen.trained, chosen.is_evidence) == (20, False)
    trained = trained_on(dataset, steps_of(later))
    assert trained is not None
    assert int(trained.sum()) == 4


def test_networks_that_learned_from_different_images_are_told_apart(
    photos_and_run: tuple[Dataset, Division],
) -> None:
    dataset, run = photos_and_run
    other = Division(run.evaluation, run.rest)
    models = {"a.tflite": steps_of(run), "b.tflite": steps_of(other)}
    chosen = leave_out_trained(dataset, [*steps_of(run), *steps_of(other)], models)
    assert chosen.line == (
        "no evidence: the networks were trained on different images, together on all 20 images of "
        f"{dataset.source} (or on near-duplicates of them): a.tflite on 16, b.tflite on 4, so "
        "their answers to them prove nothing; give images that none of them has seen"
    )
    same = dict.fromkeys(models, models["a.tflite"])
    line = leave_out_trained(dataset, models["a.tflite"], same).line
    assert line is not None
    assert line.startswith("the network was trained on 16 of 20 images")


def test_without_a_record_nothing_is_said(photos_and_run: tuple[Dataset, Division]) -> None:
    dataset, _ = photos_and_run
    damaged = {"trained": {"count": 3, "prints": "?"}, "held_out": {"count": 1, "prints": ""}}
    for steps in ([], [{"step": "trained"}], [{"step": "trained", "data": {"images": damaged}}]):
        chosen = leave_out_trained(dataset, steps)
        assert chosen.line is None
        assert chosen.to_json() == {}
        assert chosen.dataset == dataset
        assert trained_on(dataset, steps) is None
    assert record(None, None) is None  # drawn images


def test_a_large_record_is_a_sample_and_what_it_cannot_tell_is_left_out(
    photos_and_run: tuple[Dataset, Division], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, run = photos_and_run
    monkeypatch.setattr(seen, "MOST", 8)
    steps = steps_of(run)
    kept = steps[1]["data"]["images"]["trained"]
    assert kept["count"] == 16
    assert len(kept["prints"]) == 8 * 32
    chosen = leave_out_trained(dataset, steps)
    assert (chosen.trained, chosen.unknown, chosen.held_out) == (8, 8, 4)
    assert set(chosen.dataset.samples) == set(run.evaluation.samples)


def test_a_camera_that_stands_still_is_recognized_by_bytes(
    photos: MakePhotos, tmp_path: Path
) -> None:
    """New images resemble those learned from as all of them do: that is no reason."""
    source = photos({"other": 4})

    def shot(folder: str, number: int) -> Path:
        pixels = draw(500)
        cv2.circle(pixels, (20 + 15 * number, 80), 3, (255, 255, 255), -1)
        return write(source.parent / folder / f"{number}.png", pixels)

    for number in range(8):
        shot("data/line", number)
    dataset = load_dataset(source)
    run = divide(dataset, 0.2, 0)
    line = dataset.labels.index("line")
    samples = tuple(
        replace(dataset.samples[0], path=shot("later", number), label=line)
        for number in range(8, 10)
    )
    chosen = leave_out_trained(Dataset(samples, dataset.labels, str(tmp_path)), steps_of(run))
    assert (chosen.trained, chosen.unseen) == (0, 2)
    assert leave_out_trained(run.rest, steps_of(run)).trained == len(run.rest)
