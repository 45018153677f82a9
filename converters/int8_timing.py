"""How long a network takes as an int8 file, before anything is trained."""

from __future__ import annotations

from converters.config import ConvertConfig
from converters.float_model.choice import ModelChoice
from converters.pipeline import convert
from converters.quantization.recipes import RECIPES
from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.measure.timing import time_files
from edge_effnet.system.cores import available_cores

_IMAGES = 4  # ranges decide no time
_SECONDS = 2.0


def int8_latency_ms(spec: VariantSpec, classes: int) -> float:
    """The median milliseconds of one inference of the int8 file, on one core of this machine.

    The weights are random.

    Raises:
        MissingExtra: the extra ``train`` is not installed.
        OutputError: the scratch folder cannot be written.
    """
    with scratch_folder() as folder:
        write_variant(folder / "variant.json", spec)
        choice = ModelChoice(
            variant=str(folder / "variant.json"),
            weights="random",
            resolution=spec.resolution,
            labels=tuple(f"class {number}" for number in range(classes)),
        )
        config = ConvertConfig(
            out=folder / "files",
            recipes=(RECIPES["int8"],),
            calibration_images=_IMAGES,
            workers=available_cores(),
        )
        made = convert(choice.open(), config).made
        return time_files([made[-1].path], seconds=_SECONDS).medians_ms[0]
