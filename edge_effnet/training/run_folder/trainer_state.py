"""Where a training run stands, in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge_effnet.metrics.two_models.previous import Against
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class EpochRow:
    """One line of the history.

    Attributes:
        epoch: from 1; 0 is the classifier alone, before fine-tuning.
        loss, accuracy: mean over the epoch's steps, on augmented images with dropout; None
            for epoch 0.
        val_loss, val_accuracy: after the epoch, of the weights that would be saved.
        learning_rate: of the epoch's last step.
        val_images: that stand behind ``val_accuracy``; None in a state of an older version.
    """

    epoch: int
    loss: float | None
    accuracy: float | None
    val_loss: float
    val_accuracy: float
    learning_rate: float
    seconds: float
    val_images: int | None = None

    @property
    def right_text(self) -> str:
        """``right on 31 of 40 photos held out (77.5 %)``."""
        percent = f"{100 * self.val_accuracy:.1f} %"
        if self.val_images is None:
            return f"right on {percent} of the photos held out"
        right = round(self.val_accuracy * self.val_images)
        return f"right on {right} of {counted(self.val_images, 'photo')} held out ({percent})"

    @property
    def gap(self) -> float | None:
        """Training minus validation accuracy: well above 0 is overfitting."""
        return None if self.accuracy is None else self.accuracy - self.val_accuracy


@dataclass
class TrainerState:
    """Where a run stands. Mutable: the loop counts in it.

    Attributes:
        epoch: that is running or comes next, from 1.
        step: steps of it that are done.
        loss_sum, accuracy_sum: over these steps.
        seconds: spent on them.
        best_epoch: None before the first evaluation.
        wrong_at_first: validation images, by their index, that epoch 0 answers wrong; None where
            there is no epoch 0.
        wrong_before: of a run with ``--from``, validation images that the network before answers
            wrong; None of others.
        teacher_accuracy: of a run with a teacher, the share of the validation images that it
            answers right.
        against: of a run with ``--from``, the network before against the best row.
        finished: nothing is left to do.
    """

    epoch: int = 1
    step: int = 0
    loss_sum: float = 0.0
    accuracy_sum: float = 0.0
    seconds: float = 0.0
    rows: list[EpochRow] = field(default_factory=list)
    best_epoch: int | None = None
    wrong_at_first: list[int] | None = None
    wrong_before: list[int] | None = None
    teacher_accuracy: float | None = None
    against: Against | None = None
    finished: bool = False
    stopped_early: bool = False

    @property
    def best(self) -> EpochRow | None:
        return next((row for row in self.rows if row.epoch == self.best_epoch), None)

    def start_epoch(self, epoch: int) -> None:
        self.epoch, self.step = epoch, 0
        self.loss_sum = self.accuracy_sum = self.seconds = 0.0
