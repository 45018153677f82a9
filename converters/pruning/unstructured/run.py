"""An unstructured run: weights to zero while the network learns, then the truth about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from converters.float_model.export import export_network
from converters.pruning.config import CONFIG_FILE
from converters.pruning.distillation import BEST_FILE, Lesson
from converters.pruning.run import accuracy_of, comparison_of, final_name, training_config
from converters.pruning.run_files import describe_network
from converters.pruning.step import Bench, Network, network_of
from converters.pruning.targets import Latencies, time_networks
from converters.pruning.unstructured.masks import sparsify
from converters.pruning.unstructured.size import SparsityTruth, sparsity_truth
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem
from edge_effnet.metrics import Comparison
from edge_effnet.network.weights.checkpoint import peek, save_checkpoint
from edge_effnet.training.progress import EpochRow


@dataclass(frozen=True)
class SparseOutcome:
    """What an unstructured run came to.

    Attributes:
        whole, sparse: the float files looked at for zeros.
        accuracies: of the two, as shares of right answers on the pictures that judge.
        comparison: of the two networks on those pictures.
        latencies: of the two, in turn.
    """

    bench: Bench
    spec: VariantSpec
    checkpoint: Path
    row: Path
    whole: SparsityTruth
    sparse: SparsityTruth
    accuracies: tuple[float, float]
    comparison: Comparison
    latencies: Latencies


def prune_weights(bench: Bench) -> SparseOutcome:
    """Take single weights to zero and measure what that is worth.

    Raises:
        UsageProblem: nothing to learn with: zeros without training ruin a network.
        Interrupted: the user stopped it; calling it again on the folder goes on.
    """
    config, folder = bench.config, bench.folder
    if config.recovery == "none" or config.epochs < 1:
        raise UsageProblem(
            "unstructured pruning happens while the network learns",
            found="--recovery none" if config.recovery == "none" else "--epochs 0",
            fix="give --epochs 5 or more, and --recovery teacher, labels or both",
        )
    CONFIG_FILE.write(folder, config)
    name = final_name(bench.whole.spec, config)
    spec = replace(bench.whole.spec, name=name, official_weights=None, published=None)
    told = training_config(bench, spec.name, config.epochs, config.seed)
    step: dict[str, Any] = {
        "step": "sparsified",
        "share": config.target,
        "block": config.block,
        "schedule": "polynomial (Zhu & Gupta 2017)",
        "how": config.recovery,
        "epochs": config.epochs,
        "learning_rate": config.learning_rate,
        "data": {
            "source": Path(bench.data.images.lists.source).name,
            "fingerprint": bench.data.images.lists.fingerprint,
            "images": bench.data.record,
        },
    }
    network = Network(spec, bench.whole.model, bench.whole.kept, bench.whole.steps)

    def metadata(row: EpochRow, zeros: float) -> Mapping[str, Any]:
        done = {**step, "zeros": round(zeros, 4), "judged": row.val_accuracy}
        return describe_network(bench, replace(network, steps=(*network.steps, done)))

    lesson = Lesson(
        how=config.recovery,
        teacher=bench.whole.model,
        kept_features=np.asarray(bench.whole.kept["head"]),
        config=told,
        images=bench.data.images,
        side=bench.side,
        workers=bench.workers,
    )
    place = folder / "step-1"
    sparsify(
        bench.whole.model,
        lesson,
        config.target,
        config.block,
        place,
        {
            "config": told.to_json(),
            "zeros": config.target,
            "block": config.block,
            "data": step["data"],
            "weights": dict(bench.origin),
        },
        metadata,
        bench.callbacks,
    )
    return _finish(bench, spec, place / BEST_FILE)


def _finish(bench: Bench, spec: VariantSpec, weights: Path) -> SparseOutcome:
    model = network_of(spec, weights, bench)
    row, checkpoint = bench.folder / f"{spec.name}.json", bench.folder / BEST_FILE
    write_variant(row, spec, overwrite=True)
    save_checkpoint(model, checkpoint, peek(weights).metadata or {})
    network = replace(bench.whole, spec=spec, model=model)
    done = bench.callbacks.stage("timing", None)
    latencies = time_networks([(bench.whole.spec, bench.whole.model), (spec, model)])
    done(1)
    whole, sparse = (
        sparsity_truth(export_network(one, spec)) for one in (bench.whole.model, model)
    )
    return SparseOutcome(
        bench=bench,
        spec=spec,
        checkpoint=checkpoint,
        row=row,
        whole=whole,
        sparse=sparse,
        accuracies=(accuracy_of(bench, bench.whole), accuracy_of(bench, network)),
        comparison=comparison_of(bench, network),
        latencies=latencies,
    )
