"""What was measured of a rung, and the file that keeps it for ``--resume``."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from converters.accuracy.candidates import Workshop
from converters.accuracy.limits import AccuracyLimits, Check, check_json
from converters.accuracy.strategies import LADDER_VERSION, Rung
from edge_effnet.data.dataset import Dataset
from edge_effnet.files import image_hash, write_atomically

# Timing of two files in turn wavers by a few percent even on a quiet machine.
SLOWER_THAN_FLOAT = 1.05


@dataclass(frozen=True)
class Tried:
    """One rung, measured on the selection images.

    Attributes:
        top1_percent, drop_points, drop_interval_points: None without labels.
        score_l1: mean over images of the summed score differences, 0–2.
        latency_ratio: median of one inference on one core, over float's.
        seconds: making it; ``resumed`` ones took them in an earlier run.
    """

    rung: Rung
    size_bytes: int
    agreement_percent: float
    score_l1: float
    top1_percent: float | None
    drop_points: float | None
    drop_interval_points: tuple[float, float] | None
    latency_ratio: float
    seconds: float
    checks: tuple[Check, ...]
    resumed: bool = False

    @property
    def fits(self) -> bool:
        return all(found.fits for found in self.checks)

    @property
    def slower(self) -> bool:
        return self.latency_ratio > SLOWER_THAN_FLOAT

    def to_json(self) -> dict[str, Any]:
        return {
            **{key: value for key, value in vars(self).items() if key not in {"rung", "checks"}},
            "rung": asdict(self.rung),
            "checks": [check_json(found) for found in self.checks],
        }


def cache_key(workshop: Workshop, selection: Dataset, gate: AccuracyLimits) -> str:
    """Hash of everything a measured rung depends on besides its row."""
    calibration = workshop.calibration
    settings = LADDER_VERSION, workshop.interface, calibration.sha256(), calibration.truth, gate
    digest = hashlib.sha256(repr(settings).encode())
    digest.update(workshop.model)
    for sample in selection.samples:
        digest.update(f"{image_hash(sample.path)} {sample.label}".encode())
    return digest.hexdigest()


class RungCache:
    """Measured rungs in a JSON file, each under the hash of what it depends on."""

    def __init__(self, path: Path, key: str, *, resume: bool) -> None:
        self._path, self._key = path, key
        self._known: dict[str, Any] = {}
        if resume:
            try:
                self._known = dict(json.loads(path.read_text()))
            except (OSError, ValueError, TypeError):
                self._known = {}  # none, or damaged: measure again

    def _name(self, rung: Rung) -> str:
        return hashlib.sha256(f"{self._key} {rung!r}".encode()).hexdigest()

    def get(self, rung: Rung) -> Tried | None:
        entry = self._known.get(self._name(rung))
        try:
            if entry is None:
                return None
            interval = entry["drop_interval_points"]
            return Tried(
                **{
                    **entry,
                    "rung": rung,
                    "checks": tuple(Check(**found) for found in entry["checks"]),
                    "drop_interval_points": tuple(interval) if interval else None,
                    "resumed": True,
                }
            )
        except (KeyError, TypeError):
            return None

    def put(self, tried: Tried) -> None:
        self._known[self._name(tried.rung)] = tried.to_json()
        write_atomically(self._path, json.dumps(self._known, indent=1).encode(), overwrite=True)
