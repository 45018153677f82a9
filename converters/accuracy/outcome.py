"""What a search found, and the line that nobody can miss where no int8 file fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from converters.accuracy.checks import Check, LimitVerdict, check_json, overall
from converters.accuracy.limits import Limits
from converters.accuracy.strategies import Strategy
from converters.accuracy.trials import Trial
from converters.quantization.candidates import Candidate
from edge_effnet.data.dataset import Dataset
from edge_effnet.errors import LimitMissed, NothingWritten
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class SearchOutcome:
    """What a search found.

    Attributes:
        trials: of the strategies, in order; the fallback's last.
        chosen: the first trial that fits; else, where the images could not tell, the best of those
            that they do not refute; else the fallback, where one was asked for and fits; else
            None.
        best: the chosen one, else the int8 file that came nearest.
        candidate: what ``best`` made.
        selection, confirmation: the two halves of the evaluation images.
        float_excluded: whether strategies that compute in part in float were left out as the user
            wished, though the device runs them.
        forced: whether the best file is written all the same.
    """

    limits: Limits
    trials: tuple[Trial, ...]
    chosen: Trial | None
    best: Trial
    candidate: Candidate
    selection: Dataset
    confirmation: Dataset
    float_excluded: bool = False
    forced: bool = False

    @property
    def confirmed(self) -> tuple[Check, ...]:
        """The chosen file's limits on the confirmation images."""
        return self.chosen.confirmed if self.chosen else ()

    @property
    def verdict(self) -> LimitVerdict:
        """What the images prove of the chosen file."""
        return overall(self.confirmed) if self.chosen else "exceeded"

    @property
    def integer_failed(self) -> bool:
        """Whether no int8 file is within the limits."""
        return self.chosen is None or self.chosen.strategy.size_only

    @property
    def nearest(self) -> Trial:
        """The int8 file that came nearest to the limits."""
        return min((t for t in self.trials if not t.strategy.size_only), key=Trial.distance)

    def headline(self) -> str | None:
        """That no int8 file fits, in capitals; None where one does."""
        if not self.integer_failed:
            return None
        worst = self.nearest.worst
        text = f"NO INT8 FILE {worst.missed_text()}"
        if self.chosen is not None:
            return (
                f"{text}, {self.chosen.strategy.name} written instead, as --fallback asks: "
                "smaller, but no faster than float"
            )
        fallback = self.trials[-1]
        if fallback.strategy.size_only:
            text += f", {fallback.strategy.name} {fallback.worst.value:.1f}"
        return f"{text}, {'written all the same' if self.forced else 'nothing written'}"

    def missed(self) -> LimitMissed | None:
        """The error to end with when no file fits, or None."""
        headline = self.headline()
        if self.chosen is not None or headline is None:
            return None
        kind = LimitMissed if self.forced else NothingWritten
        float_hint = "leave --full-integer out, which allows operators in float, "
        return kind(
            headline,
            found="; ".join(
                f"{trial.strategy.name}: {trial.worst.line()}" for trial in self.trials
            ),
            fix=float_hint
            * self.float_excluded
            + "relax the limit, calibrate with more photos like the evaluation images, add "
            "--fallback float16 for a file that is smaller but no faster"
            + ", or add --force to write the best int8 file all the same"
            * (not self.forced),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "gate": vars(self.limits).copy(),
            "selection_images": len(self.selection),
            "confirmation_images": len(self.confirmation),
            "rungs": [trial.to_json() for trial in self.trials],
            "winner": self.chosen.strategy.name if self.chosen else None,
            "best": self.best.strategy.name,
            "confirmed": [check_json(found) for found in self.confirmed],
            "verdict": self.verdict,
            "headline": self.headline(),
        }


def choose(trials: tuple[Trial, ...]) -> tuple[Trial | None, Trial]:
    """The trial to write, if any, and the best of all."""
    integer = [trial for trial in trials if not trial.strategy.size_only]
    chosen = next((trial for trial in integer if trial.fits), None)
    if chosen is None:
        chosen = min((t for t in integer if not t.refuted), key=Trial.distance, default=None)
    if chosen is None:
        chosen = next((t for t in trials if t.strategy.size_only and not t.refuted), None)
    return chosen, chosen or min(integer, key=Trial.distance)


def training_is_for_noise(strategy: Strategy, trials: list[Trial]) -> bool:
    """Whether a strategy that takes minutes would chase what the images cannot show: they do not
    refute a faster one."""
    return strategy.training is not None and any(not trial.refuted for trial in trials)


def unproven_text(trial: Trial, images: int) -> str:
    """That the images cannot tell whether a strategy keeps the limits, and what follows."""
    lines = [c.line() for c in (*trial.checks, *trial.confirmed) if c.verdict == "not provable"]
    return (
        f"{counted(images, 'image')} cannot tell whether strategy {trial.strategy.name!r} keeps "
        f"the limit ({'; '.join(lines)}): the best of the strategies that do not train is taken"
    )
