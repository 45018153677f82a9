"""What a run tells of itself while it goes: the status line, the page's figures, counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from edge_effnet.camera.smoothing import Verdict

if TYPE_CHECKING:
    from edge_effnet.camera.session import Session


def status_line(session: Session, *, answers: bool = True) -> str:
    """One line: rate, delay, answers unless left out, agreement, temperature, dropped frames."""
    parts = [f"{session.meter.fps(time.monotonic()):.1f} fps"]
    delay = session.meter.recent(session.meter.delay_ms)
    if delay is not None and not session.settings.pace.every_frame:
        parts.append(f"delay {delay:.0f} ms")
    for name, seen in (("", session.verdict), ("float ", session.reference_verdict)):
        if seen is not None and answers:
            parts.append(f"{name}{seen.label.split(',')[0]} {seen.score:.2f}")
    if session.comparison is not None and (agreement := session.comparison.agreement):
        low, high = agreement.interval_percent
        parts.append(f"agree {agreement.percent:.1f} % ({low:.1f}-{high:.1f})")
    if session.labelled:
        parts.append(f"right {100 * session.right / session.labelled:.1f} %")
    if session.health.temperature_c is not None:
        parts.append(f"{session.health.temperature_c:.0f} C")
    if session.health.throttled:
        parts.append("throttled")
    parts.append(f"dropped {session.dropped}")
    return " | ".join(parts)


def page_state(session: Session) -> dict[str, Any]:
    """Everything the page shows."""
    meter, now, settings = session.meter, time.monotonic(), session.settings
    feed = session.comparison
    agreement = feed.agreement if feed else None
    accuracy = feed.accuracy_percent() if feed else None
    if feed is None and session.labelled:
        accuracy = (100 * session.right / session.labelled, 0.0)
    reference = None
    if settings.reference_name is not None:
        median_ms = meter.recent(meter.reference_ms)
        reference = _card(settings.reference_name, session.reference_verdict, median_ms)
    return {
        "source": session.source_name,
        "seconds": round(now - session.began_s, 1),
        "fps": round(meter.fps(now), 2),
        "limit_fps": session.limiter.fps,
        "delay_ms": meter.recent(meter.delay_ms),
        "temperature_c": session.health.temperature_c,
        "throttled": list(session.health.throttled),
        "captured": session.capture.captured,
        "answered": meter.answered,
        "dropped": session.dropped,
        "model": _card(settings.model_name, session.verdict, meter.recent(meter.infer_ms)),
        "reference": reference,
        "agreement": None
        if agreement is None
        else {
            "percent": agreement.percent,
            "interval": list(agreement.interval_percent),
            "frames": agreement.frames,
            "score_difference": agreement.score_difference,
        },
        "history": [list(point) for point in feed.history] if feed else [],
        "disagreed": [
            [*pair, count] for pair, count in (feed.disagreed.most_common(3) if feed else [])
        ],
        "accuracy": list(accuracy) if accuracy else None,
        "notes": list(session.said),
    }


def run_json(session: Session) -> dict[str, Any]:
    """Counts and frame times of the whole run."""
    return {
        "source": session.source_name,
        "seconds": time.monotonic() - session.began_s,
        "every_frame": session.settings.pace.every_frame,
        "captured": session.capture.captured,
        "answered": session.meter.answered,
        "dropped": session.dropped,
        "broken": session.capture.broken,
        "reopened": session.capture.reopened,
        "labelled": session.labelled,
        "right": session.right,
        "times": session.meter.to_json(),
        **({"comparison": session.comparison.to_json()} if session.comparison else {}),
    }


def _card(name: str, seen: Verdict | None, median_ms: float | None) -> dict[str, Any]:
    return {
        "name": name,
        "label": seen.label if seen else None,
        "best": [[item.label, item.score] for item in seen.best] if seen else [],
        "ms": median_ms,
    }
