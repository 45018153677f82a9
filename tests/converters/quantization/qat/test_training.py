"""Training learns, and an interrupted one ends as if nothing had happened."""

import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from converters.calibration.ranges import Ranges
from converters.quantization.qat.batches import Batches
from converters.quantization.qat.config import QatConfig
from converters.quantization.qat.training import Trained, answer_loss, train
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from edge_effnet.errors import UsageProblem
from tests.converters.conftest import TinyModel, signal_to_noise

CONFIG = QatConfig(steps=12, batch=4, save_every=2, range_rate=0.08, bias_rate=0.05)

# Trains the model in a folder (first argument) with a state file (second) and dies one step
# behind its last state.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from converters.calibration.representative import Calibration
from converters.quantization.qat.config import QatConfig
from converters.quantization.qat.training import train
from edge_effnet.image.preprocessing import Preprocess

def kill(done, steps):
    if done == 5:
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
stored = json.loads((folder / "ranges.json").read_text())
ranges = {{name: tuple(ends) for name, ends in stored.items()}}
train((folder / "mini.tflite").read_bytes(), ranges, {calibration}, {config},
        state=Path(sys.argv[2]), progress=kill)
"""


@pytest.fixture(scope="module")
def trained(mini: TinyModel, clipping: Ranges) -> Trained:
    return train(mini.model, clipping, mini.calibration, CONFIG)


def test_training_brings_the_answers_nearer_to_floats(
    mini: TinyModel, clipping: Ranges, trained: Trained
) -> None:
    images = list(mini.calibration.inputs())
    expected = logits(mini.model, mini.structure, images, workers=1)

    def decibels(model: bytes, ranges: Ranges) -> float:
        small = quantize(model, RECIPES["int8"], ranges, "int8")
        return signal_to_noise(expected, logits(small, mini.structure, images, workers=1))

    before, after = decibels(mini.model, clipping), decibels(trained.model, trained.ranges)
    assert after > before + 1
    assert len(trained.losses) == 12
    assert trained.ranges.keys() == mini.ranges.keys()


def test_a_killed_run_ends_with_the_same_bits(
    mini: TinyModel, clipping: Ranges, mini_folder: Path, trained: Trained, tmp_path: Path
) -> None:
    state = tmp_path / "mini.state"
    script = KILLED.format(config=CONFIG, calibration=mini.calibration)
    killed = subprocess.run(
        [sys.executable, "-c", script, mini_folder, state],
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert state.is_file()
    steps: list[int] = []

    def go_on() -> Trained:
        steps.clear()
        return train(
            mini.model,
            clipping,
            mini.calibration,
            CONFIG,
            state=state,
            progress=lambda done, _: steps.append(done),
        )

    again = go_on()
    assert steps == list(range(5, 13))  # the fifth was done, but behind the last state
    assert again.model == trained.model
    assert again.ranges == trained.ranges
    assert again.losses == trained.losses
    # What was learned is kept: the next time there is nothing left to train.
    once_more = go_on()
    assert steps == []
    assert once_more.model == trained.model
    assert once_more.ranges == trained.ranges


def test_a_state_of_another_run_or_a_damaged_one_is_not_taken_over(
    mini: TinyModel, tmp_path: Path
) -> None:
    state, steps = tmp_path / "a.state", list[int]()

    def learn(seed: int) -> list[int]:
        steps.clear()
        train(
            mini.model,
            mini.ranges,
            mini.calibration,
            replace(CONFIG, steps=1, seed=seed),
            state=state,
            progress=lambda done, _: steps.append(done),
        )
        return steps

    assert learn(seed=0) == [1]
    assert learn(seed=0) == []
    assert learn(seed=1) == [1]
    state.write_bytes(state.read_bytes()[:100])
    assert learn(seed=1) == [1]


def test_batches_derive_from_seed_and_step_alone(mini: TinyModel) -> None:
    batches = Batches(mini.model, mini.calibration, CONFIG)
    images, answers = batches.batch(4)
    same = Batches(mini.model, mini.calibration, CONFIG).batch(4)
    assert (images == same[0]).all()
    assert (answers == same[1]).all()
    other = Batches(mini.model, mini.calibration, replace(CONFIG, seed=1)).batch(4)
    assert (images != other[0]).any()
    # What is asked for is float's answer to the very image that is shown.
    expected = logits(mini.model, mini.structure, list(images), workers=1)
    assert answers == pytest.approx(expected, abs=1e-5)


def test_labels_come_beside_floats_answers(mini: TinyModel) -> None:
    labels = [index % 10 for index in range(len(mini.calibration))]
    _, answers = Batches(mini.model, mini.calibration, CONFIG, labels).batch(0)
    assert answers.shape == (4, 20)
    assert (answers[:, 10:].sum(axis=1) == 1).all()


def test_labels_alone_are_their_cross_entropy() -> None:
    loss = answer_loss(QatConfig(label_weight=1.0))
    ours = np.log(np.array([[0.5, 0.25, 0.25]], np.float32))
    expected = np.array([[9, 9, 9, 0, 1, 0]], np.float32)
    assert float(loss(expected, ours)[0]) == pytest.approx(-np.log(0.25))


def test_answers_like_floats_cost_nothing_and_larger_logits_no_more() -> None:
    loss = answer_loss(QatConfig())
    teacher = np.array([[1.0, 2.0, 5.0]], np.float32)
    assert float(loss(teacher, teacher)[0]) == pytest.approx(0, abs=1e-6)
    assert float(loss(teacher, teacher + 7)[0]) == pytest.approx(0, abs=1e-5)
    assert float(loss(teacher, teacher * 0.9)[0]) > 1e-3


@pytest.mark.parametrize(
    "change",
    [{"steps": 0}, {"kernel_rate": -1}, {"label_weight": 1.5}, {"min_crop": float("nan")}],
)
def test_settings_out_of_range_are_refused(change: dict[str, float]) -> None:
    with pytest.raises(UsageProblem, match=next(iter(change))):
        replace(CONFIG, **change)
