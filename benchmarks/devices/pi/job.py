"""A measurement as it travels: a spec whose paths exist on the Pi, and the way back.

Everything it needs is named by content; on the Pi it lies below ``inputs/`` in the job's folder,
under names that tell the same story as here. In the result every such name is turned back into
the path the user gave.
"""

from __future__ import annotations

import csv
import hashlib
import io
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.accuracy import plan_accuracy
from benchmarks.devices.pi.answers import not_understood
from benchmarks.devices.pi.board import Content
from benchmarks.results.result import Result, parse_result
from benchmarks.spec import BenchSpec
from edge_effnet.data.dataset import Sample
from edge_effnet.errors import DataError
from edge_effnet.files.read import content_hash
from edge_effnet.runtime.evaluating.plan import EvaluationPlan

INPUTS = "inputs"


@dataclass(frozen=True)
class Job:
    """A measurement to be made elsewhere.

    Attributes:
        spec: as JSON, with the paths it has there.
        links: path there to content hash.
        contents: content hash to what it stands for here.
        paths: path there to path here.
        names: of the models, as people here know them.
        evaluation_set: what is known of the evaluation images; joined to the accuracy measured
            there.
    """

    id: str
    spec: Mapping[str, Any]
    links: Mapping[str, str]
    contents: Mapping[str, Content]
    paths: Mapping[str, str]
    names: tuple[str, ...]
    evaluation_set: Mapping[str, Any] | None = None

    def to_json(self, **more: Any) -> dict[str, Any]:
        """What the Pi keeps: enough to run it, and for any host to fetch it."""
        return {
            "id": self.id,
            "spec": dict(self.spec),
            "links": dict(self.links),
            "paths": dict(self.paths),
            "names": list(self.names),
            "evaluation_set": self.evaluation_set,
            **more,
        }


def make_job(spec: BenchSpec) -> Job:
    """Gather what a spec needs.

    Raises:
        DataError, ModelError: a file that is missing, data that do not fit the models.
    """
    links: dict[str, str] = {}
    contents: dict[str, Content] = {}
    paths: dict[str, str] = {}

    def bring(there: str, here: Path) -> str:
        links[there] = key = content_hash(here)
        contents[key] = here
        paths[there] = str(here)
        return there

    moved = spec.to_json()
    moved["models"] = [
        bring(f"{INPUTS}/model{index}/{path.name}", path) for index, path in enumerate(spec.models)
    ]

    def bring_text(there: str, text: str) -> str:
        content = text.encode()
        links[there] = key = hashlib.sha256(content).hexdigest()
        contents[key] = content
        return there

    plan = plan_accuracy(spec)
    if spec.native_tool is not None:
        path = spec.native_tool
        moved["native_tool"] = bring(f"{INPUTS}/native_tool/{path.name}", path)
    if plan is not None and plan.dataset.labels:
        text = "".join(f"{label}\n" for label in plan.dataset.labels)
        moved["labels"] = bring_text(f"{INPUTS}/labels/labels.txt", text)
    elif spec.labels is not None:
        moved["labels"] = bring(f"{INPUTS}/labels/{spec.labels.name}", spec.labels)
    if spec.data is not None and plan is not None:
        samples = plan.dataset.samples
        files = [
            bring(f"{INPUTS}/data/{index}/{sample.path.name}", sample.path)
            for index, sample in enumerate(samples)
        ]
        moved["data"] = f"{INPUTS}/data"
        if plan.dataset.labels:  # as they were read here, so that nothing is read otherwise
            moved["data"] = bring_text(f"{INPUTS}/data/labels.csv", _table(samples, files))
        paths[moved["data"]] = plan.dataset.source
    moved["wheels"] = None
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Job(
        f"{now}-{secrets.token_hex(3)}", moved, links, contents, paths, spec.names, _told(plan)
    )


def _told(plan: EvaluationPlan | None) -> dict[str, Any] | None:
    """What is known of all the images, those too that are left out and stay here."""
    if plan is None:
        return None
    return {**plan.evaluation_set.to_json(), "warnings": plan.warnings}


def _table(samples: Sequence[Sample], files: Sequence[str]) -> str:
    """A CSV of samples, with the names of their files on the Pi."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("file", "class_index"))
    for sample, there in zip(samples, files, strict=True):
        name = Path(there).relative_to(f"{INPUTS}/data").as_posix()
        writer.writerow((name, "|".join(map(str, sample.stratum))))
    return text.getvalue()


def returned(value: Any, paths: Mapping[str, str]) -> Any:
    """A result with every path on the Pi turned into the one here."""
    if isinstance(value, str):
        return paths.get(value, value)
    if isinstance(value, dict):
        return {key: returned(inner, paths) for key, inner in value.items()}
    if isinstance(value, list):
        return [returned(inner, paths) for inner in value]
    return value


def read_result(raw: Any, job: Any, device: str) -> Result:
    """A result as if it had been measured on the files here.

    Args:
        raw, job: JSON, as the Pi has them.

    Raises:
        EdgeEffnetError: it is damaged, or of a damaged copy of a model.
    """
    try:
        return _as_here(raw, job, device)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise not_understood(device, f"a result without its parts: {error}") from error


def _as_here(raw: dict[str, Any], job: Mapping[str, Any], device: str) -> Result:
    models = job["spec"]["models"]
    for case in raw["cases"]:
        if case["sha256"] != job["links"][case["file"]]:
            raise DataError(
                f"{device} ran another file than {job['paths'][case['file']]}",
                found="a damaged copy there",
                fix="remove what is there, and measure again: --clean",
            )
        case["name"] = job["names"][models.index(case["file"])]
    if raw.get("accuracy") and job.get("evaluation_set"):
        raw["accuracy"] |= job["evaluation_set"]
    return parse_result(
        {**returned(raw, job["paths"]), "device": device}, f"the result of {device}"
    )
