"""The conversion from end to end: float model, images, recipes, proof, files.

Everything is made in a scratch folder and measured there; files appear under their own names
only at the end, whole and with the measured figures in their cards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.accuracy.outcome import SearchOutcome
from converters.accuracy.search import search
from converters.accuracy.selection import refuse_void_limits
from converters.accuracy.strategies import (
    FALLBACKS,
    Strategy,
    applicable_strategies,
    default_strategy,
)
from converters.calibration.images import ConversionImages, choose_images
from converters.comparing import compare_files, on_generated
from converters.config import ConvertConfig
from converters.conversion import (
    QAT_STATE,
    TRIALS,
    Conversion,
    ConvertedFile,
    scratch_folder,
)
from converters.edgetpu.convert_step import finish_for_edgetpu
from converters.float_model.fold_normalization import with_folded_normalization
from converters.float_model.input_pixels import settle_input
from converters.float_model.source import Source, refuse_broken_weights
from converters.front_notes import front_notes
from converters.layer_notes import layer_notes
from converters.model_card import choose_labels, make_card, measured_record, with_metadata
from converters.quantization.candidates import Candidate, Context
from converters.quantization.operators.in_float import told_left_float
from converters.quantization.pixel_codes import without_identity
from converters.quantization.qat.config import QatRun
from converters.quantization.qat.step import Train, can_train
from converters.quantization.recipes import FLOAT32, RECIPES, UNPRUNED
from edge_effnet.artifact import Card, artifact_bytes, write_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.files.write import write_together
from edge_effnet.measure.timing import time_files
from edge_effnet.stages import StartStage, Tell, no_progress, tell_nobody


def convert(
    source: Source,
    config: ConvertConfig,
    stage: StartStage = no_progress,
    tell: Tell = tell_nobody,
) -> Conversion:
    """Make, measure and write every file.

    Args:
        tell: given sentences for the user while the work goes on.

    Raises:
        DataError, ModelError: see ``refuse_broken_weights``, ``settle_input``, ``choose_images``,
            ``quantize``.
        OutputError: something cannot be written; then nothing is.
    """
    refuse_broken_weights(source)
    source = settle_input(
        source,
        data=config.data,
        calibration=config.calibration,
        workers=config.workers,
        stage=stage,
    )
    _refuse_limits_of_values(source, config)
    source, notes = with_folded_normalization(source)
    left_float = told_left_float(
        source.model,
        source.structure,
        source.name,
        config.recipes,
        full_integer=config.full_integer,
    )
    with scratch_folder(config.out) as scratch:
        done = stage("choosing images", None)
        if source.weights.get("kind") == "demo" and not (config.data or config.calibration):
            config = replace(config, data=Path(SIGNS))  # what the demo weights were trained on
        images = choose_images(
            source.preprocess,
            data=config.data,
            calibration=config.calibration,
            labels=source.labels,
            head=source.head,
            count=config.calibration_images,
            evaluation_count=config.evaluation_images,
            seed=config.seed,
            strict=config.strict,
            labelled=config.qat_labels,
            calibrates=any(recipe.calibrated for recipe in config.recipes),
            scratch=scratch,
            steps=source.steps,
        )
        refuse_void_limits(config.limits, images, config.seed)
        done(1)
        labels, described = choose_labels(source, images), images.calibration.describe()
        context = _context(source, config, images, stage)
        outcome = _search(source, config, images, labels, context, scratch, stage, tell)
        if outcome is None:
            made_by = _make(source, config, context, stage)
        else:
            if outcome.missed() and not config.force:
                return Conversion((), images, source, described, outcome, notes=notes)
            images = replace(images, evaluation=outcome.confirmation, generated=False)
            made_by = [(outcome.best.strategy, outcome.candidate)]
        files = _files(source, config, images, labels, made_by)
        made, doubts = _write(files, images, config, scratch, stage)
        small = made[len(made) - len(made_by) :]
        notes += front_notes(small, made_by, context, images, config, scratch)
        if not images.generated:
            notes += layer_notes(small, [made for _, made in made_by], context, config, stage)
    edgetpu = next(
        (
            finish_for_edgetpu(file.path)
            for file in made
            if file.recipe in RECIPES and RECIPES[file.recipe].edge_tpu
        ),
        None,
    )
    return Conversion(
        made, images, source, described, outcome, (*left_float, *doubts), edgetpu, notes
    )


@dataclass(frozen=True)
class _File:
    """One file to be written: its recipe, where it goes and what is in it."""

    recipe: str
    target: Path
    model: bytes
    card: Card


def _files(
    source: Source,
    config: ConvertConfig,
    images: ConversionImages,
    labels: tuple[str, ...],
    made_by: Sequence[tuple[Strategy, Candidate]],
) -> list[_File]:
    """The reference first: the float model, or the one that it was pruned from."""

    def file(recipe: str, given: Source, model: bytes, *made: Any) -> _File:
        kind = FLOAT32 if recipe == UNPRUNED else recipe
        written, said = _as_written(model, given)
        return _File(
            recipe,
            config.out / f"{given.name}-{kind}.tflite",
            with_metadata(written, said, kind),
            make_card(said, config, images, labels, *made),
        )

    original = source.unpruned
    return [
        *([file(UNPRUNED, original, original.model)] if original else []),
        file(FLOAT32, source, source.model),
        *(
            file(strategy.recipe, source, candidate.model, strategy, candidate)
            for strategy, candidate in made_by
        ),
    ]


def _as_written(model: bytes, source: Source) -> tuple[bytes, Source]:
    """A model without what does nothing in it, and how pixels become its input then."""
    pixels = without_identity(model, source.preprocess)
    return pixels.model, replace(source, preprocess=pixels.preprocess)


def _write(
    files: Sequence[_File],
    images: ConversionImages,
    config: ConvertConfig,
    scratch: Path,
    stage: StartStage,
) -> tuple[tuple[ConvertedFile, ...], tuple[str, ...]]:
    """Measure the files in the scratch folder and write them, with doubts about the times."""
    paths = [scratch / file.target.name for file in files]
    for path, file in zip(paths, files, strict=True):
        write_artifact(path, file.model, file.card, overwrite=True)
    targets = [file.target for file in files]
    comparisons = compare_files(paths, targets, images.evaluation, config, stage)
    if images.generated:
        comparisons = [found and on_generated(found) for found in comparisons]
    timed = stage("timing", None)
    timing = time_files(paths, seconds=1.5)
    timed(1)
    content = {}
    for file, comparison in zip(files, comparisons, strict=True):
        card = replace(file.card, measured=measured_record(comparison, images))
        content[file.target] = artifact_bytes(file.model, card)[0]
    write_together(content, overwrite=True)
    made = tuple(
        ConvertedFile(file.recipe, file.target, len(content[file.target]), latency_ms, comparison)
        for file, comparison, latency_ms in zip(files, comparisons, timing.medians_ms, strict=True)
    )
    return made, timing.doubts


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


def _search(
    source: Source,
    config: ConvertConfig,
    images: ConversionImages,
    labels: tuple[str, ...],
    context: Context,
    scratch: Path,
    stage: StartStage,
    tell: Tell,
) -> SearchOutcome | None:
    """Try the strategies where limits were set."""
    limits, evaluation = config.limits, images.evaluation
    if limits is None:
        return None
    if config.data is None:
        evaluation = _unlabelled(images)
        limits = limits.without_labels()

    def write(strategy: Strategy, candidate: Candidate) -> Path:
        path = scratch / f"strategy-{strategy.name}.tflite"
        written, said = _as_written(candidate.model, source)
        model = with_metadata(written, said, strategy.recipe)
        card = make_card(said, config, images, labels, strategy, candidate)
        write_artifact(path, model, card, overwrite=True)
        return path

    reference, original = scratch / "reference.tflite", source.unpruned or source
    card = make_card(original, config, images, labels)
    write_artifact(reference, with_metadata(original.model, original, FLOAT32), card)
    edge_tpu = any(recipe.edge_tpu for recipe in config.recipes)
    trainable = can_train(source.structure, source.head.task)
    outcome = search(
        limits,
        evaluation,
        context,
        reference,
        write,
        store=config.out / f"{source.name}{TRIALS}",
        resume=config.resume,
        seed=config.seed,
        stage=stage,
        tell=tell,
        strategies=applicable_strategies(
            allow_float=config.allow_float,
            edge_tpu=edge_tpu,
            full_integer=config.full_integer,
            training=Train(config.qat_steps, config.qat_labels) if trainable else None,
        ),
        fallback=FALLBACKS[config.fallback] if config.fallback else None,
    )
    excluded = config.full_integer and not edge_tpu
    return replace(outcome, float_excluded=excluded, forced=config.force)


def _unlabelled(images: ConversionImages) -> Dataset:
    """The calibration photos that do not calibrate: agreement can be measured on them.

    Raises:
        DataError: there are none.
    """
    if not images.spare or images.calibration.images is None:
        raise DataError(
            "a limit needs photos to measure on",
            found="generated images only"
            if images.calibration.images is None
            else "no more photos than those that calibrate or that the network was trained on",
            expected="photos that do neither",
            fix="add --data DIR|CSV with labelled photos, or more photos to --calibration",
        )
    return Dataset(images.spare, (), images.calibration.images.source)


def _make(
    source: Source, config: ConvertConfig, context: Context, stage: StartStage
) -> list[tuple[Strategy, Candidate]]:
    """Each recipe's model, and the strategy it was made by."""
    if any(recipe.calibrated for recipe in config.recipes):
        context.statistics(stage("calibrating", len(context.calibration)))
    made = []
    for recipe in config.recipes:
        done = stage(f"making {recipe.name}", None)
        strategy = default_strategy(
            recipe, values=source.head.task == "value", full_integer=config.full_integer
        )
        made.append((strategy, strategy.make(context)))
        done(1)
    return made


def _context(
    source: Source, config: ConvertConfig, images: ConversionImages, stage: StartStage
) -> Context:
    qat = QatRun(
        config.out / f"{source.name}{QAT_STATE}",
        seed=config.seed,
        resume=config.resume,
        stage=stage,
    )
    return Context(
        source.model,
        source.structure,
        images.calibration,
        config.interface,
        config.workers,
        qat,
        config.full_integer,
    )
