"""A pruning run: measure, slice, fine-tune, again; then what it came to.

RUN/prune.json     the config
    target.json    the budget that the target came to
    step-1/        cut.h5: right after slicing; best.h5: fine-tuned; last.state
    …
    NAME.json      the variant of the pruned network, for --variant
    best.h5        its weights, with everything that was done to them
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from converters.pruning.config import CONFIG_FILE, PruneConfig
from converters.pruning.context import Network, PruningContext, without_dropout
from converters.pruning.data import sample
from converters.pruning.finetuning.distillation import BEST_FILE, fine_tune
from converters.pruning.run_files import (
    SLICED_FILE,
    TARGET_FILE,
    describe_network,
    read_step,
    store_target,
    stored_target,
    write_step,
)
from converters.pruning.selection.allocation import Budget
from converters.pruning.selection.importance import Scores
from converters.pruning.selection.sensitivity import SensitivityPoint, answers, widths_within
from converters.pruning.selection.targets import Latencies, find_budget, time_networks
from converters.pruning.step import measure, prune_step
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.heads.head import Head
from edge_effnet.metrics import Comparison, HashedFile, Predictions, compare_predictions
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.checkpoint import save_checkpoint
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import evaluate
from edge_effnet.training.run_folder.files import STATE_FILE
from edge_effnet.training.run_folder.trainer_state import EpochRow


def run_files(name: str) -> tuple[str, ...]:
    """Patterns of what a run writes, in the order of ``clear_run``.

    Args:
        name: of the pruned network, see ``final_name``.
    """
    variant_file = glob.escape(f"{name}.json")
    steps = ("step-*/*", f"step-*/{STATE_FILE}")
    return CONFIG_FILE.name, TARGET_FILE, BEST_FILE, variant_file, *steps


@dataclass(frozen=True)
class PruningResult:
    """What a run came to.

    Attributes:
        spec: the pruned network; it is in the file ``variant_file``, its weights in ``checkpoint``.
        stages: every step, in order.
        original_accuracy: share of right answers (without labels: of its own) of the unpruned
            network, on the evaluation images.
        comparison: of both networks on those images.
        latencies: unpruned and pruned, float, in turn.
    """

    context: PruningContext
    spec: VariantSpec
    checkpoint: Path
    variant_file: Path
    stages: tuple[StepAccuracy, ...]
    original_accuracy: float
    comparison: Comparison
    latencies: Latencies

    @property
    def accuracy(self) -> float:
        return self.stages[-1].fine_tuned


@dataclass(frozen=True)
class StepAccuracy:
    """A step: shares of right answers on the evaluation images, sliced and fine-tuned."""

    spec: VariantSpec
    points: tuple[SensitivityPoint, ...]
    sliced: float
    fine_tuned: float
    epoch: int


def prune(context: PruningContext) -> PruningResult:
    """Do the steps that are left, and evaluate the result.

    Raises:
        UsageProblem: the target cannot be reached, or what the run began with has changed.
        Interrupted: the user stopped it; calling it again on the folder goes on.
    """
    config, folder = context.config, context.folder
    name = final_name(context.original.spec, config)
    measured = cache(lambda: measure(context, context.original))
    budget = stored_target(context)
    if budget is None:
        budget = _find_budget(context, measured)
        CONFIG_FILE.write(folder, config)
        store_target(context, budget)
    network, stages = context.original, list[StepAccuracy]()
    for step in range(1, config.steps + 1):
        step_folder = folder / f"step-{step}"
        variant_name = name if step == config.steps else f"{name}-step{step}"
        if (step_folder / SLICED_FILE).is_file():
            network, record = read_step(step_folder, context)
            context.callbacks.say(f"step {step} was sliced already; going on from there")
        else:
            scores, points = measured() if step == 1 else measure(context, network)
            part = budget.part(context.original.spec, step / config.steps)
            made = prune_step(context, network, scores, points, part, variant_name)
            network = made.network
            record = write_step(step_folder, context, made, accuracy_of(context, network))
        best, done = _fine_tune(context, network, step_folder, step)
        load_layer_weights(
            network.model, read_for(network.model, step_folder / BEST_FILE), source="the best epoch"
        )
        network = replace(network, steps=(*network.steps, *done))
        stages.append(
            StepAccuracy(
                network.spec, record.points, record.accuracy, best.val_accuracy, best.epoch
            )
        )
        context.callbacks.say(
            f"step {step}: {100 * record.accuracy:.1f} % after slicing, "
            f"{100 * best.val_accuracy:.1f} % after fine-tuning"
        )
    return _finish(context, network, stages)


def final_name(spec: VariantSpec, config: PruneConfig) -> str:
    """``v2-b0-macs70``, ``v2-b0-macs150M``, ``v2-b0-latency10ms``: what it was pruned by, and to
    which share in percent or which amount."""
    if config.relative:
        amount = f"{100 * config.target:.3g}"
    elif config.measure == "latency":
        amount = f"{config.target:g}ms"
    else:
        amount = f"{config.target / 1e6:.4g}M"
    return f"{spec.name}-{config.measure}{amount}"


def _find_budget(
    context: PruningContext, measured: Callable[[], tuple[Scores, list[SensitivityPoint]]]
) -> Budget:
    spec = context.original.spec

    def widths_for(budget: Budget) -> dict[str, int]:
        return widths_within(budget, spec, *measured(), context.limits)

    def time_specs(specs: Sequence[VariantSpec]) -> Latencies:
        build_one = partial(build, classes=context.classes, resolution=context.side)
        return time_networks([(spec, build_one(without_dropout(spec))) for spec in specs])

    return find_budget(
        context.config,
        spec,
        classes=context.classes,
        resolution=context.side,
        limits=context.limits,
        widths_for=widths_for,
        time_specs=time_specs,
    )


def _fine_tune(
    context: PruningContext, network: Network, step_folder: Path, step: int
) -> tuple[EpochRow, tuple[dict[str, Any], ...]]:
    """Fine-tune a sliced network; returns the best epoch and, where there was one, its
    provenance for the card."""
    config, epochs = context.config, context.config.epochs_of(step)
    training = training_config(context, network.spec.name, epochs, config.seed + step)
    images = context.data.record
    if any(step.get("data", {}).get("images") == images for step in network.steps):
        images = None  # a step before keeps them
    record: dict[str, Any] = {
        "step": "recovered",
        "how": config.recovery,
        "teacher": context.original.spec.name if config.recovery in ("teacher", "both") else None,
        "epochs": epochs,
        "learning_rate": config.learning_rate,
        "batch_size": config.batch_size,
        "seed": training.seed,
        "data": {
            "source": Path(context.data.images.lists.source).name,
            "fingerprint": context.data.images.lists.fingerprint,
            "pictures": len(context.data.images.train),
            "images": images,
        },
    }

    def done(row: EpochRow) -> tuple[dict[str, Any], ...]:
        return ({**record, "epoch": row.epoch, "judged": row.val_accuracy},) if epochs else ()

    def metadata(row: EpochRow) -> dict[str, Any]:
        return describe_network(context, replace(network, steps=(*network.steps, *done(row))))

    best = fine_tune(
        context,
        network,
        training,
        step_folder,
        {"step": step, "config": training.to_json(), "data": record["data"]},
        metadata,
    )
    return best, done(best)


def training_config(context: PruningContext, name: str, epochs: int, seed: int) -> TrainConfig:
    """What the training loop is told."""
    config = context.config
    return TrainConfig(
        data=config.data,
        variant=name,
        epochs=epochs,
        batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        warmup_epochs=0.5,
        label_smoothing=0.1 if config.recovery == "labels" else 0.0,
        min_crop=0.5,
        patience=0,
        seed=seed,
    )


def accuracy_of(context: PruningContext, network: Network) -> float:
    """Share of right answers on the evaluation images."""
    _, right = evaluate(
        network.model, context.data.images.val, side=context.side, workers=context.workers
    )
    return float(right.mean())


def _finish(
    context: PruningContext, network: Network, stages: Sequence[StepAccuracy]
) -> PruningResult:
    """Write the variant and the weights, and measure what was gained."""
    folder, spec = context.folder, network.spec
    variant_file, checkpoint = folder / f"{spec.name}.json", folder / BEST_FILE
    write_variant(variant_file, spec, overwrite=True)
    save_checkpoint(network.model, checkpoint, describe_network(context, network))
    latencies = timed(context, network)
    return PruningResult(
        context=context,
        spec=spec,
        checkpoint=checkpoint,
        variant_file=variant_file,
        stages=tuple(stages),
        original_accuracy=accuracy_of(context, context.original),
        comparison=comparison_of(context, network),
        latencies=latencies,
    )


def timed(context: PruningContext, network: Network) -> Latencies:
    """The unpruned network and this one, in turn."""
    done = context.callbacks.stage("timing", None)
    latencies = time_networks([(one.spec, one.model) for one in (context.original, network)])
    done(1)
    return latencies


def comparison_of(context: PruningContext, network: Network) -> Comparison:
    """Both networks on the evaluation images; without true labels, their agreement alone."""
    data, head = context.data, Head("logits", context.classes)
    val = data.images.val
    images, truth = sample(val, len(val), context.side, 0, context.workers)
    names = tuple(map(str, range(context.classes)))
    paths = tuple(Path(f"{data.images.lists.source}#{index}") for index in range(len(val)))

    def predictions(one: Network) -> Predictions:
        scores = head.scores(answers(one.model, images).astype(np.float32))
        file = HashedFile(Path(one.spec.name), "", 0)
        known = truth if data.labelled else None
        return Predictions(scores, known, paths, names, file, head=head)

    return compare_predictions(predictions(context.original), predictions(network))
