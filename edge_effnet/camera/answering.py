"""The models that answer to a feed, and how they have done: another pair begins anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_effnet.camera.answers import Decision, answered_indices, with_threshold
from edge_effnet.camera.evaluation.comparison import FeedComparison
from edge_effnet.camera.evaluation.ground_truth import Known
from edge_effnet.camera.evaluation.shares import AbsoluteError, FrameShare, Tally
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.evaluation.told_frames import ToldFrames
from edge_effnet.camera.evaluation.trained_on import LearnedScenes
from edge_effnet.camera.frames import ComparedFrame, FrameScores
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.steady import SteadyAnswers
from edge_effnet.camera.threads.pipeline import FrameModel
from edge_effnet.data.division.trained_on import TrainingRecord
from edge_effnet.heads.unknown import is_unknown
from edge_effnet.metrics import HashedFile

_WAITING = 1000
"""Answers that are remembered until the reference has seen their frame."""


@dataclass(frozen=True)
class FeedModels:
    """A model that answers to a feed, and one that sees the same frames.

    Attributes:
        settings: their labels and names, and what the run is asked to do.
        records: of their trainings: told frames like those they learned from do not count.
        files: of the model and of the reference, as they were opened.
    """

    settings: SessionSettings
    model: FrameModel
    reference: FrameModel | None = None
    records: Sequence[TrainingRecord] = ()
    files: tuple[HashedFile, ...] = ()


class Answering:
    """Counts what one pair of models answers; used from the session's thread.

    Args:
        in_time: whether frames follow each other in time, see ``Tally``.

    Attributes:
        right, error: of answers whose truth is known.
        unknown: frames that were like none that the model was taught.
        comparison: with the reference model, None without one.
        decision, reference_decision: the latest of each model.
        compared_decision: the model's of the frame that the reference answered last.
        told: frames whose class viewers told; None where they cannot.
    """

    def __init__(
        self,
        models: FeedModels,
        source_name: str,
        *,
        with_truth: bool,
        in_time: bool,
        taps: Taps | None,
    ) -> None:
        settings, model, reference = models.settings, models.model, models.reference
        self.models, self.settings = models, settings
        self.head = with_threshold(model.head, settings.threshold)
        self.right, self.error = Tally(in_time=in_time), AbsoluteError()
        self.unknown = self.answered = 0
        self.decision: Decision | None = None
        self.reference_decision: Decision | None = None
        self.compared_decision: Decision | None = None
        self._waiting: dict[int, Decision] = {}  # by the frame's number: for the reference's answer
        self.told = ToldFrames(taps, in_time=in_time) if taps is not None else None
        self.comparison: FeedComparison | None = None
        self._learned = LearnedScenes(models.records)
        self._answers = SteadyAnswers(settings, self.head, model.unknown)
        if reference is not None:
            theirs = with_threshold(reference.head, settings.threshold)
            self.comparison = FeedComparison(
                settings.labels,
                source_name,
                heads=(self.head, theirs),
                with_truth=with_truth,
                in_time=in_time,
            )
            self._reference_answers = SteadyAnswers(settings, theirs, reference.unknown)

    @property
    def can_be_unknown(self) -> bool:
        """Whether the model tells frames that are like none it was taught."""
        return self._answers.rule is not None

    @property
    def right_share(self) -> FrameShare | None:
        """Of the model's right answers: to frames told, or else by the truth that was given."""
        told = self.told.shares if self.told is not None else ()
        return told[0] if told else self.right.share

    def is_unknown(self, scores: FrameScores) -> bool:
        """Whether a frame is like none that the model was taught."""
        return is_unknown(self._answers.rule, scores.similarity)

    def add(self, scores: FrameScores, true: Known | None) -> Decision:
        """Count the model's scores of a frame; the answer that is shown.

        Args:
            true: the frame's answer by the truth that was given.
        """
        frame = scores.frame
        self.answered += 1
        self.decision = self._answers.add(scores.scores, scores.similarity, frame.time_s)
        self.unknown += self.is_unknown(scores)
        if self.comparison is not None:
            self._waiting[frame.number] = self.decision
            if len(self._waiting) > _WAITING:
                del self._waiting[next(iter(self._waiting))]
        if true is not None and self.head.task == "value":
            self.error.add(scores.scores, true)
        elif true is not None:
            self.right.add(scores.scene, answered_indices(self.head, scores.scores) == true)
        if self.told is not None:
            (answer,) = answered_indices(self.head, scores.scores)
            learned = self._learned(scores.scene, self.settings.region.cut(frame.pixels))
            place = (frame.number, frame.captured_s, scores.scene)
            self.told.add(*place, self.settings.labels[answer], learned=learned)
        return self.decision

    def add_reference(self, pair: ComparedFrame) -> None:
        """Take the reference's scores of a frame; ``comparison`` counts the pair."""
        assert self.comparison is not None  # noqa: S101 (pairs come from a reference)
        frame, head = pair.answer.frame, self.comparison.heads[1]
        self.reference_decision = self._reference_answers.add(
            pair.reference_scores, pair.reference_similarity, frame.time_s
        )
        self.compared_decision = self._waiting.get(frame.number)
        for number in [number for number in self._waiting if number <= frame.number]:
            del self._waiting[number]
        if self.told is not None:
            (answer,) = answered_indices(head, pair.reference_scores)
            self.told.add_reference(frame.number, self.settings.labels[answer])

    @property
    def decisions(self) -> tuple[tuple[str, Decision], ...]:
        """The latest of each model, with its role."""
        both = (("model", self.decision), (self.settings.reference_kind, self.reference_decision))
        return tuple((role, one) for role, one in both if one is not None)
