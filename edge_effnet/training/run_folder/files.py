"""A training run and its folder.

runs/NAME/config.json   the config, reusable with --config
          best.h5       the best weights so far; what convert --weights auto finds
          last.state    everything needed to go on after a kill
          history.csv   one line per epoch
          curves.png    the same as a plot, where Matplotlib is installed
          compared.json  of a run with --from: the network before against this one
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from edge_effnet import runs
from edge_effnet.architecture.files import variant_to_json
from edge_effnet.config_files import flag_of
from edge_effnet.errors import UsageProblem
from edge_effnet.network.weights.resolve import ResolvedWeights
from edge_effnet.plurals import counted
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.training.data.lists import ImageLists
from edge_effnet.training.run_folder.history import CURVES_FILE, HISTORY_FILE

BEST_FILE, STATE_FILE, COMPARED_FILE = "best.h5", "last.state", "compared.json"
RUN_FILES = (CONFIG_FILE.name, BEST_FILE, HISTORY_FILE, CURVES_FILE, COMPARED_FILE, STATE_FILE)


@dataclass(frozen=True)
class TrainingRun:
    """A run before its network exists.

    Attributes:
        side: of the network's input, in pixels.
        teacher: see ``Teacher.to_json``; None without one.
    """

    config: TrainConfig
    folder: Path
    weights: ResolvedWeights
    lists: ImageLists
    side: int
    teacher: Mapping[str, Any] | None = None

    def depends_on(self) -> dict[str, Any]:
        """What decides the result: stored with the state, and part of it compared on resuming."""
        more: dict[str, Any] = {} if self.teacher is None else {"teacher": dict(self.teacher)}
        if self.known_labels is not None:
            more["known_labels"] = list(self.known_labels)
        return {
            "config": self.config.to_json(),
            "variant": variant_to_json(self.weights.spec),
            "labels": list(self.lists.labels),
            "data": self.lists.fingerprint,
            "resolution": self.side,
            "weights": self.weights.origin,
            "steps": list(self.weights.steps),
            **more,
        }

    @property
    def known_labels(self) -> tuple[str, ...] | None:
        """The classes of the run that this one goes on from, which are its own first ones; None
        where it goes on from none."""
        return None if self.config.previous is None else self.weights.labels


def refuse_other_config(own: TrainConfig, asked: TrainConfig, folder: Path) -> None:
    """Raise UsageProblem where a resumed run is asked to be another one."""
    changes = [
        f"{flag_of(entry).removeprefix('--')} was {before!r}, now {now!r}"
        for entry in fields(TrainConfig)
        if (before := getattr(own, entry.name)) != (now := getattr(asked, entry.name))
    ]
    if changes:
        raise UsageProblem(
            f"{folder} cannot be resumed with another config",
            found=", ".join(changes),
            expected="the config it was started with",
            fix=f"leave these options out, or start a new run with --weights {folder / BEST_FILE}",
        )


def refuse_changed_inputs(run: TrainingRun, before: Mapping[str, Any]) -> None:
    """Raise UsageProblem where the data or the variant has changed on disk.

    Args:
        before: what the stored state depends on.
    """
    now = run.depends_on()
    classes, were = len(now["labels"]), len(before["labels"])
    runs.refuse_changed(
        run.folder,
        before,
        {name: now[name] for name in ("labels", "data", "variant")},
        said={
            "labels": f"{counted(classes, 'class', 'classes')} in the data, {were} in the run"
            if classes != were
            else "other class names",
            "data": "images were added, removed or replaced",
            "variant": f"the variant {run.config.variant} is another network now",
        },
        expected=f"the same {run.lists.source} and {run.config.variant}",
        fix=f"put it back, or start a new run with --weights {run.folder / BEST_FILE}",
    )
