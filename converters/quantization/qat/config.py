"""The settings of quantization-aware training."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_effnet.errors import UsageProblem
from edge_effnet.stages import StartStage

MOST_PASSES, MOST_STEPS = 12, 400  # where nobody says how many steps
# Of the loss, where the user's labels teach beside float: float alone knows how the classes
# resemble each other, so it keeps the greater part.
LABEL_WEIGHT = 0.3


@dataclass(frozen=True)
class QatConfig:
    """How the network is trained back to float's answers.

    Rates say how far Adam moves something in one step at the start; they fall to nothing along
    half a cosine. A rate of 0 leaves that kind of variable as it is.

    Attributes:
        steps: of training; None for 12 passes over the images, 400 steps at most: a few
            images shall not be learned by heart.
        batch: images per step.
        kernel_rate: int8 steps of the kernel's own grid.
        bias_rate: int8 steps of the layer's output.
        range_rate: share by which an end of a range moves.
        logits_weight: of the logits' error-to-signal ratio, beside the divergence of the
            probabilities.
        label_weight: from 0 (float alone teaches) to 1 (labels alone do).
        min_crop: smallest share of an image's area that an augmented one shows.
        flip: whether half of the images are mirrored.
        save_every: steps between states on disk.
    """

    steps: int | None = None
    batch: int = 8
    kernel_rate: float = 0.002
    bias_rate: float = 0.003
    range_rate: float = 0.004
    logits_weight: float = 1.0
    label_weight: float = 0.0
    min_crop: float = 0.5
    flip: bool = True
    save_every: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for names, low, high in (
            (("steps", "batch", "save_every"), 1, 1_000_000),
            (("kernel_rate", "bias_rate", "range_rate", "logits_weight"), 0, 100),
            (("label_weight", "min_crop"), 0, 1),
        ):
            for name in names:
                value = getattr(self, name)
                if value is not None and not low <= value <= high:
                    raise UsageProblem(
                        f"{name} of quantization-aware training is out of range",
                        found=str(value),
                        expected=f"{low} to {high:,}",
                        fix="take the default",
                    )


@dataclass(frozen=True)
class QatRun:
    """Where a training keeps its state, and whom it tells.

    Attributes:
        state: file that an interrupted training goes on from.
        resume: whether it may.
        stage: of the command's progress.
    """

    state: Path
    seed: int
    resume: bool
    stage: StartStage
