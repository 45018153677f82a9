"""The conversion from end to end: float model, images, recipes, proof, files.

Everything is made in a scratch folder and measured there; files appear under their own names
only at the end, whole and with the measured figures in their cards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from converters.accuracy.selection import refuse_void_limits
from converters.accuracy.strategies import (
    Strategy,
    default_strategy,
)
from converters.calibration.images import ConversionImages, choose_images
from converters.comparing import compare_files, on_generated, on_trained
from converters.config import ConvertConfig
from converters.conversion import (
    QAT_STATE,
    Conversion,
    ConvertedFile,
    output_paths,
    scratch_folder,
)
from converters.edgetpu.convert_step import finish_for_edgetpu
from converters.float_model.fold_normalization import with_folded_normalization
from converters.float_model.input_pixels import settle_input
from converters.float_model.source import Source, refuse_broken_weights
from converters.frigate.acceptance import acceptance_notes
from converters.frigate.folder import classifier_name, files_beside, refuse_bad_labels
from converters.frigate.source import as_fed
from converters.front_notes import front_notes
from converters.layer_notes import layer_notes
from converters.limits_step import refuse_limits_of_values, search_for_limits
from converters.model_card import (
    as_written,
    choose_labels,
    make_card,
    measured_record,
    with_metadata,
)
from converters.quantization.answer.float_answer import refuse_without_last_layer
from converters.quantization.candidates import Candidate, Context
from converters.quantization.operators.in_float import told_left_float
from converters.quantization.qat.config import QatRun
from converters.quantization.recipes import FLOAT32, RECIPES, UNPRUNED
from converters.similarity import KnownImages, add_similarity, decide_unknown, known_images
from edge_effnet.artifact import Card, artifact_bytes, write_artifact
from edge_effnet.data.signs.option import SIGNS
from edge_effnet.files.write import write_together
from edge_effnet.heads.unknown import Unknown
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
        DataError, ModelError: see ``refuse_broken_weights``, ``settle_input``,
            ``refuse_without_last_layer``, ``choose_images``, ``quantize``.
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
    refuse_limits_of_values(source, config)
    if config.target == "frigate":
        source = as_fed(source)
    source, notes = with_folded_normalization(source)
    if config.teachable:
        refuse_without_last_layer(source.model, source.structure, source.name)
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
        if config.target == "frigate":
            refuse_bad_labels(labels, source.name)
        context = _context(source, config, images, stage)
        outcome = search_for_limits(source, config, images, labels, context, scratch, stage, tell)
        if outcome is None:
            made_by = _make(source, config, context, stage)
        else:
            if outcome.missed() and not config.force:
                return Conversion((), images, source, described, outcome, notes=notes)
            images = replace(images, evaluation=outcome.confirmation, generated=False)
            made_by = [(outcome.best.strategy, outcome.candidate)]
        files = _files(source, config, images, labels, made_by)
        known = known_images(images, config, labels, source.head)
        made, doubts = _write(files, images, known, config, scratch, stage)
        small = made[len(made) - len(made_by) :]
        notes += front_notes(small, made_by, context, images, config, scratch)
        if not images.generated:
            notes += layer_notes(small, [made for _, made in made_by], context, config, stage)
            if config.target == "frigate" and small[0].comparison is not None:
                notes += acceptance_notes(small[0].comparison.candidate_predictions)
    edgetpu = next(
        (finish_for_edgetpu(file.path) for file in made if _for_edge_tpu(file.recipe)),
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
    kept: bool = True


def _files(
    source: Source,
    config: ConvertConfig,
    images: ConversionImages,
    labels: tuple[str, ...],
    made_by: Sequence[tuple[Strategy, Candidate]],
) -> Iterator[_File]:
    """The reference first: the float model, or the one that it was pruned from."""

    def file(recipe: str, given: Source, model: bytes, *made: Any) -> _File:
        kind = FLOAT32 if recipe == UNPRUNED else recipe
        kept = config.target is None or kind != FLOAT32
        written, said = as_written(model, given, config.target if kept else None)
        return _File(
            recipe,
            output_paths(given.name, config).get(kind, config.out / f"{given.name}-{kind}.tflite"),
            with_metadata(written, said, kind),
            make_card(said, config, images, labels, *made),
            kept,
        )

    original = source.unpruned
    if original:
        yield file(UNPRUNED, original, original.model)
    yield file(FLOAT32, source, source.model)
    for strategy, candidate in made_by:
        yield file(strategy.recipe, source, candidate.model, strategy, candidate)


def _for_edge_tpu(recipe: str) -> bool:
    return recipe in RECIPES and RECIPES[recipe].edge_tpu


def _write(
    made: Iterable[_File],
    images: ConversionImages,
    known: KnownImages | None,
    config: ConvertConfig,
    scratch: Path,
    stage: StartStage,
) -> tuple[tuple[ConvertedFile, ...], tuple[str, ...]]:
    """Measure the files in the scratch folder and write them, with doubts about the times."""
    files = list[_File]()
    for file in made:
        write_artifact(scratch / file.target.name, file.model, file.card, overwrite=True)
        files.append(replace(file, model=b""))  # which takes memory, and lies there
    paths = [scratch / file.target.name for file in files]
    targets = [file.target for file in files]
    if known is not None:
        done = stage("computing features", len(paths))
        for number, (path, file) in enumerate(zip(paths, files, strict=True), 1):
            if not _for_edge_tpu(file.recipe):  # which is compiled as one answer
                add_similarity(path, known, file.card.name, config.workers)
            done(number)
    comparisons = compare_files(paths, targets, images.evaluation, config, stage)
    rules = dict[Path, Unknown]()
    if known is not None:
        rules, comparisons = decide_unknown(paths, comparisons, images.evaluation, config.workers)
    if images.generated:
        comparisons = [found and on_generated(found) for found in comparisons]
    elif images.evaluation_set is not None and not images.evaluation_set.is_evidence:
        comparisons = [found and on_trained(found) for found in comparisons]
    timed = stage("timing", None)
    timing = time_files(paths, seconds=1.5)
    timed(1)
    content = {}
    for file, path, comparison in zip(files, paths, comparisons, strict=True):
        measured = measured_record(comparison, images)
        card = replace(file.card, measured=measured, unknown=rules.get(path))
        content[file.target] = artifact_bytes(path.read_bytes(), card)[0]
    sizes = {target: len(data) for target, data in content.items()}
    content = {file.target: content[file.target] for file in files if file.kept}
    if config.target == "frigate":
        beside = files_beside(classifier_name(config.out), files[-1].card.labels)
        content |= {config.out / name: data for name, data in beside.items()}
    write_together(content, overwrite=True)
    written = tuple(
        ConvertedFile(
            file.recipe, file.target, sizes[file.target], latency_ms, comparison, file.kept
        )
        for file, comparison, latency_ms in zip(files, comparisons, timing.medians_ms, strict=True)
    )
    return written, timing.doubts


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
        config.teachable,
    )
