"""Quantization-aware training: from a float model and ranges to better weights and ranges."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from converters.calibration.ranges import Ranges
from converters.calibration.representative import Calibration
from converters.quantization.qat.batches import Batches
from converters.quantization.qat.config import QatConfig
from converters.quantization.qat.fake_quant import keras, ops
from converters.quantization.qat.simulation import Simulation, simulate
from converters.quantization.recipes import RECIPES, QuantRecipe
from converters.tflite_graph.graph import FloatGraph, Weights, read_graph, write_weights
from edge_effnet.errors import DataError, ModelError
from edge_effnet.runs import RunState, fingerprint, read_state, write_state
from edge_effnet.stages import OnProgress

Loss = Callable[[Any, Any], Any]

_WARMUP = 0.15  # of all steps
_QUIET = 1e-3  # power of logits that say nothing


@dataclass(frozen=True)
class Trained:
    """What training gave.

    Attributes:
        model: the float model with trained weights, kernels on their int8 grid.
        ranges: of every activation, for the quantizer.
        losses: of each step.
        seconds: of this run; a resumed one counts from its resumption.
    """

    model: bytes
    ranges: Ranges
    losses: tuple[float, ...]
    seconds: float


def train(
    model: bytes,
    ranges: Ranges,
    calibration: Calibration,
    config: QatConfig = QatConfig(),  # noqa: B008 (frozen)
    *,
    recipe: QuantRecipe = RECIPES["int8"],
    biases: dict[str, Any] | None = None,
    labels: Sequence[int] | None = None,
    state: Path | None = None,
    progress: OnProgress = lambda _done, _all: None,
) -> Trained:
    """Train until the int8 file answers like float.

    Args:
        model: float, built-in operators only.
        ranges: of every activation, to start from.
        recipe: full integer, of the file to be made.
        biases: to start from instead of the model's, by the name of the layer's output.
        labels: class index of each calibration image, needed by a ``label_weight``.
        state: file that keeps an interrupted run, and in the end what was learned; taken over
            when it belongs to the same inputs.
        progress: told (steps done, steps in all).

    Raises:
        ModelError: see ``read_graph``; or training diverged.
        DataError: an image cannot be read.
        OutputError: the state cannot be written.
        MissingExtra: Keras is not installed.
    """
    began = time.monotonic()
    graph = read_graph(model)
    layers = dict(graph.layers)
    for name, bias in (biases or {}).items():
        layers[name] = Weights(layers[name].kernel, bias)
    start = FloatGraph(**{**vars(graph), "layers": layers})
    batches = Batches(model, calibration, config, labels if config.label_weight else None)
    simulation = simulate(start, ranges, config, recipe)
    compile_simulation(simulation, config, batches.steps)
    key = fingerprint(
        model,
        *(layers[name].bias for name in sorted(layers)),
        (sorted(ranges.items()), calibration.sha256(), config, recipe, labels),
    )
    losses = _restore(simulation, state, key)
    trainer = simulation.model
    for step, (images, answers) in enumerate(batches.from_step(len(losses)), start=len(losses)):
        trainer.reset_metrics()
        loss = float(trainer.train_on_batch(images, answers))
        if not np.isfinite(loss):
            raise ModelError(
                "quantization-aware training diverged",
                found=f"loss {loss} at step {step + 1}",
                expected="a finite loss",
                fix="check the model's answers to the calibration images",
            )
        losses.append(loss)
        progress(step + 1, batches.steps)
        if state is not None and (step + 1) % config.save_every == 0:
            write_state(state, _state(key, losses, trainer, with_optimizer=True))
    if state is not None:
        # Without the optimizer: who comes back with another limit need not train again.
        write_state(state, _state(key, losses, trainer, with_optimizer=False))
    return Trained(
        write_weights(model, simulation.weights()),
        {**ranges, **simulation.ranges()},
        tuple(losses),
        time.monotonic() - began,
    )


def compile_simulation(simulation: Simulation, config: QatConfig, steps: int) -> None:
    """Adam with a rate that rises to 1 and falls to 0: what 1 means is the config's rates.

    The rise is needed because Adam's first steps move every weight by the full rate, all of
    them with their gradient.
    """
    warmup = max(1, round(_WARMUP * steps))
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warmup, 1), warmup_target=1.0, warmup_steps=warmup
    )
    optimizer = keras.optimizers.Adam(schedule, epsilon=1e-12)
    simulation.model.compile(optimizer, loss=answer_loss(config), jit_compile=False)
    optimizer.build(simulation.model.trainable_variables)


def answer_loss(config: QatConfig) -> Loss:
    """Divergence of the probabilities from float's, plus the error of the logits.

    Knowledge distillation (Hinton et al. 2015, arXiv:1503.02531) at temperature 1, since the
    aim is float's very answer; the error of the logits (Ba & Caruana 2014, arXiv:1312.6184)
    teaches what the small probabilities leave out. It is taken without their mean, which no
    probability depends on, and over their power: the rare image that makes a network answer
    ten times as large would else outweigh all others.
    """

    def centred(logits: Any) -> Any:
        return logits - ops.mean(logits, axis=-1, keepdims=True)

    def loss(targets: Any, logits: Any) -> Any:
        classes = logits.shape[-1]
        teacher = targets[:, :classes]
        ours, theirs = ops.log_softmax(logits), ops.log_softmax(teacher)
        divergence = ops.sum(ops.exp(theirs) * (theirs - ours), axis=-1)
        power = ops.sum(ops.square(centred(teacher)), axis=-1)
        error = ops.sum(ops.square(centred(logits - teacher)), axis=-1)
        total = divergence + config.logits_weight * error / (power + _QUIET)
        if not config.label_weight:
            return total
        missed = -ops.sum(targets[:, classes:] * ours, axis=-1)
        return (1 - config.label_weight) * total + config.label_weight * missed

    return loss


def _state(key: str, losses: list[float], trainer: Any, *, with_optimizer: bool) -> RunState:
    optimizer = trainer.optimizer.variables if with_optimizer else []
    arrays = {
        name: [ops.convert_to_numpy(variable) for variable in variables]
        for name, variables in (
            ("variables", trainer.trainable_variables),
            ("optimizer", optimizer),
        )
    }
    return RunState({"key": key}, {"losses": losses}, arrays)


def _restore(simulation: Simulation, path: Path | None, key: str) -> list[float]:
    """Take over an interrupted run; the losses of its steps, none where there is no such run."""
    if path is None:
        return []
    try:
        stored = read_state(path)
    except DataError:  # none, or damaged: trained again
        return []
    if stored.depends_on != {"key": key}:
        return []
    trainer = simulation.model
    parts = [(trainer.trainable_variables, stored.arrays["variables"])]
    if stored.arrays["optimizer"]:  # else the run had ended
        parts.append((trainer.optimizer.variables, stored.arrays["optimizer"]))
    for variables, values in parts:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    return list(stored.progress["losses"])
