"""What came of a conversion, and where its files go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.accuracy.outcome import SearchOutcome
from converters.calibration.images import ConversionImages
from converters.config import ConvertConfig
from converters.edgetpu.convert_step import EdgeTpuOutcome, compiled_path
from converters.float_model.source import Source
from converters.frigate.folder import MODEL, folder_files
from converters.quantization.recipes import FLOAT32
from edge_effnet.artifact import read_artifact
from edge_effnet.errors import OutputError
from edge_effnet.files import scratch
from edge_effnet.metrics import Comparison

TRIALS, QAT_STATE = "-trials.json", "-qat.state"
"""What ``--resume`` takes over: OUT/NAME-trials.json, OUT/NAME-qat.state."""


@dataclass(frozen=True)
class ConvertedFile:
    """One written file.

    Attributes:
        comparison: against the float file; None for the float file itself.
        latency_ms: median of one inference on one core, interleaved with the others.
        kept: whether it was written; else it was only measured.
    """

    recipe: str
    path: Path
    size_bytes: int
    latency_ms: float
    comparison: Comparison | None
    kept: bool = True


@dataclass(frozen=True)
class Conversion:
    """What came out: the float file first, then one file for each recipe.

    Attributes:
        made: empty where a limit was missed and so nothing was written.
        images: the calibration and evaluation images.
        calibration: what calibrated, described while generated images still existed.
        search: the strategies that were tried, where limits were set.
        doubts: why the latencies are not to be trusted, in sentences.
        edgetpu: of the file for the Edge TPU, where there is one.
        notes: what was done to the model by itself, and what that costs, in sentences.
    """

    made: tuple[ConvertedFile, ...]
    images: ConversionImages
    source: Source
    calibration: Mapping[str, Any]
    search: SearchOutcome | None = None
    doubts: tuple[str, ...] = ()
    edgetpu: EdgeTpuOutcome | None = None
    notes: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        return (*self.images.warnings, *self.doubts)

    def _evaluation(self) -> str:
        if self.images.generated:
            return "generated pictures"
        return "unlabelled images" if self.images.spare else "labelled images"

    def to_json(self) -> dict[str, Any]:
        return {
            "format": "edge-effnet conversion",
            "version": 1,
            "weights": dict(self.source.weights),
            "calibration": dict(self.calibration),
            "evaluation": self._evaluation(),
            **(self.images.evaluation_set.to_json() if self.images.evaluation_set else {}),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
            "left_out": self.images.left_out_json(),
            "ladder": self.search.to_json() if self.search else None,
            "models": [
                {
                    "recipe": made.recipe,
                    "file": str(made.path) if made.kept else None,
                    "size_bytes": made.size_bytes,
                    "size_ratio": made.size_bytes / self.made[0].size_bytes,
                    "latency_ms": made.latency_ms,
                    "latency_ratio": made.latency_ms / self.made[0].latency_ms,
                    "comparison": made.comparison.to_json() if made.comparison else None,
                }
                for made in self.made
            ],
            **({"edgetpu": self.edgetpu.to_json()} if self.edgetpu else {}),
        }


def output_paths(name: str, config: ConvertConfig) -> dict[str, Path]:
    """Where each recipe's file goes, and the fallback's: ``OUT/NAME-RECIPE.tflite``; for Frigate
    the one file that it reads."""
    if config.target == "frigate":
        return {recipe.name: config.out / MODEL for recipe in config.recipes}
    recipes = [FLOAT32, *(recipe.name for recipe in config.recipes)]
    recipes += [config.fallback] if config.fallback else []
    return {recipe: config.out / f"{name}-{recipe}.tflite" for recipe in recipes}


def files_to_write(name: str, config: ConvertConfig, own_file: Path | None) -> list[Path]:
    """Every file of a conversion but the user's model where that stays what it is.

    Raises:
        OutputError: one of them is the user's model, and would be another file.
    """
    paths = output_paths(name, config)
    others = [compiled_path(paths[one.name]) for one in config.recipes if one.edge_tpu]
    if config.target == "frigate":
        others += folder_files(config.out)
    files = []
    for path in dict.fromkeys((*paths.values(), *others)):
        if not _same_file(path, own_file):
            files.append(path)
        # Of ours the float file stays what it is.
        elif path != paths.get(FLOAT32) or read_artifact(path).card is None:
            raise OutputError(
                f"{path} is the model itself, and one of the files to write",
                expected="another folder for the files",
                fix="choose one with --out",
            )
    return files


def _same_file(path: Path, other: Path | None) -> bool:
    return other is not None and path.exists() and other.exists() and path.samefile(other)


@contextmanager
def scratch_folder(out: Path) -> Iterator[Path]:
    """A hidden folder beside the results: same disk, so its space is the results' space."""
    with ExitStack() as stack:
        try:
            out.mkdir(parents=True, exist_ok=True)
            folder = stack.enter_context(scratch.scratch_folder(out))
        except OSError as error:
            raise OutputError(
                f"{out} cannot be written",
                found=error.strerror or str(error),
                expected="a folder you may write to",
                fix="choose another with --out",
            ) from error
        yield folder
