"""The settings of recovery training."""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.errors import UsageProblem


@dataclass(frozen=True)
class RecoveryConfig:
    """How the network is trained back to float's answers.

    Rates say how far Adam moves something in one step at the start; they fall to nothing along
    half a cosine. A rate of 0 leaves that kind of variable as it is.

    Attributes:
        epochs: passes over the pictures, but
        max_steps: no more steps than this.
        batch: pictures per step.
        kernel_rate: int8 steps of the kernel's own grid.
        bias_rate: int8 steps of the layer's output.
        range_rate: share by which an end of a range moves.
        logits_weight: of the logits' noise-to-signal ratio, beside the divergence of the
            probabilities.
        label_weight: from 0 (float alone teaches) to 1 (labels alone do).
        min_crop: smallest share of a picture's area that an augmented one shows.
        flip: whether half of the pictures are mirrored.
        save_every: steps between states on disk.
    """

    epochs: int = 12
    max_steps: int = 400
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
            (("epochs", "max_steps", "batch", "save_every"), 1, 1_000_000),
            (("kernel_rate", "bias_rate", "range_rate", "logits_weight"), 0, 100),
            (("label_weight", "min_crop"), 0, 1),
        ):
            for name in names:
                if not low <= getattr(self, name) <= high:
                    raise UsageProblem(
                        f"{name} of recovery training is out of range",
                        found=str(getattr(self, name)),
                        expected=f"{low} to {high:,}",
                        fix="take the default",
                    )
