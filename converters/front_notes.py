"""What it brings and costs that the first operators of an int8 file compute in float."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from converters.accuracy.strategies import Strategy, counterpart, front_of
from converters.calibration.images import ConversionImages
from converters.config import ConvertConfig
from converters.conversion import ConvertedFile
from converters.quantization.candidates import Candidate, Context
from converters.quantization.pixel_codes import without_identity
from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.measure.timing import time_files
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.runtime.evaluating.predict import predict

_TIMING_SECONDS = 1.0


def front_notes(
    made: Sequence[ConvertedFile],
    made_by: Sequence[tuple[Strategy, Candidate]],
    context: Context,
    images: ConversionImages,
    config: ConvertConfig,
    scratch: Path,
) -> tuple[str, ...]:
    """A line for each int8 file that computes in float where 8 bits are too few, or that was to
    be full integer all the same.

    Args:
        made, made_by: the files of the recipes, and what they were made by, in the same order.
    """
    notes = []
    for file, (strategy, candidate) in zip(made, made_by, strict=True):
        if strategy.quantization.edge_tpu:
            notes += _edge_tpu_notes(file, context)
            continue
        if file.comparison is None:
            continue
        values = file.comparison.value_difference is not None
        other = counterpart(
            strategy, candidate, context, values=values, full_integer=config.full_integer
        )
        if other is None:
            continue
        preprocess = context.calibration.preprocess
        comparison, ratio = _measured(file, other, preprocess, images, config, scratch)
        figures = figures_of(file.comparison, comparison, generated=images.generated)
        moved = len(candidate.left_float ^ other.left_float)
        operators = f"the first {moved} of {len(context.structure.operators)} operators"
        notes.append(
            f"8 bits are too few for {operators} of {file.path.name}: {figures} with those in "
            f"float, in {1 / ratio:.2f} of the time (leave --full-integer out)"
            if config.full_integer
            else f"{operators} of {file.path.name} compute in float, for which 8 bits are too "
            f"few: {figures}, in {ratio:.2f} of full integer's time; not for the Edge TPU "
            "(--full-integer keeps nothing in float)"
        )
    return tuple(notes)


def _edge_tpu_notes(file: ConvertedFile, context: Context) -> list[str]:
    """Of a file that may keep nothing in float."""
    if not (front := front_of(context)):
        return []
    return [
        f"8 bits are too few for the first {len(front)} of {len(context.structure.operators)} "
        f"operators of {file.path.name}, and an Edge TPU computes none in float: expect answers "
        "far from float's; --int8 keeps those in float, for a CPU"
    ]


def _measured(
    file: ConvertedFile,
    other: Candidate,
    preprocess: Preprocess,
    images: ConversionImages,
    config: ConvertConfig,
    scratch: Path,
) -> tuple[Comparison, float]:
    """The other model compared with float, and the file's time over the other's."""
    card, path = read_artifact(file.path).card, scratch / "counterpart.tflite"
    if card is None or file.comparison is None:
        raise ValueError(f"{file.path} has no model card")
    written = without_identity(other.model, preprocess)
    card = replace(card, preprocess=written.preprocess, unknown=None)
    write_artifact(path, written.model, card, overwrite=True)
    found = predict(path, images.evaluation, workers=config.workers, strict=config.strict)
    own, others = time_files((file.path, path), seconds=_TIMING_SECONDS).medians_ms
    return compare_predictions(file.comparison.reference_predictions, found), own / others


def figures_of(own: Comparison, other: Comparison, *, generated: bool) -> str:
    """The file's figure instead of the other's, and on what images where these are no photos."""
    on = " on generated images, which say little of photos" if generated else ""
    if own.value_difference is not None and other.value_difference is not None:
        found = own.value_difference.mean_abs, other.value_difference.mean_abs
        return f"mean difference {found[0]:.4g} instead of {found[1]:.4g}{on}"
    return f"agreement {own.agreement_percent:.1f} instead of {other.agreement_percent:.1f} %{on}"
