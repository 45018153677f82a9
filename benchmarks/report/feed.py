"""The page's part about a camera's run: frames, rate, and where the time of a frame went."""

from __future__ import annotations

from html import escape
from pathlib import Path

from benchmarks.report import svg
from benchmarks.report.conversions import judging
from benchmarks.report.sections import COLOURS
from benchmarks.report.sources import Json
from edge_effnet.measure.statistics import spread


def title(feed: Json) -> str:
    return f"Camera: {feed['source']}"


def figures(feed: Json) -> str:
    """Frames, rate, delay and, where the truth was known, how many answers were right."""
    times = feed["times"]
    shown = [
        ("frames", str(feed["captured"])),
        ("answered", f"{feed['answered']} in {feed['seconds']:.0f} s"),
        ("dropped", str(feed["dropped"])),
        ("rate", f"{times['mean_fps']:.1f} a second"),
    ]
    if feed.get("reopened"):
        shown.append(("reopened", f"{feed['reopened']} times"))
    if (delays := times.get("delay_ms")) and not feed.get("every_frame"):
        delay = spread(delays)
        shown.append(
            ("delay", f"{delay.p50_ms:.0f} ms <small>95 % under {delay.p95_ms:.0f}</small>")
        )
    if (error := feed.get("error")) and error.get("mean_abs") is not None:
        shown.append(
            ("mean absolute error", f"{error['mean_abs']:.4g} <small>{_frames(feed)}</small>")
        )
    elif feed.get("labelled"):
        share = 100 * feed.get("right", 0) / feed["labelled"]
        bounds, scenes = feed.get("accuracy_interval"), feed.get("accuracy_scenes")
        proof = f"{bounds[0]:.1f} to {bounds[1]:.1f}, " if bounds else ""
        alike = f" in {scenes} scene{'s' * (scenes != 1)}" if scenes else ""
        few = "" if bounds or not scenes else ": too few for an interval"
        shown.append(("right", f"{share:.1f} % <small>{proof}{_frames(feed)}{alike}{few}</small>"))
    grid = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in shown)
    return f"{judging(feed)}<dl class='row'>{grid}</dl>"


def _frames(feed: Json) -> str:
    return f"of {feed['labelled']} frames"


def times(feed: Json) -> str:
    """Distributions of the latest frames, as the camera keeps them."""
    names = [("frame to frame", "frame_ms"), ("preparing", "prepare_ms")]
    if not feed.get("every_frame"):
        names.insert(1, ("delay", "delay_ms"))
    for role, key in (("model", "candidate_ms"), ("reference", "reference_ms")):
        names.append((Path(feed.get(role, {}).get("file", role)).stem, key))
    strips = []
    for place, (name, key) in enumerate(names):
        samples = feed["times"].get(key) or ()
        if samples and max(samples) > 0:
            found = spread(samples)
            strips.append(svg.Strip(name, samples, found.p50_ms, found.p95_ms, place % COLOURS))
    return f"<div class='chart'>{svg.distributions(strips, 'ms')}</div>" if strips else ""
