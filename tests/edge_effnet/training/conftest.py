"""A network so small that it trains in seconds, images it can learn, and whole runs of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import BlockSpec, VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import Callbacks, Interrupted
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.run_folder.result import TrainingResult
from edge_effnet.training.trainer import train

SIDE = 32


@pytest.fixture(scope="session")
def tiny() -> VariantSpec:
    """Two blocks in the style of B0, with dropout and a skip: every random stream is in use."""
    blocks = (
        BlockSpec("block1a", "mbconv", 3, 2, 8, 16, 4, 8, expand=True, skip=False),
        BlockSpec("block1b", "mbconv", 3, 1, 8, 16, 4, 8, expand=True, skip=True),
    )
    return replace(
        VARIANTS["b0"],
        name="tiny",
        blocks=blocks,
        stem_width=8,
        head_width=16,
        dropout=0.1,
        resolution=SIDE,
        official_weights=None,
        published=None,
    )


@pytest.fixture(scope="session")
def tiny_file(tiny: VariantSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variant") / "tiny.json"
    write_variant(path, tiny)
    return path


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per colour, 16 noisy images each; never to be changed."""
    return draw_colours(tmp_path_factory.mktemp("colours"), 16)


def draw_colours(folder: Path, count: int, seed: int = 3) -> Path:
    random = np.random.default_rng(seed)
    for place, colour in enumerate(("blue", "green", "red")):
        (folder / colour).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 90, (40, 48, 3), dtype=np.uint8)
            pixels[:, :, place] += np.uint8(120)
            assert cv2.imwrite(str(folder / colour / f"{number}.png"), pixels)
    return folder


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


def run_and_stop(config: TrainConfig, folder: Path, asked: int = 1) -> None:
    """A run that is stopped the ``asked``-th time it asks: after each batch and each epoch."""
    answers = (number == asked for number in itertools.count(1))
    with pytest.raises(Interrupted):
        run(config, folder, callbacks=Callbacks(stop=lambda: next(answers)))


def same_states(one: Path, other: Path) -> None:
    ours, theirs = read_state(one / "last.state"), read_state(other / "last.state")
    for row, twin in zip(ours.progress.rows, theirs.progress.rows, strict=True):
        values = [replace(entry, seconds=0.0) for entry in (row, twin)]
        assert values[0] == values[1]
    for part in ("model", "optimizer"):
        for left, right in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_array_equal(left, right)
