"""What a written file says of itself: its labels, metadata and model card."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from converters.accuracy.strategies import Strategy
from converters.calibration.images import ConversionImages
from converters.calibration.ranges import ROLE_METHODS
from converters.config import ConvertConfig
from converters.float_model.source import Source
from converters.frigate.model import with_bytes
from converters.quantization.candidates import Candidate
from converters.quantization.pixel_codes import without_identity
from converters.quantization.recipes import FLOAT32
from edge_effnet import __version__
from edge_effnet.artifact import LABELS_NAME, Card
from edge_effnet.data.division.trained_on import record
from edge_effnet.files.read import image_hash
from edge_effnet.heads.head import numbers
from edge_effnet.metrics import Comparison
from edge_effnet.metrics.two_models.measured import measured_figures
from edge_effnet.tflite.editor import add_metadata
from edge_effnet.tflite.metadata import METADATA_NAME, metadata_of

# What a card keeps of each model's figures, whatever its head.


def choose_labels(source: Source, images: ConversionImages) -> tuple[str, ...]:
    """The labels that were given, else the data's own class names, else numbers."""
    if source.labels is not None:
        return source.labels
    if images.generated:
        return numbers(source.classes)
    return images.evaluation.labels


def as_written(model: bytes, source: Source, target: str | None) -> tuple[bytes, Source]:
    """A model without what does nothing in it, and how pixels become its input then.

    Args:
        target: the program that reads it, of a file that is not float.

    Raises:
        ModelError: that program cannot.
    """
    pixels = without_identity(model, source.preprocess)
    if target == "frigate":
        pixels = with_bytes(pixels.model, pixels.preprocess)
    return pixels.model, replace(source, preprocess=pixels.preprocess)


def with_metadata(model: bytes, source: Source, recipe: str) -> bytes:
    content = metadata_of(
        source.preprocess,
        name=f"{source.name} {recipe}",
        version=__version__,
        # Readers take the file for one name for each score, which one score for two is not.
        labels_file=LABELS_NAME if source.head.classes == source.head.outputs else None,
    )
    return add_metadata(model, {METADATA_NAME: content})


def make_card(
    source: Source,
    config: ConvertConfig,
    images: ConversionImages,
    labels: tuple[str, ...],
    strategy: Strategy | None = None,
    candidate: Candidate | None = None,
) -> Card:
    """What a file says of itself.

    Args:
        strategy, candidate: what it was made by and what came of that; None for the float file.
    """
    steps = list(source.steps)
    if strategy is not None and candidate is not None:
        recipe = candidate.recipe
        step: dict[str, Any] = {
            "step": "quantized",
            "recipe": asdict(recipe),
            "by": f"litert-quantizer {metadata.version('litert-quantizer')}",
        }
        if recipe.calibrated:
            step["calibration"] = images.calibration.describe()
            step["ranges"] = {
                "methods": dict(ROLE_METHODS)
                if candidate.ranges_by == "roles"
                else candidate.ranges_by,
                "pinned": "input; logits not clipped",
            }
        step["rung"] = strategy.to_json()
        if strategy.training:  # which learns from the images
            step["data"] = {"images": record(images.calibration.images, None)}
        if recipe.full_integer:
            step["interface"] = config.interface
        steps.append(step)
    return Card(
        name=f"{source.name}-{strategy.recipe if strategy else FLOAT32}",
        labels=labels,
        preprocess=source.preprocess,
        variant=source.variant,
        weights=source.weights,
        steps=tuple(steps),
        tool={"edge-effnet": __version__},
        head=source.head,
        thresholds=source.thresholds,
    )


def measured_record(
    comparison: Comparison | None, images: ConversionImages
) -> dict[str, Any] | None:
    if comparison is None:
        return None
    digest = hashlib.sha256()
    for sample in images.evaluation.samples:
        digest.update(bytes.fromhex(image_hash(sample.path)))
    return {
        "data": "generated pictures: no evidence of accuracy"
        if images.generated
        else Path(images.evaluation.source).name,
        "data_sha256": digest.hexdigest(),
        **measured_figures(comparison),
    }
