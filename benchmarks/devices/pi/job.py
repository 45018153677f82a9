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
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.accuracy import Judging, prepare_judging
from benchmarks.devices.pi.board import Content
from benchmarks.spec import BenchSpec
from edge_effnet.data.listing import content_hash

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
        judging: what is known of the images that judge; joined to the accuracy measured there.
    """

    id: str
    spec: Mapping[str, Any]
    links: Mapping[str, str]
    contents: Mapping[str, Content]
    paths: Mapping[str, str]
    names: tuple[str, ...]
    judging: Mapping[str, Any] | None = None

    def to_json(self, **more: Any) -> dict[str, Any]:
        """What the Pi keeps: enough to run it, and for any host to fetch it."""
        return {
            "id": self.id,
            "spec": dict(self.spec),
            "links": dict(self.links),
            "paths": dict(self.paths),
            "names": list(self.names),
            "judging": self.judging,
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
        bring(f"{INPUTS}/model{place}/{path.name}", path) for place, path in enumerate(spec.models)
    ]
    for name in ("labels", "native_tool"):
        path: Path | None = getattr(spec, name)
        if path is not None:
            moved[name] = bring(f"{INPUTS}/{name}/{path.name}", path)
    judging = prepare_judging(spec)
    if spec.data is not None and judging is not None:
        samples = judging.dataset.samples
        moved["data"] = f"{INPUTS}/data"
        if spec.data.is_dir():
            for sample in samples:
                bring(f"{INPUTS}/data/{sample.path.relative_to(spec.data).as_posix()}", sample.path)
        else:
            moved["data"] = there = f"{INPUTS}/data/{spec.data.name}"
            renamed = {
                sample.path: bring(f"{INPUTS}/data/{place}/{sample.path.name}", sample.path)
                for place, sample in enumerate(samples)
            }
            table = _renamed_rows(spec.data, renamed, there)
            links[there] = key = hashlib.sha256(table).hexdigest()
            contents[key] = table
        paths[moved["data"]] = str(spec.data)
    moved["wheels"] = None
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Job(
        f"{now}-{secrets.token_hex(3)}", moved, links, contents, paths, spec.names, _told(judging)
    )


def _told(judging: Judging | None) -> dict[str, Any] | None:
    """What is known of all the images, those too that do not judge and stay here."""
    if judging is None:
        return None
    return judging.judged.to_json() | {"warnings": list(judging.warnings)}


def _renamed_rows(source: Path, renamed: Mapping[Path, str], there: str) -> bytes:
    """The rows of a CSV whose files are wanted, with the names these have on the Pi."""
    text = io.StringIO()
    delimiter = "\t" if source.suffix == ".tsv" else ","
    with source.open(newline="", encoding="utf-8-sig") as lines:
        rows = csv.DictReader(lines, delimiter=delimiter)
        writer = csv.DictWriter(text, list(rows.fieldnames or ()), delimiter=delimiter)
        writer.writeheader()
        for row in rows:
            place = renamed.get(source.parent / (row["file"] or ""))
            if place is not None:
                writer.writerow({**row, "file": Path(place).relative_to(Path(there).parent)})
    return text.getvalue().encode()


def returned(value: Any, paths: Mapping[str, str]) -> Any:
    """A result with every path on the Pi turned into the one here."""
    if isinstance(value, str):
        return paths.get(value, value)
    if isinstance(value, dict):
        return {key: returned(inner, paths) for key, inner in value.items()}
    if isinstance(value, list):
        return [returned(inner, paths) for inner in value]
    return value
