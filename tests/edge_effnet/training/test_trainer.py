"""Whole runs of a tiny network, in this process."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.image_sources import ImagesInMemory
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.trained_on import leave_out_trained
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError, UsageProblem
from edge_effnet.network.backend import keras_module
from edge_effnet.network.build import build
from edge_effnet.network.weights.checkpoint import describe, peek, save_checkpoint
from edge_effnet.network.weights.resolve import load, newest_checkpoint, resolve_weights
from edge_effnet.training import epochs as loop
from edge_effnet.training.checkpointing import read_state
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data import ImageLists, TrainingImages, list_images
from edge_effnet.training.epochs import Callbacks, Interrupted
from edge_effnet.training.initialize import make_optimizer
from edge_effnet.training.trainer import TrainingResult, resume, train
from edge_effnet.training.trainer_state import EpochRow
from tests.edge_effnet.training.conftest import SIDE

Run = Callable[..., TrainingResult]


@pytest.fixture(scope="session")
def config(colours: Path, tiny_file: Path) -> TrainConfig:
    """Everything random switched on."""
    return TrainConfig(
        data=str(colours),
        variant=str(tiny_file),
        weights="random",
        epochs=4,
        batch_size=8,
        learning_rate=1e-2,
        warmup_epochs=0.5,
        mixup=0.2,
        cutmix=0.5,
        ema=0.9,
        drop_connect=0.3,
        patience=0,
    )


def run(config: TrainConfig, folder: Path, **options: Any) -> TrainingResult:
    return train(config, folder, workers=2, **options)


@pytest.fixture(scope="session")
def finished(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """A run that nobody disturbed; never to be changed."""
    return run(config, tmp_path_factory.mktemp("runs") / "whole")


def same_states(one: Path, other: Path) -> None:
    ours, theirs = read_state(one / "last.state"), read_state(other / "last.state")
    for row, twin in zip(ours.progress.rows, theirs.progress.rows, strict=True):
        values = [replace(entry, seconds=0.0) for entry in (row, twin)]
        assert values[0] == values[1]
    for part in ("model", "optimizer"):
        for left, right in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_array_equal(left, right)


def test_a_run_leaves_its_files(finished: TrainingResult) -> None:
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {"config.json", "best.h5", "last.state", "history.csv", "curves.png"}
    assert [row.epoch for row in finished.rows] == [1, 2, 3, 4]
    with (finished.folder / "history.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [float(row["val_accuracy"]) for row in rows] == pytest.approx(
        [row.val_accuracy for row in finished.rows], rel=1e-4
    )
    plot = cv2.imread(str(finished.folder / "curves.png"))
    assert plot is not None
    assert len(np.unique(plot.reshape(-1, 3), axis=0)) > 10


def test_the_checkpoint_is_what_convert_finds(finished: TrainingResult, tiny: VariantSpec) -> None:
    assert newest_checkpoint(tiny, finished.folder.parent) == finished.checkpoint
    found = resolve_weights(tiny, "auto", runs=finished.folder.parent)
    assert found.labels == ("blue", "green", "red")
    assert found.resolution == SIDE
    metadata = peek(finished.checkpoint).metadata
    assert metadata is not None
    (step,) = metadata["steps"]
    assert step["step"] == "trained"
    assert step["config"]["seed"] == 0
    assert step["val_accuracy"] == finished.best.val_accuracy
    assert load(tiny, found).output_shape == (None, 3)


def test_the_checkpoint_knows_what_it_learned_from(
    finished: TrainingResult, config: TrainConfig, tiny: VariantSpec
) -> None:
    steps = resolve_weights(tiny, str(finished.checkpoint)).steps
    judged = leave_out_trained(load_dataset(Path(config.data)), steps)
    assert (judged.images, judged.trained, judged.held_out) == (48, 39, 9)
    val = list_images(config).val
    assert val is not None
    assert set(judged.dataset.samples) == set(val.samples)
    # Trained on from there with another seed, the same images are held out.
    later = list_images(replace(config, seed=5), steps)
    assert later.val is not None
    assert set(later.val.samples) == set(val.samples)


def test_the_checkpoint_has_the_averaged_weights(
    config: TrainConfig, tmp_path: Path, tiny: VariantSpec
) -> None:
    outcome = run(replace(config, epochs=1), tmp_path / "run")
    optimizer = read_state(tmp_path / "run" / "last.state").optimizer
    saved = load(tiny, resolve_weights(tiny, str(outcome.checkpoint)))
    kernel = np.asarray(saved.get_layer("stem_conv").kernel)
    average = optimizer[2]  # after the step and the learning rate
    np.testing.assert_array_equal(kernel, average)


def test_the_same_seed_gives_the_same_run(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    run(config, tmp_path / "twin")
    same_states(finished.folder, tmp_path / "twin")


def test_stopped_in_the_middle_and_resumed_is_the_same_run(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    folder, seen = tmp_path / "stopped", []

    def stop() -> bool:
        seen.append(1)
        return len(seen) == 9  # in the middle of the second epoch

    with pytest.raises(Interrupted):
        run(config, folder, callbacks=Callbacks(stop=stop))
    progress = read_state(folder / "last.state").progress
    assert (progress.epoch, progress.step) != (1, 0)
    assert not progress.finished
    outcome = resume(folder, workers=1)
    assert outcome.best.val_accuracy == finished.best.val_accuracy
    same_states(finished.folder, folder)


def test_a_run_of_version_0_1_goes_on(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        run(config, tmp_path, callbacks=Callbacks(stop=lambda: True))
    path = tmp_path / "last.state"
    stored = read_state(path)
    text = json.dumps(
        {
            "format": "edge-effnet training state",
            "version": 1,
            "about": stored.depends_on,
            "progress": asdict(stored.progress),
        }
    ).encode()
    path.unlink()
    with h5py.File(path, "w") as root:
        root["about"] = np.array([text[:1000], text[1000:]])
        for group in ("model", "optimizer"):
            for index, value in enumerate(getattr(stored, group)):
                root[f"{group}/{index}"] = value
    resume(tmp_path, workers=1)
    same_states(finished.folder, tmp_path)


def test_resuming_a_finished_run_does_nothing(finished: TrainingResult) -> None:
    said: list[str] = []
    before = (finished.folder / "last.state").stat().st_mtime_ns
    outcome = resume(finished.folder, workers=1, callbacks=Callbacks(say=said.append))
    assert "is finished" in said[0]
    assert outcome.rows == finished.rows
    assert (finished.folder / "last.state").stat().st_mtime_ns == before


def test_resume_with_another_config_says_which_field(
    finished: TrainingResult, config: TrainConfig
) -> None:
    other = replace(config, batch_size=16, learning_rate=0.5)
    with pytest.raises(UsageProblem) as caught:
        resume(finished.folder, config=other, workers=1)
    assert "batch-size was 8, now 16" in str(caught.value)
    assert "learning-rate was 0.01, now 0.5" in str(caught.value)


def test_a_damaged_state_is_refused(finished: TrainingResult, tmp_path: Path) -> None:
    for name in ("config.json", "last.state"):
        (tmp_path / name).write_bytes((finished.folder / name).read_bytes())
    content = (tmp_path / "last.state").read_bytes()
    (tmp_path / "last.state").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match="is damaged"):
        resume(tmp_path, workers=1)
    with pytest.raises(DataError, match="is not a training config"):
        resume(tmp_path / "nowhere", workers=1)


def test_fine_tuning_learns_the_head_first_and_early_stops(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path
) -> None:
    said: list[str] = []
    told: list[EpochRow] = []
    tuned = replace(
        config,
        weights=str(finished.checkpoint),
        optimizer="rmsprop",
        learning_rate=1e-8,
        class_weights=True,
        ema=0.0,
        patience=2,
        epochs=9,
        half=True,
    )
    outcome = run(
        tuned, tmp_path / "tuned", callbacks=Callbacks(say=said.append, on_epoch=told.append)
    )
    shown, known = said  # the labels are the same: of the classifier, which is kept, nothing
    assert "3 classes: " in shown
    assert "trained on 39 of 48 images" in known
    assert outcome.rows == tuple(told)
    assert outcome.rows[0].epoch == 0
    assert outcome.rows[0].gap is None
    # A learning rate of almost nothing: the first row that is best stays so.
    assert outcome.stopped_early
    assert len(outcome.rows) < 9
    with h5py.File(outcome.checkpoint) as file:
        assert file["stem_conv/stem_conv/kernel"].dtype == np.float16


def test_what_was_done_to_the_weights_before_is_kept(
    config: TrainConfig, tiny: VariantSpec, tmp_path: Path
) -> None:
    """A pruned checkpoint that is trained further was still pruned, resumed or not."""
    pruned = tmp_path / "pruned.h5"
    about = describe(tiny, resolution=SIDE, steps=[{"step": "pruned", "multiple": 8}])
    save_checkpoint(build(tiny, classes=2), pruned, about)
    tuned = replace(config, weights=str(pruned), head_epochs=0, epochs=2)
    with pytest.raises(Interrupted):
        run(tuned, tmp_path / "tuned", callbacks=Callbacks(stop=lambda: True))
    outcome = resume(tmp_path / "tuned", workers=1)
    assert outcome.best.epoch > 0  # written after the stop
    metadata = peek(outcome.checkpoint).metadata
    assert metadata is not None
    assert [step["step"] for step in metadata["steps"]] == ["pruned", "trained"]
    assert metadata["steps"][0]["multiple"] == 8


def test_other_classes_get_a_new_classifier(
    config: TrainConfig, finished: TrainingResult, tmp_path: Path, colours: Path
) -> None:
    for name in ("blue", "green"):
        (tmp_path / "data" / f"not-{name}").parent.mkdir(exist_ok=True)
        (tmp_path / "data" / f"not-{name}").symlink_to(colours / name)
    said: list[str] = []
    tuned = replace(config, data=str(tmp_path / "data"), weights=str(finished.checkpoint), epochs=0)
    outcome = run(tuned, tmp_path / "tuned", callbacks=Callbacks(say=said.append))
    assert "was made for 3 classes, the data has 2: the classifier is new" in said[-1]
    assert outcome.labels == ("not-blue", "not-green")
    assert outcome.best.epoch == 0
    assert outcome.best.val_accuracy > 0.8


def test_a_loss_that_is_no_number_stops_the_run(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates = loop.learning_rate

    def explode(step: int, **how: Any) -> float:
        return 1e30 if step >= 7 else rates(step, **how)

    monkeypatch.setattr(loop, "learning_rate", explode)
    with pytest.raises(EdgeEffnetError) as caught:
        run(replace(config, ema=0.0), tmp_path / "run")
    assert "NaN or infinity at step" in str(caught.value)
    assert "in epoch 2; best.h5 of epoch 1" in str(caught.value)
    assert "--learning-rate" in caught.value.fix
    assert read_state(tmp_path / "run" / "last.state").progress.epoch == 2
    assert peek(tmp_path / "run" / "best.h5").classes == 3


def test_a_full_disk_leaves_the_checkpoints_before_it(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    kept: dict[str, bytes] = {}

    def fill(row: EpochRow) -> None:
        if row.epoch == 2:
            kept.update({path.name: path.read_bytes() for path in folder.iterdir()})

            def full(_descriptor: int) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OutputError, match="No space left on device"):
        run(config, folder, callbacks=Callbacks(on_epoch=fill))
    monkeypatch.undo()
    assert (folder / "last.state").read_bytes() == kept["last.state"]
    assert peek(folder / "best.h5").classes == 3
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert read_state(folder / "last.state").progress.epoch == 3


def test_a_run_is_not_written_over(
    finished: TrainingResult, config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="already holds a run"):
        run(config, finished.folder)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        run(config, tmp_path / "file")


def test_changed_images_are_noticed(config: TrainConfig, tmp_path: Path, colours: Path) -> None:
    import shutil

    shutil.copytree(colours, tmp_path / "data")
    once = {"stop": iter([True])}
    changed = replace(config, data=str(tmp_path / "data"))
    with pytest.raises(Interrupted):
        run(changed, tmp_path / "run", callbacks=Callbacks(stop=lambda: next(once["stop"], False)))
    (tmp_path / "data" / "red" / "0.png").unlink()
    with pytest.raises(UsageProblem, match="images were added, removed or replaced"):
        resume(tmp_path / "run", workers=1)
    shutil.copytree(colours / "red", tmp_path / "data" / "yellow")
    with pytest.raises(UsageProblem, match="4 classes in the data, 3 in the run"):
        resume(tmp_path / "run", workers=1)


def test_class_weights_balance() -> None:
    labels = np.repeat(np.arange(3), (10, 30, 60))
    source = ImagesInMemory(tuple(np.zeros((len(labels), 1, 1, 3), np.uint8)), labels)
    lists = ImageLists("", ("a", "b", "c"), None, None, "")
    weights = TrainingImages(lists, source, source).balancing_weights
    np.testing.assert_allclose(weights * [10, 30, 60], 100 / 3)


def test_rmsprop_is_the_papers(config: TrainConfig) -> None:
    keras = keras_module()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    optimizer = make_optimizer(model, replace(config, optimizer="rmsprop", ema=0.0))
    assert (optimizer.rho, optimizer.momentum, optimizer.epsilon) == (0.9, 0.9, 1e-3)
    assert not optimizer.use_ema


def test_the_average_forgets_its_beginning(config: TrainConfig) -> None:
    keras = keras_module()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    optimizer = make_optimizer(model, replace(config, ema=0.999, weight_decay=0.0))
    model.compile(optimizer, loss="mse", jit_compile=False)
    average, _ = optimizer._model_variables_moving_average
    expected = np.asarray(model.layers[0].kernel)
    np.testing.assert_array_equal(np.asarray(average), expected)
    for step in range(5):
        optimizer.learning_rate = 0.1
        model.train_on_batch(np.ones((4, 4), np.float32), np.zeros((4, 2), np.float32))
        value, decay = np.asarray(model.layers[0].kernel), (1 + step) / (10 + step)
        expected = decay * expected + (1 - decay) * value
    np.testing.assert_allclose(np.asarray(average), expected, rtol=1e-5)
