"""The state of a run, and how it is told: the status line, the page's figures, the final JSON."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from edge_effnet.camera.answers import Decision
from edge_effnet.camera.evaluation.comparison import FeedComparison
from edge_effnet.camera.evaluation.shares import AbsoluteError, FrameShare, Tally, share_json
from edge_effnet.camera.evaluation.taps import Taps
from edge_effnet.camera.evaluation.told_frames import ToldFrames
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.rates import Rates
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.thermal import BoardHealth, BoardMonitor
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.queues import BoundedQueue, Limiter
from edge_effnet.heads.head import Head
from edge_effnet.spelling import duration_text


@dataclass
class RunStatus:
    """What is known of a run so far; the session's thread keeps it up to date.

    Attributes:
        frames: the queue from capture to the models.
        right, error: of answers whose truth is known.
        can_be_unknown, unknown: whether the model tells frames that are like none it was taught,
            and how many it has.
        comparison: with the reference model, None without one.
        decision, reference_decision: the latest of each model.
        taps, told: of viewers of the page, and the frames whose class they told; None where they
            cannot.
        notes: the last few lines the user was told.
        began_s: monotonic.
    """

    settings: SessionSettings
    source_name: str
    head: Head
    with_truth: bool
    capture: Capture
    frames: BoundedQueue[Frame]
    limiter: Limiter
    monitor: BoardMonitor | None
    comparison: FeedComparison | None
    right: Tally
    can_be_unknown: bool = False
    taps: Taps | None = None
    told: ToldFrames | None = None
    unknown: int = 0
    error: AbsoluteError = field(default_factory=AbsoluteError)
    rates: Rates = field(default_factory=Rates)
    decision: Decision | None = None
    reference_decision: Decision | None = None
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=4))
    began_s: float = field(default_factory=time.monotonic)

    @property
    def dropped(self) -> int:
        """Frames that were captured and not answered, because a newer one was there."""
        return self.frames.dropped + self.capture.skipped

    @property
    def right_share(self) -> FrameShare | None:
        """Of the model's right answers: to frames told, or else by the truth that was given."""
        told = self.told.shares if self.told is not None else ()
        return told[0] if told else self.right.share

    @property
    def health(self) -> BoardHealth:
        return self.monitor.health if self.monitor is not None else BoardHealth()


def status_line(run: RunStatus, *, answers: bool = True) -> str:
    """One line: rate, delay, answers unless left out, agreement, temperature, dropped frames."""
    parts = [f"{run.rates.fps(time.monotonic()):.1f} fps"]
    if run.settings.every_s is not None:
        seconds = max(0, round(run.limiter.due_in_s))
        parts = [f"one answer in {duration_text(run.settings.every_s)}, the next in {seconds} s"]
    delay = run.rates.recent(run.rates.delay_ms)
    if delay is not None and not run.settings.pace.every_frame:
        parts.append(f"delay {delay:.0f} ms")
    if run.decision is not None and answers:
        parts.append(run.decision.scored)
    if run.reference_decision is not None and answers:
        parts.append(f"{run.settings.reference_kind} {run.reference_decision.scored}")
    if (feed := run.comparison) is not None and feed.values and feed.frames:
        parts.append(f"difference {feed.difference.mean_abs:.4g}")
    elif feed is not None and (agreement := feed.agreement):
        parts.append(f"agree {agreement.brief}")
    if right := run.right_share:
        parts.append(f"right {right.brief}")
    if (error := run.error.mean_abs) is not None:
        parts.append(f"mean error {error:.4g}")
    if run.health.temperature_c is not None:
        parts.append(f"{run.health.temperature_c:.0f} C")
    if run.health.throttled:
        parts.append("throttled")
    parts.append(f"dropped {run.dropped}")
    return " | ".join(parts)


def page_status(run: RunStatus) -> dict[str, Any]:
    """Everything the page shows."""
    rates, now, settings = run.rates, time.monotonic(), run.settings
    feed = run.comparison
    reference = None
    if settings.reference_name is not None:
        median_ms = rates.recent(rates.reference_ms)
        reference = _card(settings.reference_name, run.reference_decision, median_ms, run.decision)
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
        "model": _card(settings.model_name, run.decision, rates.recent(rates.infer_ms)),
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
        "every_frame": run.settings.pace.every_frame,
        "every_s": run.settings.every_s,
        "captured": run.capture.captured,
        "answered": run.rates.answered,
        "dropped": run.dropped,
        **({"unknown": run.unknown} if run.can_be_unknown else {}),
        "broken": run.capture.broken,
        "reopened": run.capture.reopened,
        **_accuracy(run),
        **_told(run),
        "times": run.rates.to_json(),
        **({"comparison": run.comparison.to_json()} if run.comparison else {}),
    }


def _accuracy(run: RunStatus) -> dict[str, Any]:
    """Of frames whose truth is known: how many, and right answers or the size of the error."""
    if run.head.task == "value":
        error = run.error
        return {"labelled": error.frames, **({"error": error.to_json()} if error.frames else {})}
    right = run.right
    counts = {"labelled": right.frames, "right": right.hits}
    return {**counts, **(share_json("accuracy", right.share) if right.frames else {})}


def _told(run: RunStatus) -> dict[str, Any]:
    """Of frames whose class viewers told, where they did."""
    if run.taps is None or run.told is None or not (run.told.shares or run.told.learned):
        return {}
    return {"told": run.told.to_json(run.taps.labels)}


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
    feed = run.comparison
    values = run.head.task == "value"
    told = run.told.shares if run.told is not None else ()
    pair: tuple[FrameShare | AbsoluteError | None, ...]
    if told:
        pair = told
    elif values:
        pair = feed.error if feed else (run.error,)
    else:
        pair = tuple(tally.share for tally in feed.right) if feed else (run.right.share,)
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
    if run.taps is None or run.told is None:
        return None
    state = run.taps.state
    return {
        "held": None if state.held is None else run.taps.labels[state.held],
        "undoable": state.undoable,
        "classes": len(run.taps.labels),
        "may_add": run.taps.may_add,
        "learned": run.told.learned,
        "by_class": run.told.to_json(run.taps.labels)["by_class"],
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
