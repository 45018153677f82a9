"""What a conversion was asked for and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.accuracy.limits import Gate
from converters.accuracy.search import Climb
from converters.calibration.images import Pictures
from converters.float_model.source import Source
from converters.quantization.recipes import FLOAT32, QuantRecipe
from edge_effnet.metrics import Comparison
from edge_effnet.tflite.editor import Interface


@dataclass(frozen=True)
class Settings:
    """What the user asked for.

    Attributes:
        data, calibration: images that judge and that calibrate, or None.
        calibration_count, evaluation_count: how many of them at most.
        workers: cores to use.
        gate: limits that the int8 file must keep; None writes whatever comes out.
        allow_float: tensors that may stay float where no full-integer rung fits.
        recovery_steps: of the rung that trains; None for the default.
        recovery_labels: whether the calibration pictures' labels teach there too.
        resume: take over rungs that an earlier run measured.
    """

    out: Path
    recipes: tuple[QuantRecipe, ...]
    interface: Interface = "uint8"
    data: Path | None = None
    calibration: Path | None = None
    calibration_count: int = 200
    evaluation_count: int | None = None
    seed: int = 0
    workers: int = 1
    strict: bool = False
    force: bool = False
    gate: Gate | None = None
    allow_float: int = 0
    recovery_steps: int | None = None
    recovery_labels: bool = False
    resume: bool = False


@dataclass(frozen=True)
class Made:
    """One written file.

    Attributes:
        comparison: against the float file; None for the float file itself.
        latency_ms: median of one inference on one core, interleaved with the others.
    """

    recipe: str
    path: Path
    size_bytes: int
    latency_ms: float
    comparison: Comparison | None


@dataclass(frozen=True)
class Conversion:
    """What came out: the float file first, then one file for each recipe.

    Attributes:
        made: empty where a limit was missed and so nothing was written.
        calibration: what calibrated, described while drawn pictures still existed.
        climb: the rungs that were tried, where limits were set.
        doubts: why the latencies are not to be trusted, in sentences.
    """

    made: tuple[Made, ...]
    pictures: Pictures
    source: Source
    calibration: Mapping[str, Any]
    climb: Climb | None = None
    doubts: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return (*self.pictures.warnings, *self.doubts)

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "edge-effnet conversion",
            "version": 1,
            "weights": dict(self.source.weights),
            "calibration": dict(self.calibration),
            "evaluation": "generated pictures" if self.pictures.generated else "labelled images",
            **(self.pictures.judged.to_json() if self.pictures.judged else {}),
            "warnings": list(self.warnings),
            "left_out": self.pictures.left_out_json(),
            "ladder": self.climb.to_json() if self.climb else None,
            "models": [
                {
                    "recipe": made.recipe,
                    "file": str(made.path),
                    "size_bytes": made.size_bytes,
                    "size_ratio": made.size_bytes / self.made[0].size_bytes,
                    "latency_ms": made.latency_ms,
                    "latency_ratio": made.latency_ms / self.made[0].latency_ms,
                    "comparison": made.comparison.to_json() if made.comparison else None,
                }
                for made in self.made
            ],
        }


def output_paths(name: str, settings: Settings) -> dict[str, Path]:
    """Where each recipe's file goes: ``OUT/NAME-RECIPE.tflite``."""
    recipes = [FLOAT32, *(recipe.name for recipe in settings.recipes)]
    return {recipe: settings.out / f"{name}-{recipe}.tflite" for recipe in recipes}
