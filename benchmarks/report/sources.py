"""What a report can be made of: results of bench, evaluations, comparisons, conversions, camera
runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.report.documents import (
    CameraDocument,
    ComparisonDocument,
    ConversionDocument,
    EvaluationDocument,
)
from benchmarks.results.result import FORMAT as RESULT_FORMAT
from benchmarks.results.result import Result, parse_result, refuse_newer
from benchmarks.results.store import SERIES_FORMAT, read_json, read_results
from edge_effnet.documents import Malformed, structure
from edge_effnet.errors import DataError
from edge_effnet.metrics.one_model.summary import FORMAT as EVALUATION_FORMAT

COMPARISON_FORMAT = "edge-effnet/comparison"
CONVERSION_FORMAT = "edge-effnet conversion"
CAMERA_FORMAT = "edge-effnet/camera"
_RUN_AGAIN = "run the camera again"
_NEWEST = 1  # version of the foreign formats that this page understands

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Sources:
    """Everything the page shows, in the order given.

    Attributes:
        conversions: documents of ``convert --json``; their comparisons are in ``comparisons``.
        camera_runs: the figures of ``camera --json``; what it compared is in ``comparisons``.
        evaluations: documents of ``evaluate --json``.
    """

    results: tuple[Result, ...]
    comparisons: tuple[Json, ...]
    conversions: tuple[Json, ...]
    camera_runs: tuple[Json, ...] = ()
    evaluations: tuple[Json, ...] = ()


def read_sources(paths: Sequence[Path]) -> Sources:
    """Read files of any of these kinds; of a series of results, all.

    Raises:
        DataError: a file of another kind, damaged, or of a newer version.
    """
    results: list[Result] = []
    comparisons: list[Json] = []
    conversions: list[Json] = []
    camera_runs: list[Json] = []
    evaluations: list[Json] = []
    for path in paths:
        raw = read_json(path)
        kind = raw.get("format") if isinstance(raw, dict) else None
        if kind == SERIES_FORMAT:
            results += read_results(path)
        elif kind == RESULT_FORMAT:
            results.append(parse_result(raw, str(path)))
        elif kind == COMPARISON_FORMAT:
            comparisons.append(_comparison(raw, path))
            if "camera" in raw:
                camera_runs.append(_checked(raw["camera"], path, CameraDocument, _RUN_AGAIN))
        elif kind == CAMERA_FORMAT:
            camera_runs.append(_checked(raw, path, CameraDocument, _RUN_AGAIN))
        elif kind == EVALUATION_FORMAT:
            evaluations.append(_checked(raw, path, EvaluationDocument, "evaluate the model again"))
        elif kind == CONVERSION_FORMAT:
            conversions.append(_checked(raw, path, ConversionDocument, "convert again"))
            comparisons += [
                _comparison(model["comparison"], path)
                for model in raw["models"]
                if model.get("comparison")
            ]
        else:
            raise DataError(
                f"{path} is nothing a report is made of",
                found=repr(kind) if kind else "JSON of another kind",
                expected="what bench, evaluate, compare, convert or camera wrote with --json",
                fix="for example: edge-effnet bench MODEL --json result.json",
            )
    for result in results:
        accuracy = result.accuracy or {}
        about = {"trained_on": accuracy["trained_on"]} if accuracy.get("trained_on") else {}
        comparisons += [
            _comparison({**comparison, **about}, Path(result.made))
            for comparison in accuracy.get("comparisons", ())
        ]
    return Sources(
        tuple(results),
        tuple(comparisons),
        tuple(conversions),
        tuple(camera_runs),
        tuple(evaluations),
    )


def evaluation_source(document: Json) -> Sources:
    """A page's source of one evaluation that was just made."""
    checked = _checked(dict(document), Path("evaluation"), EvaluationDocument, "evaluate it again")
    return Sources((), (), (), (), (checked,))


def _comparison(raw: Any, path: Path) -> Json:
    return _checked(raw, path, ComparisonDocument, "compare the models again")


def _checked(raw: Any, path: Path, kind: type[Any], fix: str) -> Json:
    if isinstance(raw, dict):
        refuse_newer(raw, str(path), _NEWEST)
    try:
        document: Json = structure(raw, kind)
    except Malformed as error:
        raise DataError(f"{path} is damaged", found=str(error), fix=fix) from error
    return document
