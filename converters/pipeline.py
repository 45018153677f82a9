"""The conversion from end to end: float model, pictures, recipes, proof, files.

Everything is made in a scratch folder and judged there; files appear under their own names
only at the end, whole and with the measured figures in their cards.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from converters.accuracy.candidates import Workshop
from converters.accuracy.search import Climb, climb, refuse_void_limits
from converters.accuracy.strategies import Rung, ladder, rung_of
from converters.accuracy.timing import time_files
from converters.calibration.images import Pictures, choose_pictures
from converters.conversion import Conversion, ConvertConfig, Made, output_paths
from converters.float_model.source import Source, refuse_broken_weights
from converters.model_card import choose_labels, make_card, measured_record, with_metadata
from converters.quantization.qat.step import Recover, recovery_rung
from converters.quantization.recipes import FLOAT32, UNPRUNED
from edge_effnet.artifact import write_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.sources import SIGNS
from edge_effnet.errors import DataError, OutputError, UsageProblem
from edge_effnet.files import refuse_existing
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.runtime.evaluation import predict_many

StartStage = Callable[[str, int | None], Callable[[int], None]]
"""Told the name of a stage and its number of steps (None: unknown); answers with the
function to call with the steps done."""


def no_progress(_name: str, _steps: int | None) -> Callable[[int], None]:
    """A stage that tells nobody."""
    return lambda _count: None


def refuse_outputs(name: str, config: ConvertConfig, own_file: Path | None) -> None:
    """Refuse before any work what could not be written after it.

    Raises:
        OutputError: a file exists, or the folder cannot be made or written.
    """
    for path in output_paths(name, config).values():
        if not _same_file(path, own_file):
            refuse_existing(path, overwrite=config.force)
    with _scratch(config.out):
        pass


def convert(source: Source, config: ConvertConfig, stage: StartStage = no_progress) -> Conversion:
    """Make, judge and write every file.

    Raises:
        DataError, ModelError: see ``refuse_broken_weights``, ``choose_pictures``, ``quantize``.
        OutputError: something cannot be written; then nothing is.
    """
    refuse_broken_weights(source)
    _refuse_limits_of_values(source, config)
    with _scratch(config.out) as scratch:
        done = stage("choosing pictures", None)
        if source.weights.get("kind") == "demo" and not (config.data or config.calibration):
            config = replace(config, data=Path(SIGNS))  # what the demo weights were trained on
        pictures = choose_pictures(
            source.how,
            data=config.data,
            calibration=config.calibration,
            labels=source.labels,
            head=source.head,
            count=config.calibration_images,
            evaluation_count=config.evaluation_images,
            seed=config.seed,
            strict=config.strict,
            labelled=config.qat_labels,
            scratch=scratch,
            steps=source.steps,
        )
        refuse_void_limits(config.limits, pictures, config.seed)
        done(1)
        labels, described = choose_labels(source, pictures), pictures.calibration.describe()
        outcome = _climb(source, config, pictures, labels, scratch, stage)
        rungs: dict[str, Rung] = {}
        if outcome is None:
            models, rungs = _make_models(source, config, pictures, stage)
        else:
            if outcome.missed() and not config.force:
                return Conversion((), pictures, source, described, outcome)
            rung, pictures = outcome.best.rung, replace(pictures, evaluation=outcome.confirmation)
            rungs[rung.recipe] = rung
            models = {
                FLOAT32: with_metadata(source.model, source, FLOAT32),
                rung.recipe: with_metadata(outcome.model, source, rung.recipe),
            }
        targets = {name: config.out / f"{source.name}-{name}.tflite" for name in models}
        cards = {
            name: make_card(source, config, pictures, name, labels, rungs.get(name))
            for name in models
        }
        if whole := source.unpruned:
            # The first file is what all others are measured against: the end of the whole chain.
            models = {UNPRUNED: with_metadata(whole.model, whole, FLOAT32), **models}
            targets[UNPRUNED] = config.out / f"{whole.name}-{FLOAT32}.tflite"
            cards[UNPRUNED] = make_card(whole, config, pictures, FLOAT32, labels)
        for name in models.keys() - output_paths(source.name, config).keys():
            # The ladder ended on a recipe that nobody named, so nobody looked before.
            refuse_existing(targets[name], overwrite=config.force)
        files = {name: scratch / targets[name].name for name in models}
        for name, model in models.items():
            write_artifact(files[name], model, cards[name], overwrite=True)
        comparisons = _judge(list(files.values()), pictures.evaluation, config, stage)
        if pictures.generated:
            comparisons = [found and on_generated(found) for found in comparisons]
        timed = stage("timing", None)
        timing = time_files(list(files.values()), seconds=1.5)
        timed(1)
        made = []
        for (name, model), comparison, latency_ms in zip(
            models.items(), comparisons, timing.medians_ms, strict=True
        ):
            card = replace(cards[name], measured=measured_record(comparison, pictures))
            write_artifact(targets[name], model, card, overwrite=True)
            size_bytes = targets[name].stat().st_size
            made.append(Made(name, targets[name], size_bytes, latency_ms, comparison))
    return Conversion(tuple(made), pictures, source, described, outcome, timing.doubts)


def _refuse_limits_of_values(source: Source, config: ConvertConfig) -> None:
    """A number that moves a little is neither lost nor another answer."""
    if config.limits is not None and source.head.task == "value":
        raise UsageProblem(
            f"{source.name} answers a number, on which no limit can be set",
            found="a regression head",
            expected="a model that answers classes or labels, for --max-drop, --min-agreement and "
            "--max-class-drop",
            fix="convert without a limit: the errors of both models are shown side by side",
        )


def _climb(
    source: Source,
    config: ConvertConfig,
    pictures: Pictures,
    labels: tuple[str, ...],
    scratch: Path,
    stage: StartStage,
) -> Climb | None:
    """Try the ladder where limits were set."""
    gate, evaluation = config.limits, pictures.evaluation
    if gate is None:
        return None
    if pictures.generated:
        evaluation = _unlabelled(pictures)
        gate = gate.without_labels()

    def write(rung: Rung, model: bytes) -> Path:
        path = scratch / f"rung-{rung.name}.tflite"
        card = make_card(source, config, pictures, rung.recipe, labels, rung)
        write_artifact(path, with_metadata(model, source, rung.recipe), card, overwrite=True)
        return path

    reference, judge = scratch / "reference.tflite", source.unpruned or source
    card = make_card(judge, config, pictures, FLOAT32, labels)
    write_artifact(reference, with_metadata(judge.model, judge, FLOAT32), card)
    recover = recovery_rung(
        source.structure,
        config.out / f"{source.name}-recovery.state",
        seed=config.seed,
        resume=config.resume,
        stage=stage,
    )
    return climb(
        gate,
        evaluation,
        _workshop(source, config, pictures, recover),
        reference,
        write,
        cache=config.out / f"{source.name}-rungs.json",
        resume=config.resume,
        seed=config.seed,
        stage=stage,
        ladder=ladder(
            allow_float=config.allow_float,
            edge_tpu=any(recipe.edge_tpu for recipe in config.recipes),
            recovery=recover is not None,
            steps=config.qat_steps,
            labelled=config.qat_labels,
        ),
    )


def _unlabelled(pictures: Pictures) -> Dataset:
    """The calibration photos that do not calibrate: they can judge agreement.

    Raises:
        DataError: there are none.
    """
    if not pictures.spare:
        raise DataError(
            "a limit needs photos that judge it",
            found="generated pictures only"
            if pictures.calibration.images is None
            else "no more photos than those that calibrate or that the network was trained on",
            expected="photos that do neither",
            fix="add --data DIR|CSV with labelled photos, or more photos to --calibration",
        )
    return Dataset(pictures.spare, (), "the calibration photos left over")


def _make_models(
    source: Source, config: ConvertConfig, pictures: Pictures, stage: StartStage
) -> tuple[dict[str, bytes], dict[str, Rung]]:
    """The float model and each recipe's, and the rung it was made by."""
    shop = _workshop(source, config, pictures)
    if any(recipe.calibrated for recipe in config.recipes):
        calibrated = stage("calibrating", len(pictures.calibration))
        shop.statistics(lambda count, _: calibrated(count))
    models, rungs = {FLOAT32: source.model}, dict[str, Rung]()
    for recipe in config.recipes:
        done = stage(f"making {recipe.name}", None)
        usual = rung_of(recipe)
        several = source.head.task == "value" and recipe.calibrated
        tried = [usual, replace(usual, ranges="whole")] if several else [usual]
        rungs[recipe.name], models[recipe.name] = shop.nearest(tried)
        done(1)
    made = {name: with_metadata(model, source, name) for name, model in models.items()}
    return made, rungs


