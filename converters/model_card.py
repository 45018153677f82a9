"""What a written file says of itself: its labels, metadata and model card."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from converters.accuracy.strategies import Rung, rung_of
from converters.calibration.images import Pictures
from converters.calibration.ranges import ROLE_METHODS
from converters.conversion import ConvertConfig
from converters.float_model.source import Source
from converters.quantization.recipes import RECIPES
from edge_effnet import __version__
from edge_effnet.artifact import LABELS_NAME, Card
from edge_effnet.data.trained_on import record
from edge_effnet.files import image_hash
from edge_effnet.heads.head import numbers
from edge_effnet.metrics import Comparison
from edge_effnet.tflite.editor import add_metadata
from edge_effnet.tflite.metadata import METADATA_NAME, write_metadata

# What a card keeps of each model's figures, whatever its head.
MEASURED = ("top1", "top5", "exact_match", "mean_average_precision", "mae", "r2")


def choose_labels(source: Source, pictures: Pictures) -> tuple[str, ...]:
    """The labels that were given, else the data's own class names, else numbers."""
    if source.labels is not None:
        return source.labels
    if pictures.generated:
        return numbers(source.classes)
    return pictures.evaluation.labels


def with_metadata(model: bytes, source: Source, recipe: str) -> bytes:
    low = tuple((0 - m) / s for m, s in zip(source.how.mean, source.how.std, strict=False))
    high = tuple((255 - m) / s for m, s in zip(source.how.mean, source.how.std, strict=False))
    content = write_metadata(
        name=f"{source.name} {recipe}",
        description="Image classifier made by edge-effnet; see model_card.json in this file.",
        version=__version__,
        # Readers take the file for one name for each score, which one score for two is not.
        labels_file=LABELS_NAME if source.head.classes == source.head.outputs else None,
        mean=source.how.mean,
        std=source.how.std,
        input_range=(min(low), max(high)),
    )
    return add_metadata(model, {METADATA_NAME: content})


def make_card(
    source: Source,
    config: ConvertConfig,
    pictures: Pictures,
    name: str,
    labels: tuple[str, ...],
    rung: Rung | None = None,
) -> Card:
    steps = list(source.steps)
    recipe = RECIPES.get(name)
    if recipe is not None:
        rung = rung or rung_of(recipe)
        step: dict[str, Any] = {
            "step": "quantized",
            "recipe": asdict(recipe),
            "by": f"ai-edge-quantizer {metadata.version('ai-edge-quantizer')}",
        }
        if recipe.calibrated:
            step["calibration"] = pictures.calibration.describe()
            step["ranges"] = {
                "methods": dict(ROLE_METHODS) if rung.ranges == "roles" else rung.ranges,
                "pinned": "input; logits not clipped",
            }
        step["rung"] = asdict(rung)
        if rung.recovery:  # which learns from the images
            step["data"] = {"images": record(pictures.calibration.images, None)}
        if recipe.full_integer:
            step["interface"] = config.interface
        steps.append(step)
    return Card(
        name=f"{source.name}-{name}",
        labels=labels,
        preprocess=source.how,
        variant=source.variant,
        weights=source.weights,
        steps=tuple(steps),
        tool={"edge-effnet": __version__},
        head=source.head,
    )


def measured_record(comparison: Comparison | None, pictures: Pictures) -> dict[str, Any] | None:
    if comparison is None:
        return None
    full = comparison.to_json()
    kept = (
        "n",
        "agreement",
        "agreement_interval",
        "drop_points",
        "drop_interval_points",
        "mcnemar_p",
        "value_difference",
    )
    digest = hashlib.sha256()
    for sample in pictures.evaluation.samples:
        digest.update(bytes.fromhex(image_hash(sample.path)))
    return {
        "data": "generated pictures: no evidence of accuracy"
        if pictures.generated
        else Path(pictures.evaluation.source).name,
        "data_sha256": digest.hexdigest(),
        **{key: full[key] for key in kept if key in full},
        **{
            role: {key: full[role][key] for key in MEASURED if full[role].get(key) is not None}
            for role in ("reference", "candidate")
        },
    }
