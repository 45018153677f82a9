"""What a finished run leaves in its folder, and what its checkpoint tells."""

from __future__ import annotations

import csv
import shutil
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.division.trained_on import leave_out_trained
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import OutputError
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.network.weights.resolve import load, newest_checkpoint, resolve_weights
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.lists import list_images
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import SIDE, run


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
    assert load(found).output_shape == (None, 3)


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
    saved = load(resolve_weights(tiny, str(outcome.checkpoint)))
    kernel = np.asarray(saved.get_layer("stem_conv").kernel)
    average = optimizer[2]  # after the step and the learning rate
    np.testing.assert_array_equal(kernel, average)


def test_a_history_that_a_kill_left_behind_its_state_is_written_again(
    finished: TrainingResult, tmp_path: Path
) -> None:
    """The state comes first: a kill may come before the row of its epoch."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    history = folder / "history.csv"
    history.write_text("".join(history.read_text().splitlines(keepends=True)[:-1]))
    resume(folder, workers=2)
    assert history.read_text() == (finished.folder / "history.csv").read_text()


def test_a_run_is_not_written_over(
    finished: TrainingResult, config: TrainConfig, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="already holds a run"):
        run(config, finished.folder)
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file"):
        run(config, tmp_path / "file")