def _workshop(
    source: Source, config: ConvertConfig, pictures: Pictures, recover: Recover | None = None
) -> Workshop:
    return Workshop(
        source.model,
        source.structure,
        pictures.calibration,
        config.interface,
        config.workers,
        recover,
    )


def _judge(
    files: Sequence[Path], evaluation: Dataset, config: ConvertConfig, stage: StartStage
) -> list[Comparison | None]:
    if len(files) == 1:
        return [None]
    done = stage("comparing", len(evaluation))
    reference, *candidates = predict_many(
        files,
        evaluation,
        workers=config.workers,
        strict=config.strict,
        progress=lambda count, _: done(count),
    )
    return [None, *(compare_predictions(reference, candidate) for candidate in candidates)]


def on_generated(comparison: Comparison) -> Comparison:
    """The same, with losses told as what they are on pictures that show nothing: a reason to look
    at photos, and no verdict."""
    if not comparison.losses:
        return comparison
    ours, theirs = comparison.reference_predictions, comparison.candidate_predictions
    moved, agreed = comparison.value_difference, comparison.agreement_percent
    differ = f"mean difference {moved.mean_abs:.4g}" if moved else f"agreement {agreed:.1f} %"
    line = (
        f"{theirs.name} differs from {ours.name} on generated pictures ({differ}): what that costs "
        "on photos cannot be told from them; compare both on photos before you use it"
    )
    others = comparison.warnings[len(comparison.losses) :]
    return replace(comparison, losses=(line,), warnings=(line, *others))


def _same_file(path: Path, other: Path | None) -> bool:
    return other is not None and path.exists() and other.exists() and path.samefile(other)


@contextmanager
def _scratch(out: Path) -> Iterator[Path]:
    """A hidden folder beside the results: same disk, so its space is the results' space."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".edge-effnet-", dir=out)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written",
            found=error.strerror or str(error),
            expected="a folder you may write to",
            fix="choose another with --out",
        ) from error
    with folder as name:
        yield Path(name)
