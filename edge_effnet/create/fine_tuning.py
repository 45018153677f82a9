"""``create --fine-tune``: ``train`` and ``convert`` as they are called by hand, then compared with
the file that was taught, on the photos that ``train`` held out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from edge_effnet.architecture.files import find_variant
from edge_effnet.metrics import Comparison, Predictions, compare_predictions
from edge_effnet.metrics.two_models.paired import Paired, paired_test
from edge_effnet.plugins import COMMANDS, load
from edge_effnet.runtime.evaluating.plan import plan_evaluation
from edge_effnet.stages import StartStage
from edge_effnet.teaching.teach import Taught
from edge_effnet.ui.console import echo
from edge_effnet.ui.shown_commands import own_command


@dataclass(frozen=True, eq=False)
class FineTuned:
    """Attributes:
    small, reference: the files.
    comparison: of both on the photos that were held out.
    against_taught: the taught file as the reference, on the same photos; None where they have
        none in common.
    """

    small: Path
    reference: Path
    comparison: Comparison
    against_taught: Paired | None

    @property
    def is_better(self) -> bool:
        """Whether it answered more of the photos right than the taught file."""
        return self.against_taught is not None and self.against_taught.drop_points < 0


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
    run = folder / "run"
    checkpoint = run / "best.h5"
    if resume and (run / "config.json").exists():
        arguments = ["--resume", str(run)]
    else:
        arguments = ["--data", str(photos), "--variant", variant, "--weights", weights]
        arguments += ["--run", str(run), "--seed", str(seed), "--force"]
    _call("train", arguments, folder)
    converting = ["--variant", variant, "--weights", str(checkpoint), "--data", str(photos)]
    _call("convert", [*converting, f"--{kind}", "--out", str(folder), "--force"], folder)
    name = find_variant(variant).name
    small, reference = (folder / f"{name}-{one}.tflite" for one in (kind, "float32"))
    plan = plan_evaluation([reference, small], photos, stage=stage)
    shown = stage("evaluating what was fine-tuned", 2 * len(plan.dataset))
    floating, ours = plan.predict(progress=lambda done, _all: shown(done))
    return FineTuned(
        small, reference, compare_predictions(floating, ours), _paired(taught.predictions, ours)
    )


def _call(name: str, arguments: Sequence[str], folder: Path) -> None:
    """Run a command of this program; what it prints goes into a file of the folder."""
    echo(f"$ {own_command()} {name} {' '.join(map(quote, arguments))}", err=True)
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


def _paired(taught: Predictions | None, ours: Predictions) -> Paired | None:
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
    return paired_test(was, now)
