"""``create --fine-tune``: ``train`` and ``convert`` as they are called by hand, then compared with
the file that was taught, on the photos that ``train`` held out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from edge_effnet.architecture.files import find_variant
from edge_effnet.metrics import Comparison, Predictions, compare_predictions
from edge_effnet.metrics.two_models.previous import Counts
from edge_effnet.plugins import COMMANDS, load
from edge_effnet.plurals import counted
from edge_effnet.runtime.evaluating.plan import plan_evaluation
from edge_effnet.stages import StartStage
from edge_effnet.teaching.teach import Taught
from edge_effnet.training.config import EPOCHS, TrainConfig
from edge_effnet.ui.console import echo
from edge_effnet.ui.reports.previous import difference
from edge_effnet.ui.shown_commands import own_command

RUN = "run"  # of train, in the folder


@dataclass(frozen=True, eq=False)
class FineTuned:
    """Attributes:
    small, reference: the files.
    comparison: of both on the photos that were held out.
    against_taught: of the taught file and of the small one, on the same photos; None where they
        have none in common.
    """

    small: Path
    reference: Path
    comparison: Comparison
    against_taught: Counts | None

    @property
    def is_better(self) -> bool:
        """Whether it answered more of the photos right than the taught file."""
        return self.against_taught is not None and (
            self.against_taught.now > self.against_taught.before
        )

    def lines(self, taught: Sequence[Path]) -> list[str]:
        """What it brought, which file is taken, and what may be deleted, in sentences.

        Args:
            taught: the files that were taught.
        """
        counts, better = self.against_taught, self.is_better
        if counts is None or counts.paired is None:
            lines = ["Whether fine-tuning brought anything is not known; the taught file is taken."]
        else:
            lines = [
                f"Fine-tuning: on {counted(counts.images, 'photo')} held out from training the "
                f"fine-tuned network is right on {counts.now}, the taught one on {counts.before} "
                f"({difference(counts.paired)}). "
                + (
                    "The fine-tuned file is taken: it is right more often."
                    if better
                    else "The taught file is taken: the fine-tuned one is not right more often."
                )
            ]
        others = taught if better else (self.small, self.reference)
        named = " and ".join(str(path) for path in others if path.exists())
        run = self.small.parent / RUN
        return [
            *lines,
            f"May be deleted: {named}, of the other network, and {run}{os.sep}, which only "
            "--resume uses.",
        ]


def plan_line(photos: int, epochs: int = EPOCHS) -> str:
    """What is going to be done, before it takes long."""
    held_out = TrainConfig.val_share
    return (
        f"fine-tuning: the whole network learns from about {photos * (1 - held_out):.0f} of the "
        f"{counted(photos, 'photo')}, each {epochs} times, and is evaluated on the others; minutes "
        "to hours, the bar tells the time left"
    )


def fine_tune(
    photos: Path,
    folder: Path,
    variant: str,
    kind: str,
    taught: Taught,
    stage: StartStage,
    *,
    seed: int,
    resume: bool,
    weights: str = "imagenet",
) -> FineTuned:
    """Train the whole network, convert it, and evaluate both files.

    Args:
        folder: where the run and the files go.
        variant: a name, or a variant file.
        kind: the recipe, int8 or edgetpu.
        weights: what training begins with, as ``train --weights`` takes it.
        resume: whether a run in the folder goes on.

    Raises:
        EdgeEffnetError: as the two commands.
    """
    run = folder / RUN
    checkpoint = run / "best.h5"
    if resume and (run / "config.json").exists():
        arguments = ["--resume", str(run)]
    else:
        arguments = ["--data", str(photos), "--variant", variant, "--weights", weights]
        arguments += ["--run", str(run), "--seed", str(seed), *_force(run.exists())]
    _call("train", arguments, folder)
    name = find_variant(variant).name
    converting = ["--variant", variant, "--weights", str(checkpoint), "--data", str(photos)]
    there = any(folder.glob(f"{name}-*.tflite"))
    _call("convert", [*converting, f"--{kind}", "--out", str(folder), *_force(there)], folder)
    small, reference = (folder / f"{name}-{one}.tflite" for one in (kind, "float32"))
    plan = plan_evaluation([reference, small], photos, stage=stage)
    shown = stage("evaluating what was fine-tuned", len(plan.dataset))
    floating, ours = plan.predict(progress=lambda done, _all: shown(done))
    return FineTuned(
        small, reference, compare_predictions(floating, ours), _paired(taught.predictions, ours)
    )


def _force(there: bool) -> list[str]:
    """``--force`` only where an earlier call left something: it looks dangerous where it stands."""
    return ["--force"] if there else []


def _call(name: str, arguments: Sequence[str], folder: Path) -> None:
    """Run a command of this program; what it prints goes into a file of the folder."""
    why = "  # replaces what an earlier call left" if "--force" in arguments else ""
    echo(f"$ {own_command()} {name} {' '.join(map(quote, arguments))}{why}", err=True)
    folder.mkdir(parents=True, exist_ok=True)
    printed = folder / f"{name}.txt"
    try:
        with printed.open("w", encoding="utf-8") as said, redirect_stdout(said):
            load(COMMANDS[name][0]).main(
                list(arguments), f"edge-effnet {name}", standalone_mode=False
            )
    finally:
        if not printed.stat().st_size:  # it failed before it had anything to say
            printed.unlink()


def _paired(taught: Predictions | None, ours: Predictions) -> Counts | None:
    if taught is None:
        return None
    before = dict(zip(taught.paths, taught.right, strict=True))
    both = [
        (bool(before[path]), bool(right))
        for path, right in zip(ours.paths, ours.right, strict=True)
        if path in before
    ]
    if not both:
        return None
    was, now = np.array(both, np.bool_).T
    return Counts.of(was, now)
