"""An unstructured run: weights to zero while the network learns, then what that is worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.float_model.export import export_network
from converters.pruning.config import CONFIG_FILE
from converters.pruning.context import PruningContext, network_of
from converters.pruning.finetuning.distillation import BEST_FILE, train
from converters.pruning.run import accuracy_of, comparison_of, final_name, timed, training_config
from converters.pruning.run_files import describe_network
from converters.pruning.selection.targets import Latencies
from converters.pruning.unstructured.masks import Masks, zero_share
from converters.pruning.unstructured.size import FileSparsity, file_sparsity
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem
from edge_effnet.metrics import Comparison
from edge_effnet.network.weights.checkpoint import peek, save_checkpoint


@dataclass(frozen=True)
class SparsityResult:
    """What an unstructured run came to.

    Attributes:
        original, sparse: the float files looked at for zeros.
        accuracies: of the two, as shares of right answers on the evaluation images.
        comparison: of the two networks on those images.
        latencies: of the two, in turn.
    """

    context: PruningContext
    spec: VariantSpec
    checkpoint: Path
    variant_file: Path
    original: FileSparsity
    sparse: FileSparsity
    accuracies: tuple[float, float]
    comparison: Comparison
    latencies: Latencies


def prune_weights(context: PruningContext) -> SparsityResult:
    """Take single weights to zero and measure what that is worth.

    Raises:
        UsageProblem: nothing to learn with: zeros without training ruin a network.
        Interrupted: the user stopped it; calling it again on the folder goes on.
    """
    config, folder = context.config, context.folder
    if config.recovery == "none" or config.epochs < 1:
        raise UsageProblem(
            "unstructured pruning happens while the network learns",
            found="--fine-tune-on none" if config.recovery == "none" else "--epochs 0",
            fix="give --epochs 5 or more, and --fine-tune-on teacher, labels or both",
        )
    CONFIG_FILE.write(folder, config)
    name = final_name(context.original.spec, config)
    spec = replace(context.original.spec, name=name, official_weights=None, published=None)
    training = training_config(context, spec.name, config.epochs, config.seed)
    step: dict[str, Any] = {
        "step": "sparsified",
        "share": config.target,
        "block": config.block,
        "schedule": "polynomial (Zhu & Gupta 2017)",
        "how": config.recovery,
        "epochs": config.epochs,
        "learning_rate": config.learning_rate,
        "data": {
            "source": Path(context.data.images.lists.source).name,
            "fingerprint": context.data.images.lists.fingerprint,
            "images": context.data.record,
        },
    }
    network = replace(context.original, spec=spec)
    # The masks are no part of the network: what is saved is an ordinary checkpoint with zeros, of
    # the last epoch: an earlier one may be better, but is not as sparse.
    step_folder = folder / "step-1"
    student, progress = train(
        context,
        network,
        training,
        step_folder,
        {
            "config": training.to_json(),
            "zeros": config.target,
            "block": config.block,
            "data": step["data"],
            "weights": dict(context.origin),
        },
        after_step=Masks(config.target, config.block).apply,
    )
    zeros = round(zero_share(student), 4)
    step |= {"zeros": zeros, "judged": progress.rows[-1].val_accuracy}
    metadata = describe_network(context, replace(network, steps=(*network.steps, step)))
    save_checkpoint(student, step_folder / BEST_FILE, metadata)
    return _finish(context, spec, step_folder / BEST_FILE)


def _finish(context: PruningContext, spec: VariantSpec, weights: Path) -> SparsityResult:
    model = network_of(spec, weights, context)
    variant_file, checkpoint = context.folder / f"{spec.name}.json", context.folder / BEST_FILE
    write_variant(variant_file, spec, overwrite=True)
    save_checkpoint(model, checkpoint, peek(weights).metadata or {})
    network = replace(context.original, spec=spec, model=model)
    latencies = timed(context, network)
    original, sparse = (
        file_sparsity(export_network(one, spec)) for one in (context.original.model, model)
    )
    return SparsityResult(
        context=context,
        spec=spec,
        checkpoint=checkpoint,
        variant_file=variant_file,
        original=original,
        sparse=sparse,
        accuracies=(accuracy_of(context, context.original), accuracy_of(context, network)),
        comparison=comparison_of(context, network),
        latencies=latencies,
    )
