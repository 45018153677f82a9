"""The network that ``teach`` begins with, converted from the weights of the registry's package."""

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


def make_base(stage: StartStage = no_progress, *, parent: Path | None = None) -> bytes:
    """EfficientNet-Lite0 with ImageNet weights in int8, a whole ``.tflite`` with its card.

    The same bytes on the same machine: a hundred generated images set the ranges, which the card
    says. Nothing is downloaded.

    Args:
        parent: of the scratch folder; by default the system's folder for temporary files.

    Raises:
        WeightsError: the package of the weights is not installed, or holds other weights.
        MissingExtra: the extra ``train`` is not installed.
        OutputError: the scratch folder cannot be written.
    """
    done = stage("exporting the float model", None)
    choice = ModelChoice(variant="lite0", weights="imagenet")
    # In a process of its own: what this one has built before would enter the tensors' names.
    source = open_apart(choice) or choice.open_here()
    done(1)
    with scratch_folder(parent) as folder:
        config = ConvertConfig(out=folder, recipes=(RECIPES["int8"],), workers=available_cores())
        return convert(source, config, stage).made[-1].path.read_bytes()
