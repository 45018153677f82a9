"""What a report can be made of: results of bench, comparisons, conversions, camera runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results.result import FORMAT as RESULT_FORMAT
from benchmarks.results.result import Result, parse_result
from benchmarks.results.schema import first_fault, load_schema
from benchmarks.results.store import SERIES_FORMAT, read_json, read_results
from edge_effnet.errors import DataError

COMPARISON_FORMAT = "edge-effnet/comparison"
CONVERSION_FORMAT = "edge-effnet conversion"
CAMERA_FORMAT = "edge-effnet/camera"
COMPARISON_SCHEMA = "comparison.schema.json"
CAMERA_SCHEMA = "feed.schema.json"
_NEWEST = 1  # version of the three foreign formats that this page understands

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """Everything the page shows, in the order given.

    Attributes:
        conversions: documents of ``convert --json``; their comparisons are in ``comparisons``.
        camera_runs: the figures of ``camera --json``; what it compared is in ``comparisons``.
    """

    results: tuple[Result, ...]
    comparisons: tuple[Json, ...]
    conversions: tuple[Json, ...]
    camera_runs: tuple[Json, ...] = ()


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read files of any of these kinds; of a series of results, all.

    Raises:
        DataError: a file of another kind, damaged, or of a newer version.
    """
    results: list[Result] = []
    comparisons: list[Json] = []
    conversions: list[Json] = []
    camera_runs: list[Json] = []
    for path in paths:
        raw = read_json(path)
        kind = raw.get("format") if isinstance(raw, dict) else None
        if kind == SERIES_FORMAT:
            results += read_results(path)
        elif kind == RESULT_FORMAT:
            results.append(parse_result(raw, str(path)))
        elif kind == COMPARISON_FORMAT:
            comparisons.append(_checked(raw, path))
            if "camera" in raw:
                camera_runs.append(_camera_run(raw["camera"], path))
        elif kind == CAMERA_FORMAT:
            camera_runs.append(_camera_run(raw, path))
        elif kind == CONVERSION_FORMAT:
            conversions.append(_conversion(raw, path))
            comparisons += [
                _checked(model["comparison"], path)
                for model in raw["models"]
                if model.get("comparison")
            ]
        else:
            raise DataError(
                f"{path} is nothing a report is made of",
                found=repr(kind) if kind else "JSON of another kind",
                expected="what bench, compare, convert or camera wrote with --json",
                fix="for example: edge-effnet bench MODEL --json result.json",
            )
    for result in results:
        comparisons += [
            _checked(comparison, Path(result.made))
            for comparison in (result.accuracy or {}).get("comparisons", ())
        ]
    return Sources(tuple(results), tuple(comparisons), tuple(conversions), tuple(camera_runs))


def _checked(raw: Json, path: Path) -> Json:
    _refuse_newer(raw, path)
    if fault := first_fault(raw, load_schema(COMPARISON_SCHEMA)):
        raise DataError(f"{path} is damaged", found=fault, fix="compare the models again")
    return raw


def _camera_run(raw: Any, path: Path) -> Json:
    if isinstance(raw, dict):
        _refuse_newer(raw, path)
    if fault := first_fault(raw, load_schema(CAMERA_SCHEMA)):
        raise DataError(f"{path} is damaged", found=fault, fix="run the camera again")
    run: Json = raw
    return run


def _conversion(raw: Json, path: Path) -> Json:
    _refuse_newer(raw, path)
    models = raw.get("models")
    needed = ("recipe", "file", "size_bytes", "latency_ms")
    if not isinstance(models, list) or not all(
        isinstance(model, dict) and all(name in model for name in needed) for model in models
    ):
        raise DataError(
            f"{path} is damaged", found="models without their figures", fix="convert again"
        )
    return raw


def _refuse_newer(raw: Json, path: Path) -> None:
    version = raw.get("version")
    if isinstance(version, int) and version > _NEWEST:
        raise DataError(
            f"{path} was made by a newer edge-effnet",
            found=f"version {version}",
            expected=f"at most {_NEWEST}",
            fix="pip install --upgrade edge-effnet",
        )
