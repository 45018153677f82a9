from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import Field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.steps.schedule import batch_norm_momentum, learning_rate


def test_json_gives_the_same_config_back(tmp_path: Path) -> None:
    config = TrainConfig(
        data="photos", epochs=3, learning_rate=1, augment="randaugment", flip=False, ema=0.99
    )
    CONFIG_FILE.write(tmp_path, config)
    assert CONFIG_FILE.read(tmp_path) == CONFIG_FILE.read(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"format": "another"}, "another kind"),
        ({"version": 2}, "version 2"),
        ({"speed": 1}, "unknown fields speed"),
        ({"epochs": "three"}, "epochs: 'three' is no int"),
        ({"epochs": 1.5}, "epochs: 1.5 is no int"),
        ({"half": 1}, "half: 1 is no bool"),
        ({"patience": None}, "patience: None is no int"),
        ({"data": 5}, "data: 5 is no str"),
        ({"optimizer": 5}, "optimizer: 5 is none of adamw, rmsprop"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, Any], found: str) -> None:
    raw = TrainConfig(data="photos").to_json() | change
    with pytest.raises(DataError) as caught:
        CONFIG_FILE.from_json(raw, "config.json")
    assert found in str(caught.value)


def test_a_value_out_of_range_in_a_file_says_so() -> None:
    raw = TrainConfig(data="photos").to_json() | {"epochs": -1}
    with pytest.raises(UsageProblem, match="--epochs is out of range"):
        CONFIG_FILE.from_json(raw, "config.json")


def test_a_config_without_data_is_none() -> None:
    raw = TrainConfig(data="photos").to_json()
    del raw["data"]
    with pytest.raises(DataError, match="data"):
        CONFIG_FILE.from_json(raw, "config.json")


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_a_file_that_is_no_config(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(DataError, match="is not a training config"):
        CONFIG_FILE.read(tmp_path)


@pytest.mark.parametrize(
    "values",
    [
        {"val_share": 1.0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"epochs": -1},
        {"resolution": 8},
        {"label_smoothing": 1.0},
        {"ema": 1.0},
        {"optimizer": "sgd"},
        {"augment": "heavy"},
        {"data": "signs", "val": "photos"},
        {"weights": "random", "batch_norm": "frozen"},
        {"learning_rate": float("nan")},
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem):
        TrainConfig(**({"data": "photos"} | values))


def test_choices_follow_from_data_and_weights() -> None:
    photos, signs = TrainConfig(data="photos"), TrainConfig(data="signs", weights="random")
    assert (photos.flips, photos.freezes_batch_norm, photos.chosen_augment) == (True, True, "light")
    assert (signs.flips, signs.freezes_batch_norm, signs.chosen_augment) == (False, False, "none")
    assert photos.learns_head
    assert not signs.learns_head
    assert signs.peak_learning_rate > photos.peak_learning_rate
    assert replace(photos, batch_size=64).peak_learning_rate == 2 * photos.peak_learning_rate
    paper = TrainConfig(data="signs", weights="random", optimizer="rmsprop", batch_size=4096)
    assert paper.peak_learning_rate == pytest.approx(0.256)


@pytest.mark.parametrize("entry", fields(TrainConfig), ids=lambda entry: entry.name)
def test_every_field_says_what_it_means(entry: Field[Any]) -> None:
    assert entry.metadata["option"].text


def test_the_learning_rate_rises_then_falls() -> None:
    rates = [learning_rate(s, peak=1.0, total_steps=100, warmup_steps=10) for s in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == max(rates) == 1.0
    assert all(one > other > 0 for one, other in pairwise(rates[10:]))
    assert rates[-1] < 0.01
    assert rates[55] == pytest.approx(0.5)


def test_a_run_shorter_than_its_warm_up_still_falls_in_the_end() -> None:
    rates = [learning_rate(s, peak=1.0, total_steps=3, warmup_steps=10) for s in range(3)]
    assert rates == [0.5, 1.0, 1.0]
    assert learning_rate(0, peak=1.0, total_steps=1, warmup_steps=5) == 1.0


def test_short_epochs_have_a_quick_batch_norm() -> None:
    assert batch_norm_momentum(0.99, 10_000) == 0.99
    assert batch_norm_momentum(0.99, 100) == pytest.approx(0.92)
    assert batch_norm_momentum(0.99, 5) == 0.8


def test_configs_are_plain_json() -> None:
    assert json.loads(json.dumps(TrainConfig(data="x").to_json()))["data"] == "x"


@pytest.mark.parametrize("command", ["edge_effnet.commands.train", "converters.commands.prune"])
def test_help_reads_no_arrays_and_no_images(command: str) -> None:
    code = f"import sys, {command}; sys.exit(bool({{'numpy', 'cv2', 'keras'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("epochs", "learns"), [(0, False), (10, True), (None, True)])
def test_a_config_of_version_0_2_is_read(epochs: int | None, learns: bool) -> None:
    old = CONFIG_FILE.to_json(TrainConfig(data="photos"))
    del old["learn_head"]
    config = CONFIG_FILE.from_json({**old, "head_epochs": epochs}, "config.json")
    assert config.learns_head == learns
