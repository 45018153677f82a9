"""A whole pruning run: measure, cut, recover, again; then what it came to.

RUN/prune.json     the config
    target.json    the budget that the target came to
    step-1/        cut.h5: the network right after the cut; best.h5: recovered; last.state
    …
    NAME.json      the row of the pruned network, for --variant
    best.h5        its weights, with everything that was done to them
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from converters.pruning.allocation import Budget, measured_widths, uniform_widths
from converters.pruning.config import CONFIG_FILE, PruneConfig
from converters.pruning.data import sample
from converters.pruning.distillation import BEST_FILE, Lesson, recover
from converters.pruning.importance import Scores
from converters.pruning.run_files import (
    CUT_FILE,
    TARGET_FILE,
    describe_network,
    read_cut,
    store_target,
    stored_target,
    write_cut,
)
from converters.pruning.sensitivity import Point, answers, curves
from converters.pruning.step import Bench, Network, make_cut, measure, still
from converters.pruning.targets import Latencies, find_budget, time_networks
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.heads.head import Head
from edge_effnet.metrics import Comparison, ModelFile, Predictions, compare_predictions
from edge_effnet.network.build import build
from edge_effnet.network.weights.assign import load_layer_weights, read_for
from edge_effnet.network.weights.checkpoint import save_checkpoint
from edge_effnet.training.config import TrainConfig
from edge_effnet.training.epochs import evaluate
from edge_effnet.training.progress import EpochRow

RUN_FILES = (CONFIG_FILE.name, TARGET_FILE, BEST_FILE, "step-*/*")


@dataclass(frozen=True)
class Outcome:
    """What a run came to.

    Attributes:
        spec: the pruned network; its row is in the file ``row``, its weights in ``checkpoint``.
        stages: every cut and its recovery, in order.
        whole_accuracy: share of right answers (without labels: of its own) of the unpruned
            network, on the pictures that judge.
        comparison: of both networks on those pictures.
        latencies: whole and pruned, float, in turn.
    """

    bench: Bench
    spec: VariantSpec
    checkpoint: Path
    row: Path
    stages: tuple[Stage, ...]
    whole_accuracy: float
    comparison: Comparison
    latencies: Latencies

    @property
    def accuracy(self) -> float:
        return self.stages[-1].recovered


@dataclass(frozen=True)
class Stage:
    """One cut and its recovery, as shares of right answers on the pictures that judge."""

    spec: VariantSpec
    points: tuple[Point, ...]
    cut: float
    recovered: float
    epoch: int


def prune(bench: Bench) -> Outcome:
    """Do the steps that are left, and judge the end.

    Raises:
        UsageProblem: the target cannot be reached, or what the run began with has changed.
        Interrupted: the user stopped it; calling it again on the folder goes on.
    """
    config, folder = bench.config, bench.folder
    name = final_name(bench.whole.spec, config)
    measured = cache(lambda: measure(bench, bench.whole))
    budget = stored_target(bench)
    if budget is None:
        budget = _find_budget(bench, measured)
        CONFIG_FILE.write(folder, config)
        store_target(bench, budget)
    network, stages = bench.whole, list[Stage]()
    for step in range(1, config.steps + 1):
        place = folder / f"step-{step}"
        row_name = name if step == config.steps else f"{name}-step{step}"
        if (place / CUT_FILE).is_file():
            network, record = read_cut(place, bench)
            bench.callbacks.say(f"step {step} was cut already; going on from there")
        else:
            scores, points = measured() if step == 1 else measure(bench, network)
            part = budget.part(bench.whole.spec, step / config.steps)
            made = make_cut(bench, network, scores, points, part, row_name)
            network = made.network
            record = write_cut(place, bench, made, accuracy_of(bench, network))
        best, done = _recover(bench, network, place, step)
        load_layer_weights(
            network.model, read_for(network.model, place / BEST_FILE), source="the best epoch"
        )
        network = replace(network, steps=(*network.steps, *done))
        stages.append(
            Stage(network.spec, record.points, record.accuracy, best.val_accuracy, best.epoch)
        )
        bench.callbacks.say(
            f"step {step}: {100 * record.accuracy:.1f} % after the cut, "
            f"{100 * best.val_accuracy:.1f} % recovered"
        )
    return _finish(bench, network, stages)


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


def _find_budget(bench: Bench, measured: Callable[[], tuple[Scores, list[Point]]]) -> Budget:
    spec = bench.whole.spec

    def widths_for(budget: Budget) -> dict[str, int]:
        scores, points = measured()
        if points:
            return measured_widths(spec, curves(points, scores), budget, bench.limits)
        return uniform_widths(spec, budget, bench.limits)

    def time_rows(rows: Sequence[VariantSpec]) -> Latencies:
        return time_networks(
            [(row, build(still(row), classes=bench.classes, resolution=bench.side)) for row in rows]
        )

    return find_budget(
        bench.config,
        spec,
        classes=bench.classes,
        resolution=bench.side,
        limits=bench.limits,
        widths_for=widths_for,
        time_rows=time_rows,
    )


def _recover(
    bench: Bench, network: Network, place: Path, step: int
) -> tuple[EpochRow, tuple[dict[str, Any], ...]]:
    """Learn back what the cut took; answers with the best epoch and, where there was one, the
    step for the card."""
    config, epochs = bench.config, bench.config.epochs_of(step)
    told = training_config(bench, network.spec.name, epochs, config.seed + step)
    images = bench.data.record
    if any(step.get("data", {}).get("images") == images for step in network.steps):
        images = None  # a step before keeps them
    record: dict[str, Any] = {
        "step": "recovered",
        "how": config.recovery,
        "teacher": bench.whole.spec.name if config.recovery in ("teacher", "both") else None,
        "epochs": epochs,
        "learning_rate": config.learning_rate,
        "batch_size": config.batch_size,
        "seed": told.seed,
        "data": {
            "source": Path(bench.data.images.lists.source).name,
            "fingerprint": bench.data.images.lists.fingerprint,
            "pictures": len(bench.data.images.train),
            "images": images,
        },
    }

    def done(row: EpochRow) -> tuple[dict[str, Any], ...]:
        return ({**record, "epoch": row.epoch, "judged": row.val_accuracy},) if epochs else ()

    def metadata(row: EpochRow) -> dict[str, Any]:
        return describe_network(bench, replace(network, steps=(*network.steps, *done(row))))

    lesson = Lesson(
        how=config.recovery,
        teacher=bench.whole.model,
        kept_features=np.asarray(network.kept["head"]),
        config=told,
        images=bench.data.images,
        side=bench.side,
        workers=bench.workers,
    )
    best = recover(
        network.model,
        lesson,
        place,
        {"step": step, "config": told.to_json(), "data": record["data"]},
        metadata,
        bench.callbacks,
    )
    return best, done(best)


def training_config(bench: Bench, name: str, epochs: int, seed: int) -> TrainConfig:
    """What the training loop is told."""
    config = bench.config
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


def accuracy_of(bench: Bench, network: Network) -> float:
    """Share of right answers on the pictures that judge."""
    return evaluate(network.model, bench.data.images.val, side=bench.side, workers=bench.workers)[1]


def _finish(bench: Bench, network: Network, stages: Sequence[Stage]) -> Outcome:
    """Write the row and the weights, and measure what was gained."""
    folder, spec = bench.folder, network.spec
    row, checkpoint = folder / f"{spec.name}.json", folder / BEST_FILE
    write_variant(row, spec, overwrite=True)
    save_checkpoint(network.model, checkpoint, describe_network(bench, network))
    done = bench.callbacks.stage("timing", None)
    latencies = time_networks([(bench.whole.spec, bench.whole.model), (spec, network.model)])
    done(1)
    return Outcome(
        bench=bench,
        spec=spec,
        checkpoint=checkpoint,
        row=row,
        stages=tuple(stages),
        whole_accuracy=accuracy_of(bench, bench.whole),
        comparison=comparison_of(bench, network),
        latencies=latencies,
    )


def comparison_of(bench: Bench, network: Network) -> Comparison:
    """Both networks on the pictures that judge; without true labels, their agreement alone."""
    data, head = bench.data, Head("logits", bench.classes)
    val = data.images.val
    images, truth = sample(val, len(val), bench.side, 0, bench.workers)
    names = tuple(map(str, range(bench.classes)))
    paths = tuple(Path(f"{data.images.lists.source}#{place}") for place in range(len(val)))

    def predictions(one: Network) -> Predictions:
        scores = head.scores(answers(one.model, images).astype(np.float32))
        file = ModelFile(Path(one.spec.name), "", 0)
        known = truth if data.labelled else None
        return Predictions(scores, known, paths, names, file, head=head)

    return compare_predictions(predictions(bench.whole), predictions(network))
