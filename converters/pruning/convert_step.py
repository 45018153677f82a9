"""Pruning as the first step of a conversion: ``convert --prune 0.3 --int8``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from converters.config import ConvertConfig
from converters.float_model.choice import ModelChoice
from converters.pruning.config import CONFIG_FILE, PruneConfig
from edge_effnet.architecture.files import find_variant
from edge_effnet.data.signs.option import is_signs, named_source
from edge_effnet.errors import ModelError, OutputError, UsageProblem


def pruned_name(model: ModelChoice, share: float, config: ConvertConfig) -> str:
    """What the pruned network will be called.

    Raises:
        ModelError: a network that is no variant of ours.
    """
    from converters.pruning.run import final_name

    refuse_foreign(model.file or model.baseline)
    pruning = _config(model, share, config, Path("photos"))
    return final_name(find_variant(pruning.variant), pruning)


def prune_first(
    model: ModelChoice, share: float, config: ConvertConfig, *, shown: bool
) -> ModelChoice:
    """Prune in a run of its own, or take over one that was made with the same settings.

    As much less multiply-adds as ``--prune`` says, fine-tuned without labels on the photos that
    calibrate.

    Args:
        share: of the multiply-adds that is taken out.
        shown: whether to print what came of it.

    Returns:
        The pruned network, with its weights.

    Raises:
        UsageProblem: no photos to fine-tune on, or an unreachable share.
        OutputError: the run's folder holds one with other settings.
    """
    from converters.pruning.context import open_context
    from converters.pruning.progress import watching
    from converters.pruning.report import print_result
    from converters.pruning.run import final_name, prune, run_files
    from edge_effnet.files.locks import locked_run
    from edge_effnet.runs import clear_run, refuse_existing_run
    from edge_effnet.training.epochs import Interrupted

    photos = config.calibration or (config.data if is_signs(config.data) else None)
    if photos is None:
        raise UsageProblem(
            "--prune needs photos to fine-tune the network on",
            found="no --calibration",
            expected="photos like those it will see, without labels; those of --data are for "
            "evaluation, so it may not learn from them",
            fix="add --calibration DIR",
        )
    pruning = _config(model, share, config, photos)
    spec = find_variant(pruning.variant)
    name = final_name(spec, pruning)
    folder, files = model.runs / name, run_files(name)
    with locked_run(folder), watching() as callbacks:
        own = CONFIG_FILE.stands_in(folder)
        refuse_existing_run(folder, files, own=own, overwrite=True)
        if own and CONFIG_FILE.read(folder) != pruning:
            if not config.force:
                raise OutputError(
                    f"{folder} holds a pruning run with other settings",
                    expected="the same variant, weights, photos and share",
                    fix="choose another --runs, or add --force to prune anew",
                )
            clear_run(folder, files, Path(model.weights))
        context = open_context(
            pruning, folder, runs=model.runs, workers=config.workers, callbacks=callbacks
        )
        try:
            result = prune(context)
        except Interrupted:
            callbacks.say("stopped; the same command goes on")
            raise
    if shown:
        print_result(result)
    return replace(model, variant=str(result.variant_file), weights=str(result.checkpoint))


def _config(model: ModelChoice, share: float, config: ConvertConfig, photos: Path) -> PruneConfig:
    return PruneConfig(
        variant=model.variant or "",
        weights=model.weights,
        data=named_source(str(photos)),
        measure="macs",
        target=round(1 - share, 6),
        multiple=16 if any(recipe.edge_tpu for recipe in config.recipes) else 8,
        resolution=model.resolution,
        seed=config.seed,
        strict=config.strict,
    )


def refuse_foreign(model: Path | str | None, *others: str | None) -> None:
    """Raise ModelError where what should be pruned is no variant of ours, by its name.

    Args:
        model: given with ``--model`` or ``--baseline``: never a variant of ours.
        others: given as a variant or as weights: refused where they are a ``.tflite``.
    """
    model = model or next((name for name in others if name and name.endswith(".tflite")), None)
    if model is None:
        return
    quantized = Path(model).suffix == ".tflite"
    raise ModelError(
        f"{model} cannot be pruned: "
        + ("a .tflite is a converted network" if quantized else "it is no variant of ours"),
        expected="a variant and its weights: which channels are tied is known of those alone",
        fix="prune before converting: --variant NAME --weights FILE (.h5, .keras)",
    )
