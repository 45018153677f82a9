"""``train --progressive``: images that grow, and the same run after a stop in any of its stages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.errors import UsageProblem
from edge_effnet.network.backend import keras_module
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.data.augment import augment, plan_mix
from edge_effnet.training.epochs import Callbacks, in_vain
from edge_effnet.training.image_sizes.sized_network import network_at
from edge_effnet.training.image_sizes.stages import stage_at, stages_of, steps_before
from edge_effnet.training.run_folder.checkpointing import read_state
from edge_effnet.training.trainer import resume
from tests.edge_effnet.training.conftest import run, run_and_stop, same_states

GROWING = TrainConfig(data="photos", progressive="96:160:224", epochs=8)


def test_stages_have_equal_numbers_of_epochs_and_rising_strength() -> None:
    stages = stages_of(GROWING, 224, 10_000)
    assert [(one.first_epoch, one.last_epoch, one.side) for one in stages] == [
        (1, 2, 96),
        (3, 5, 160),
        (6, 8, 224),
    ]
    assert [one.strength for one in stages] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [one.mixing for one in stages] == [0, 0.5, 1]
    assert [stage_at(stages, epoch).side for epoch in (1, 2, 3, 8, 9)] == [96, 96, 160, 224, 224]
    assert steps_before(stages, 4) == 2 * stages[0].steps + stages[1].steps


def test_a_batch_of_small_images_holds_more_of_them_unless_it_is_given() -> None:
    stages = stages_of(GROWING, 224, 10_000)
    assert [one.batch_size for one in stages] == [128, 63, 32]  # four times as many at most
    assert [one.rate for one in stages] == pytest.approx([2, (63 / 32) ** 0.5, 1])
    few = stages_of(GROWING, 224, 900)
    assert [one.batch_size for one in few] == [32, 32, 32]  # else an epoch had few steps
    told = stages_of(replace(GROWING, batch_size=16), 224, 10_000)
    assert {one.batch_size for one in told} == {16}


def test_without_sizes_there_is_one_stage() -> None:
    (only,) = stages_of(TrainConfig(data="photos", epochs=5), 224, 100)
    assert (only.side, only.batch_size, only.steps, only.rate) == (224, 32, 4, 1)
    assert (only.strength, only.mixing) == (1, 1)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"progressive": "224"}, "'224'; expected two or more sides"),
        ({"progressive": "224:96"}, "sides in pixels that rise"),
        ({"progressive": "96:96"}, "sides in pixels that rise"),
        ({"progressive": "8:96"}, "16 to 1024"),
        ({"progressive": "96:x"}, "'96:x'"),
        ({"progressive": "96:160", "resolution": 224}, "--resolution 224 and --progressive"),
        ({"progressive": "32:64:96", "epochs": 2}, "3 sizes and 2 epochs"),
    ],
)
def test_sizes_that_cannot_be_are_refused(values: dict[str, Any], found: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        TrainConfig(**({"data": "photos"} | values))
    assert found in str(caught.value)


def test_weaker_augmentation_changes_an_image_less() -> None:
    photo = np.full((40, 40, 3), 120, np.uint8)
    for kind in ("light", "randaugment"):
        config = TrainConfig(data="photos", augment=kind, flip=False, min_crop=1)

        def change(strength: float, config: TrainConfig = config) -> float:
            made = [
                augment(photo, config, 40, np.random.default_rng(seed), strength).astype(float)
                for seed in range(40)
            ]
            return float(np.abs(np.stack(made) - 120).mean())

        assert change(1 / 3) < 0.7 * change(1.0)
    config = TrainConfig(data="photos", mixup=0.2)
    assert plan_mix(2, 40, config, np.random.default_rng(0), strength=0) is None


def test_the_network_at_another_size_has_the_same_variables(config: TrainConfig) -> None:
    from edge_effnet.architecture.files import find_variant
    from edge_effnet.network.build import build

    spec = find_variant(config.variant)
    model = build(spec, classes=3, resolution=32, classifier_activation=None)
    first = stages_of(replace(config, progressive="16:32"), 32, 100)[0]
    small = network_at(model, first)
    assert small.input_shape == (None, 16, 16, 3)
    own = {id(variable) for variable in model.variables}
    assert own == {id(variable) for variable in small.trainable_variables} | {
        id(variable) for variable in model.non_trainable_variables
    }
    assert small.get_layer("top_dropout").rate == pytest.approx(spec.dropout / 3)
    pixels = np.full((2, 16, 16, 3), 9, np.float32)
    assert np.isfinite(keras_module().ops.convert_to_numpy(small(pixels))).all()


def test_stopped_in_the_first_stage_and_resumed_is_the_same_run(
    config: TrainConfig, tmp_path: Path
) -> None:
    """In the second one two workers are stopped: see ``cluster/test_groups.py``."""
    growing = replace(config, progressive="16:32", epochs=3)
    said: list[str] = []
    whole = run(growing, tmp_path / "whole", callbacks=Callbacks(say=said.append))
    assert "images grow: 1 epoch at 16 px (batch 8), 2 epochs at 32 px (batch 8)" in said[-1]
    assert whole.resolution == 32
    folder = tmp_path / "stopped"
    run_and_stop(growing, folder, asked=3)
    progress = read_state(folder / "last.state").progress
    assert (progress.epoch, progress.step) == (1, 3)
    resume(folder, workers=1)
    same_states(whole.folder, folder)


def test_epochs_without_a_better_one_count_at_the_last_size_alone() -> None:
    stages = stages_of(GROWING, 224, 10_000)  # the last begins with epoch 6
    assert [in_vain(epoch, 1, stages) for epoch in (2, 5, 6, 8)] == [-3, 0, 1, 3]
    assert in_vain(8, 7, stages) == 1
    still = stages_of(TrainConfig(data="photos", epochs=8), 224, 100)
    assert [in_vain(epoch, 1, still) for epoch in (2, 5)] == [1, 4]
    assert in_vain(3, None, still) == 3
