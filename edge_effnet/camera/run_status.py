"""What a run tells of itself while it goes: the status line, the page's figures, counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edge_effnet.camera.accuracy.shares import AbsoluteError, FrameShare, share_json
from edge_effnet.camera.answers import Decision

if TYPE_CHECKING:
    from edge_effnet.camera.accuracy.comparison import FeedComparison
    from edge_effnet.camera.session import Session


def status_line(session: Session, *, answers: bool = True) -> str:
    """One line: rate, delay, answers unless left out, agreement, temperature, dropped frames."""
    parts = [f"{session.rates.fps(time.monotonic()):.1f} fps"]
    delay = session.rates.recent(session.rates.delay_ms)
    if delay is not None and not session.settings.pace.every_frame:
        parts.append(f"delay {delay:.0f} ms")
    for name, seen in (("", session.decision), ("float ", session.reference_decision)):
        if seen is not None and answers:
            parts.append(f"{name}{seen.scored}")
    if (feed := session.comparison) is not None and feed.values and feed.frames:
        parts.append(f"difference {feed.difference.mean_abs:.4g}")
    elif feed is not None and (agreement := feed.agreement):
        parts.append(f"agree {agreement.brief}")
    if right := session.right.share:
        parts.append(f"right {right.brief}")
    if (error := session.error.mean_abs) is not None:
        parts.append(f"mean error {error:.4g}")
    if session.health.temperature_c is not None:
        parts.append(f"{session.health.temperature_c:.0f} C")
    if session.health.throttled:
        parts.append("throttled")
    parts.append(f"dropped {session.dropped}")
    return " | ".join(parts)


def page_status(session: Session) -> dict[str, Any]:
    """Everything the page shows."""
    rates, now, settings = session.rates, time.monotonic(), session.settings
    feed = session.comparison
    reference = None
    if settings.reference_name is not None:
        median_ms = rates.recent(rates.reference_ms)
        reference = _card(
            settings.reference_name, session.reference_decision, median_ms, session.decision
        )
    return {
        "source": session.source_name,
        "seconds": round(now - session.began_s, 1),
        "fps": round(rates.fps(now), 2),
        "limit_fps": session.limiter.fps,
        "delay_ms": rates.recent(rates.delay_ms),
        "temperature_c": session.health.temperature_c,
        "throttled": list(session.health.throttled),
        "captured": session.capture.captured,
        "answered": rates.answered,
        "dropped": session.dropped,
        "model": _card(settings.model_name, session.decision, rates.recent(rates.infer_ms)),
        "reference": reference,
        "agreement": _agreement(feed) if feed and feed.frames else None,
        "history": [list(point) for point in feed.history] if feed else [],
        "disagreed": [
            [*pair, count] for pair, count in (feed.disagreed.most_common(3) if feed else [])
        ],
        "truth": _truth(session),
        "notes": list(session.said),
    }


def run_json(session: Session) -> dict[str, Any]:
    """Counts and frame times of the whole run."""
    return {
        "source": session.source_name,
        "seconds": time.monotonic() - session.began_s,
        "every_frame": session.settings.pace.every_frame,
        "captured": session.capture.captured,
        "answered": session.rates.answered,
        "dropped": session.dropped,
        "broken": session.capture.broken,
        "reopened": session.capture.reopened,
        **_judged(session),
        "times": session.rates.to_json(),
        **({"comparison": session.comparison.to_json()} if session.comparison else {}),
    }


def _judged(session: Session) -> dict[str, Any]:
    """Of frames whose truth is known: how many, and right answers or the size of the error."""
    if session.head.task == "value":
        error = session.error
        return {"labelled": error.frames, **({"error": error.to_json()} if error.frames else {})}
    right = session.right
    counts = {"labelled": right.frames, "right": right.hits}
    return {**counts, **(share_json("accuracy", right.share) if right.frames else {})}


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


def _truth(session: Session) -> dict[str, Any] | None:
    """The card about right answers, or errors; of both models on the frames both have seen."""
    feed = session.comparison
    values = session.head.task == "value"
    pair: tuple[FrameShare | AbsoluteError | None, ...]
    if values:
        pair = feed.error if feed else (session.error,)
    else:
        pair = tuple(tally.share for tally in feed.right) if feed else (session.right.share,)
    if not pair[0] or not pair[0].frames:
        return None
    figures = [
        f"{one.percent:.1f} %" if isinstance(one, FrameShare) else f"{one.mean_abs:.4g}"
        for one in pair
        if one is not None
    ]
    evidence = [one.evidence for one in pair if isinstance(one, FrameShare)]
    title = "Mean error" if values else "Right answers"
    return {"title": title, "figures": figures, "evidence": evidence}


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
