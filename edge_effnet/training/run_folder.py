"""What a run is before its network exists, and when its folder or a changed world refuses it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.architecture.files import variant_to_json
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.training.config import CONFIG_FILE, TrainConfig, changed_fields
from edge_effnet.training.data import Lists
from edge_effnet.training.history import CURVES_FILE, HISTORY_FILE
from edge_effnet.training.resume_state import STATE_FILE

BEST_FILE = "best.h5"
RUN_FILES = (CONFIG_FILE, STATE_FILE, BEST_FILE, HISTORY_FILE, CURVES_FILE)


@dataclass(frozen=True)
class Plan:
    """A run before its network exists."""

    config: TrainConfig
    folder: Path
    spec: VariantSpec
    weights: ResolvedWeights
    lists: Lists
    side: int

    def about(self) -> dict[str, Any]:
        """What a resumed run must agree with."""
        return {
            "config": self.config.to_json(),
            "variant": variant_to_json(self.spec),
            "labels": list(self.lists.labels),
            "data": self.lists.fingerprint,
            "resolution": self.side,
            "weights": self.weights.origin,
            "steps": list(self.weights.steps),
        }


def refuse_existing_run(folder: Path, *, overwrite: bool) -> None:
    """Raise OutputError where a run would write over another one, or over a file."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", expected="a folder", fix="choose another --run")
    there = [name for name in RUN_FILES if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError(
            f"{folder} already holds a run",
            found=", ".join(there),
            expected="a new folder",
            fix=f"go on with it (--resume {folder}), choose another --run, or add --force",
        )


def refuse_changes(own: TrainConfig, asked: TrainConfig, folder: Path) -> None:
    """Raise UsageProblem where a resumed run is asked to be another one."""
    changes = changed_fields(own, asked)
    if changes:
        said = ", ".join(
            f"{name.replace('_', '-')} was {old!r}, now {new!r}" for name, old, new in changes
        )
        raise UsageProblem(
            f"{folder} cannot be resumed with another config",
            found=said,
            expected="the config it was started with",
            fix=f"leave these options out, or start a new run with --weights {folder / BEST_FILE}",
        )


def refuse_changed_world(plan: Plan, about: dict[str, Any]) -> None:
    """Config apart, what a run was made of may have changed on disk."""
    now = json.loads(json.dumps(plan.about()))
    before, after = about["labels"], now["labels"]
    changed = None
    if before != after:
        changed = f"{len(after)} classes in the data, {len(before)} in the run"
        if len(before) == len(after):
            changed = "other class names"
    elif about["data"] != now["data"]:
        changed = "images were added, removed or replaced"
    elif about["variant"] != now["variant"]:
        changed = f"the variant {plan.config.variant} is another network now"
    if changed:
        raise UsageProblem(
            f"{plan.folder} cannot be resumed: what it was started with has changed",
            found=changed,
            expected=f"the same {plan.lists.source} and {plan.config.variant}",
            fix=f"put it back, or start a new run with --weights {plan.folder / BEST_FILE}",
        )
