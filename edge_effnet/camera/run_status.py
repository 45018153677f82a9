"""The state of a run, and how it is told: the status line, the page's figures, the final JSON."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edge_effnet.camera.answering import Answering
from edge_effnet.camera.answers import Decision
from edge_effnet.camera.evaluation.comparison import FeedComparison
from edge_effnet.camera.evaluation.shares import AbsoluteError, FrameShare, share_json
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.rates import Rates
from edge_effnet.camera.thermal import BoardHealth, BoardMonitor
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.queues import BoundedQueue, Limiter
from edge_effnet.spelling import duration_text

MOST_EARLIER = 100
"""Models that answered before, of which figures are kept."""
_ROLES = ("model", "reference")


@dataclass
class RunStatus:
    """What is known of a run so far; the session's thread keeps it up to date.

    Attributes:
        answering: the models that answer now, and how they have done.
        frames: the queue from capture to the models.
        taps: of viewers of the page; None where they tell nothing.
        before: the models that answered before these, and until when, in seconds of the run: of
            frames that they answered some are still compared.
        earlier: what is known of models before those, as JSON.
        notes: the last few lines the user was told.
        began_s: monotonic.
    """

    answering: Answering
    source_name: str
    with_truth: bool
    capture: Capture
    frames: BoundedQueue[Frame]
    limiter: Limiter
    monitor: BoardMonitor | None
    taps: Taps | None = None
    rates: Rates = field(default_factory=Rates)
    before: tuple[Answering, float] | None = None
    earlier: list[dict[str, Any]] = field(default_factory=list)
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    began_s: float = field(default_factory=time.monotonic)

    def begin(self, models: Answering) -> None:
        """Count for other models from now on."""
        self.earlier = self.earlier_models()[-MOST_EARLIER:]
        self.before = self.answering, time.monotonic() - self.began_s
        self.answering = models
        self.rates.forget_models()

    def earlier_models(self) -> list[dict[str, Any]]:
        """What is known of models that answered before, the first one first."""
        if self.before is None:
            return self.earlier
        models, until_s = self.before
        return [*self.earlier, {**_models_json(self, models), "until_s": until_s}]

    @property
    def dropped(self) -> int:
        """Frames that were captured and not answered, because a newer one was there."""
        return self.frames.dropped + self.capture.skipped

    @property
    def health(self) -> BoardHealth:
        return self.monitor.health if self.monitor is not None else BoardHealth()


def status_line(run: RunStatus, *, answers: bool = True) -> str:
    """One line: rate, delay, answers unless left out, agreement, temperature, dropped frames."""
    models = run.answering
    settings = models.settings
    parts = [f"{run.rates.fps(time.monotonic()):.1f} fps"]
    if settings.every_s is not None:
        seconds = max(0, round(run.limiter.due_in_s))
        parts = [f"one answer in {duration_text(settings.every_s)}, the next in {seconds} s"]
    delay = run.rates.recent(run.rates.delay_ms)
    if delay is not None and not settings.pace.every_frame:
        parts.append(f"delay {delay:.0f} ms")
    if answers and models.reference_decision is not None and models.compared_decision is not None:
        # Of one frame: the reference may be some behind, and beside a newer answer it looks wrong.
        parts.append(models.compared_decision.scored)
        parts.append(f"{settings.reference_kind} {models.reference_decision.scored}")
    elif answers and models.decision is not None:
        parts.append(models.decision.scored)
    if (feed := models.comparison) is not None and feed.values and feed.frames:
        parts.append(f"difference {feed.difference.mean_abs:.4g}")
    elif feed is not None and (agreement := feed.agreement):
        parts.append(f"agree {agreement.brief}")
    if right := models.right_share:
        parts.append(f"right {right.brief}")
    if (error := models.error.mean_abs) is not None:
        parts.append(f"mean error {error:.4g}")
    if run.health.temperature_c is not None:
        parts.append(f"{run.health.temperature_c:.0f} C")
    if run.health.throttled:
        parts.append("throttled")
    parts.append(f"dropped {run.dropped}")
    return " | ".join(parts)


def page_status(run: RunStatus) -> dict[str, Any]:
    """Everything the page shows."""
    rates, now, models = run.rates, time.monotonic(), run.answering
    settings = models.settings
    feed = models.comparison
    reference = None
    if settings.reference_name is not None:
        median_ms = rates.recent(rates.reference_ms)
        reference = _card(
            settings.reference_name,
            models.reference_decision,
            median_ms,
            models.compared_decision,
        )
    return {
        "source": run.source_name,
        "seconds": round(now - run.began_s, 1),
        "fps": round(rates.fps(now), 2),
        "limit_fps": run.limiter.fps,
        "every": duration_text(settings.every_s) if settings.every_s else None,
        "delay_ms": rates.recent(rates.delay_ms),
        "temperature_c": run.health.temperature_c,
        "throttled": list(run.health.throttled),
        "captured": run.capture.captured,
        "answered": rates.answered,
        "dropped": run.dropped,
        "model": _card(settings.model_name, models.decision, rates.recent(rates.infer_ms)),
        "reference": reference,
        "agreement": _agreement(feed) if feed and feed.frames else None,
        "history": [list(point) for point in feed.history] if feed else [],
        "disagreed": [
            [*pair, count] for pair, count in (feed.disagreed.most_common(3) if feed else [])
        ],
        "truth": _truth(run),
        "taps": _taps(run),
        "notes": list(run.notes),
    }


def run_json(run: RunStatus) -> dict[str, Any]:
    """Counts and frame times of the whole run."""
    return {
        "source": run.source_name,
        "seconds": time.monotonic() - run.began_s,
        "every_frame": run.answering.settings.pace.every_frame,
        "every_s": run.answering.settings.every_s,
        "captured": run.capture.captured,
        "answered": run.rates.answered,
        "dropped": run.dropped,
        "broken": run.capture.broken,
        "reopened": run.capture.reopened,
        "times": run.rates.to_json(),
        **_models_json(run, run.answering),
        **({"earlier_models": earlier} if (earlier := run.earlier_models()) else {}),
    }


def _models_json(run: RunStatus, models: Answering) -> dict[str, Any]:
    """Of models that answer or answered: their files, and how right they were."""
    return {
        **{role: file.to_json() for role, file in zip(_ROLES, models.models.files, strict=False)},
        "answered_by_model": models.answered,
        **({"unknown": models.unknown} if models.can_be_unknown else {}),
        **_accuracy(models),
        **_told(run, models),
        **({"comparison": models.comparison.to_json()} if models.comparison else {}),
    }


def _accuracy(models: Answering) -> dict[str, Any]:
    """Of frames whose truth is known: how many, and right answers or the size of the error."""
    if models.head.task == "value":
        error = models.error
        return {"labelled": error.frames, **({"error": error.to_json()} if error.frames else {})}
    right = models.right
    counts = {"labelled": right.frames, "right": right.hits}
    return {**counts, **(share_json("accuracy", right.share) if right.frames else {})}


def _told(run: RunStatus, models: Answering) -> dict[str, Any]:
    """Of frames whose class viewers told, where they did."""
    if run.taps is None or models.told is None or not (models.told.shares or models.told.learned):
        return {}
    labels = tuple(dict.fromkeys((*models.settings.labels, *run.taps.labels)))
    return {"told": models.told.to_json(labels)}


def _agreement(feed: FeedComparison) -> dict[str, Any]:
    """The card that compares both models: a large figure, and lines that explain it."""
    share, gap = feed.agreement, feed.difference
    if share is None:
        figures = ("Difference", f"{gap.mean_abs:.4g}", "", f"largest {gap.max_abs:.4g}")
    else:
        difference = f"mean score difference {gap.mean_abs:.4f}"
        figures = ("Agreement", f"{share.percent:.1f} %", share.evidence, difference)
    names = ("title", "figure", "evidence", "difference")
    return {**dict(zip(names, figures, strict=True)), "frames": gap.frames}


def _truth(run: RunStatus) -> dict[str, Any] | None:
    """The card about right answers, or errors; of both models on the frames both have seen."""
    feed = run.answering.comparison
    values = run.answering.head.task == "value"
    told = run.answering.told.shares if run.answering.told is not None else ()
    pair: tuple[FrameShare | AbsoluteError | None, ...]
    if told:
        pair = told
    elif values:
        pair = feed.error if feed else (run.answering.error,)
    else:
        pair = tuple(tally.share for tally in feed.right) if feed else (run.answering.right.share,)
    if not pair[0] or not pair[0].frames:
        return None
    figures = [
        f"{one.percent:.1f} %" if isinstance(one, FrameShare) else f"{one.mean_abs:.4g}"
        for one in pair
        if one is not None
    ]
    evidence = [one.evidence for one in pair if isinstance(one, FrameShare)]
    title = "Mean error" if values else "Right answers" if not told else "Right, of frames told"
    return {"title": title, "figures": figures, "evidence": evidence}


def _taps(run: RunStatus) -> dict[str, Any] | None:
    """What the buttons of the classes show; None where viewers tell none."""
    if run.taps is None or run.answering.told is None:
        return None
    state = run.taps.state
    return {
        "held": state.held,
        "undoable": state.undoable,
        "classes": len(run.taps.labels),
        "may_add": run.taps.may_add,
        "learned": run.answering.told.learned,
        "by_class": run.answering.told.to_json(run.taps.labels)["by_class"],
    }


def _card(
    name: str, seen: Decision | None, median_ms: float | None, beside: Decision | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "answer": seen.text if seen else None,
        "score": f"{seen.answers[0].score:.2f}" if seen and len(seen.answers) == 1 else "",
        "differs": seen is not None and beside is not None and seen.differs_from(beside),
        "best": [[item.label, item.score] for item in seen.best] if seen else [],
        "ms": median_ms,
    }
