"""A run that goes on from another one with more images."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest

from edge_effnet.data.division.near_duplicates import find_copies
from edge_effnet.data.division.prints import prints_of
from edge_effnet.data.division.trained_on import records
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.epochs import Callbacks
from edge_effnet.training.follow_up import follow_up_config
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import run, run_and_stop, same_states


@pytest.fixture(scope="session")
def more(colours: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The images of ``finished``, eight more green ones, and a class whose name comes first."""
    folder = shutil.copytree(colours, tmp_path_factory.mktemp("more") / "colours")
    random = np.random.default_rng(5)
    (folder / "amber").mkdir()
    for number in range(16):
        pixels = random.integers(0, 90, (40, 48, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / "amber" / f"{number}.png"), pixels + np.uint8([0, 90, 160]))
        if number < 8:
            green = pixels + np.uint8([0, 120, 0])
            assert cv2.imwrite(str(folder / "green" / f"new-{number}.png"), green)
    return folder


@pytest.fixture(scope="session")
def following(finished: TrainingResult, more: Path) -> TrainConfig:
    given = {"previous": str(finished.folder), "data": str(more), "epochs": 2, "mixup": 0.0}
    return follow_up_config({**given, "learning_rate": 1e-2})


@pytest.fixture(scope="session")
def followed(following: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    """Never to be changed."""
    return run(following, tmp_path_factory.mktemp("runs") / "followed")


def test_the_rate_after_random_weights_is_that_of_the_batch_of_now(
    config: TrainConfig, tmp_path: Path
) -> None:
    old = replace(config, learning_rate=None, batch_size=32)
    CONFIG_FILE.write(tmp_path, old)
    given = {"previous": str(tmp_path), "data": config.data}
    assert follow_up_config(given).learning_rate == old.peak_learning_rate == 0.002
    smaller = follow_up_config({**given, "batch_size": 8})
    assert smaller.learning_rate == old.peak_learning_rate / 4


def test_the_config_is_that_of_the_run_but_for_how_it_begins(
    config: TrainConfig, following: TrainConfig
) -> None:
    assert (following.batch_size, following.cutmix, following.ema) == (8, 0.5, 0.9)
    assert (following.epochs, following.mixup) == (2, 0.0)  # as given
    assert (config.weights, following.weights) == ("random", "auto")


def test_what_the_run_before_was_told_of_its_beginning_is_not_taken_over(
    finished: TrainingResult, followed: TrainingResult, tmp_path: Path
) -> None:
    """However many runs follow each other: 4 and 2 epochs at 0.01 were asked of these two."""
    assert (finished.config.epochs, finished.config.learning_rate) == (4, 1e-2)
    told = {"epochs": 1, "learning_rate": 0.001, "batch_norm": "frozen", "warmup_epochs": 0.0}
    short = run(replace(followed.config, **told), tmp_path / "short")
    for old in (finished, followed, short):
        given = {"previous": str(old.folder)}
        config = follow_up_config(given)
        assert (config.epochs, config.learning_rate) == (20, 0.002 * 8 / 32)
        assert (config.warmup_epochs, config.freezes_batch_norm) == (1.0, False)
        assert (config.ema, config.cutmix) == (0.9, 0.5)
        config = follow_up_config({**given, **told})
        assert {name: getattr(config, name) for name in told} == told


def test_after_other_weights_it_is_fine_tuned(
    finished: TrainingResult, more: Path, tmp_path: Path
) -> None:
    weights = {"weights": str(finished.checkpoint), "learning_rate": 0.01, "epochs": 0}
    first = run(replace(finished.config, **weights), tmp_path / "first")
    second = run(
        follow_up_config({"previous": str(first.folder), "data": str(more), "epochs": 0}),
        tmp_path / "second",
    )
    shutil.rmtree(first.folder)  # the checkpoint says how the network had begun
    config = follow_up_config({"previous": str(second.folder)})
    assert (config.epochs, config.learning_rate) == (None, None)
    assert (config.chosen_epochs, config.freezes_batch_norm) == (8, True)


def test_old_classes_stay_first_and_old_images_on_their_side(
    finished: TrainingResult, followed: TrainingResult
) -> None:
    assert followed.labels == ("blue", "green", "red", "amber")
    before, now = (
        records((peek(result.checkpoint).metadata or {})["steps"])
        for result in (finished, followed)
    )
    assert len(now) == 2  # the first is that of the run before
    for side in ("trained", "held_out"):
        old, new = (getattr(known[-1], side).content for known in (before, now))
        assert set(old) <= set(new)
    assert not set(now[-1].trained.content) & set(now[-1].held_out.content)


def test_both_networks_are_compared_on_the_same_images(
    finished: TrainingResult, followed: TrainingResult
) -> None:
    against = followed.against
    assert against is not None
    assert against.new == ("amber",)
    assert against.every.images == 3 * 3 + 2 + 3  # as before, new green ones, amber ones
    assert (against.known.images, against.known.before) == (11, against.every.before)
    assert against.every.now == round(followed.best.val_accuracy * against.every.images)
    kept = json.loads((followed.folder / "compared.json").read_text())
    assert kept["format"] == "edge-effnet/compared"
    assert kept["run"] == str(finished.folder)
    assert kept["epoch_chosen_on_these_images"] is True
    metadata = peek(followed.checkpoint).metadata or {}
    assert metadata["steps"][-1]["before"] == against.to_json("run")


def test_the_classifier_keeps_its_classes(
    finished: TrainingResult, following: TrainConfig, tmp_path: Path
) -> None:
    """Before the first step the network answers of old classes as it did."""
    result = run(replace(following, epochs=0), tmp_path / "run")
    assert result.against is not None
    assert not result.against.epoch_chosen_on_these_images
    heads = []
    for path in (finished.checkpoint, result.checkpoint):
        with h5py.File(path) as file:
            group = file["predictions/predictions"]
            heads.append((np.asarray(group["kernel"]), np.asarray(group["bias"])))
    (old_kernel, old_bias), (kernel, bias) = heads
    np.testing.assert_array_equal(kernel[:, :3], old_kernel)
    np.testing.assert_array_equal(bias[:3], old_bias)
    assert np.abs(kernel[:, 3]).max() > 0


def test_the_run_before_is_not_changed(finished: TrainingResult, following: TrainConfig) -> None:
    with pytest.raises(UsageProblem, match="belongs to the run that this one would replace"):
        run(following, finished.folder, overwrite=True)


def test_stopped_and_resumed_is_the_same_run_without_the_run_before(
    finished: TrainingResult, following: TrainConfig, tmp_path: Path
) -> None:
    old = shutil.copytree(finished.folder, tmp_path / "old")
    config = replace(following, previous=str(old))
    whole = run(config, tmp_path / "whole")
    run_and_stop(config, tmp_path / "stopped", asked=3)
    assert not read_state(tmp_path / "stopped" / "last.state").progress.finished
    shutil.rmtree(old)
    result = resume(tmp_path / "stopped", workers=1)
    same_states(whole.folder, tmp_path / "stopped")
    assert result.against == whole.against
    again = resume(tmp_path / "stopped", workers=1)
    assert again.against == whole.against


def test_a_second_follow_up_knows_what_both_runs_used(
    followed: TrainingResult, following: TrainConfig, more: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    config = follow_up_config({"previous": str(followed.folder), "epochs": 0})
    assert config.data == str(more)
    run(config, tmp_path / "run", callbacks=Callbacks(say=said.append))
    assert any("new: 0 to learn from, 0 to validate on" in line for line in said)
    assert following.previous != config.previous


def test_what_cannot_be_gone_on_from(finished: TrainingResult, more: Path, tmp_path: Path) -> None:
    def refused(folder: Path, match: str, **given: object) -> None:
        with pytest.raises((DataError, UsageProblem), match=match):
            run(
                follow_up_config({"previous": str(folder), "data": str(more), **given}),
                tmp_path / "run",
            )
        assert not (tmp_path / "run").exists()

    refused(tmp_path / "nowhere", "is not the folder of a training run; found nothing there")
    refused(finished.checkpoint, "is not the folder of a training run; found a file")
    refused(more, r"is not the folder of a training run; found no config.json in it")
    refused(finished.folder, "--variant b1, while", variant="b1")
    refused(finished.folder, "--resolution 64, while .* has 32", resolution=64)
    refused(finished.folder, "--progressive 16:64, while .* end it with 32", progressive="16:64")
    refused(finished.folder, "--from begins with the weights of its run", weights="imagenet")
    refused(finished.folder, "--from is for images in files", data="signs")
    unfinished = tmp_path / "unfinished"
    CONFIG_FILE.write(unfinished, CONFIG_FILE.read(finished.folder))
    refused(unfinished, "has no weights to go on from; found no best.h5")


def test_classes_without_images_are_named(
    finished: TrainingResult, colours: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(colours, tmp_path / "data")
    shutil.rmtree(folder / "green")
    config = follow_up_config({"previous": str(finished.folder), "data": str(folder)})
    with pytest.raises(DataError, match=r"has no images of classes that .* knows; found 'green'"):
        run(config, tmp_path / "run")


def test_every_class_needs_images_to_learn_from(
    finished: TrainingResult, colours: Path, tmp_path: Path
) -> None:
    """As without --from: three of a new class do not do, nor do three that it learned from."""
    (learned,) = (
        one.trained for one in records((peek(finished.checkpoint).metadata or {})["steps"])
    )
    folder = shutil.copytree(colours, tmp_path / "data")
    (folder / "amber").mkdir()
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 48, 3), dtype=np.uint8)
        assert cv2.imwrite(str(folder / "amber" / f"{number}.png"), pixels)
    config = follow_up_config({"previous": str(finished.folder), "data": str(folder)})
    fix = f"add images of other moments, or put back those that {finished.folder} learned from"
    with pytest.raises(
        DataError, match="too few images to learn from; found 3 of 'amber'"
    ) as error:
        run(config, tmp_path / "run")
    assert error.value.fix == fix
    assert f"what {finished.folder} held out stays held out" in str(error.value)
    shutil.rmtree(folder / "amber")
    paths = sorted((folder / "green").iterdir())
    known = find_copies(prints_of(paths), learned) >= 0
    for path in [path for path, one in zip(paths, known, strict=True) if one][3:]:
        path.unlink()
    with pytest.raises(DataError, match="too few images to learn from; found 3 of 'green'"):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_checkpoint_that_does_not_say_its_images(
    finished: TrainingResult, following: TrainConfig, tmp_path: Path
) -> None:
    """As version 0.1 wrote them."""
    old = shutil.copytree(finished.folder, tmp_path / "old")
    with h5py.File(old / "best.h5", "r+") as file:
        (name,) = [one for one in file.attrs if one.startswith("edge")]
        metadata = json.loads(b"".join(file.attrs[name]))
        del metadata["steps"][-1]["data"]["images"]
        file.attrs[name] = np.array([json.dumps(metadata).encode()])
    with pytest.raises(DataError, match=r"best.h5 does not say which images it used"):
        run(replace(following, previous=str(old)), tmp_path / "run")
