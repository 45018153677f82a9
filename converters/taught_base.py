"""The networks that are taught, converted from the weights of the registry's packages."""

from __future__ import annotations

from pathlib import Path

from converters.config import ConvertConfig
from converters.float_model.apart import open_apart
from converters.float_model.choice import ModelChoice
from converters.pipeline import convert
from converters.quantization.recipes import RECIPES
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.system.cores import available_cores
from edge_effnet.teaching.base import Kind


def make_base(
    stage: StartStage = no_progress,
    *,
    parent: Path | None = None,
    variant: str = "lite0",
    kind: Kind = "int8",
) -> dict[Kind, bytes]:
    """An EfficientNet-Lite with ImageNet weights, whole ``.tflite`` files with their cards: the
    one asked for, and the float one that it is made from.

    The same bytes on the same machine: a hundred generated images set the ranges, which the card
    says. Nothing is downloaded.

    Args:
        parent: of the scratch folder; by default the system's folder for temporary files.
        variant, kind: see ``edge_effnet.teaching.base``.

    Raises:
        WeightsError: the package of the weights is not installed, or holds other weights.
        MissingExtra: the extra ``train`` is not installed.
        OutputError: the scratch folder cannot be written.
    """
    done = stage("exporting the float model", None)
    choice = ModelChoice(variant=variant, weights="imagenet")
    # In a process of its own: what this one has built before would enter the tensors' names.
    source = open_apart(choice) or choice.open_here()
    done(1)
    with scratch_folder(parent) as folder:
        recipes = () if kind == "float32" else (RECIPES[kind],)
        config = ConvertConfig(
            out=folder,
            recipes=recipes,
            workers=available_cores(),
            teachable=kind == "edgetpu",
        )
        made = convert(source, config, stage).made
        return {"float32": made[0].path.read_bytes(), kind: made[-1].path.read_bytes()}
