"""The accuracy search as a part of a conversion: its images, its files, its options."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from converters.accuracy.outcome import SearchOutcome
from converters.accuracy.search import search
from converters.accuracy.strategies import (
    FALLBACKS,
    Strategy,
    applicable_strategies,
)
from converters.calibration.images import ConversionImages
from converters.config import ConvertConfig
from converters.conversion import (
    TRIALS,
)
from converters.float_model.source import Source
from converters.model_card import (
    as_written,
    make_card,
    with_metadata,
)
from converters.quantization.candidates import Candidate, Context
from converters.quantization.qat.step import Train, can_train
from converters.quantization.recipes import FLOAT32
from edge_effnet.artifact import write_artifact
from edge_effnet.data.dataset import Dataset
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.stages import StartStage, Tell


def refuse_limits_of_values(source: Source, config: ConvertConfig) -> None:
    """A number that moves a little is neither lost nor another answer."""
    if config.limits is not None and source.head.task == "value":
        raise UsageProblem(
            f"{source.name} answers a number, on which no limit can be set",
            found="a regression head",
            expected="a model that answers classes or labels, for --max-drop, --min-agreement and "
            "--max-class-drop",
            fix="convert without a limit: the errors of both models are shown side by side",
        )


def search_for_limits(
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
        written, said = as_written(candidate.model, source, config.target)
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
