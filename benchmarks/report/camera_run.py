"""The page's part about a camera's run: frames, rate, and where the time of a frame went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report.comparisons import trained_on
from benchmarks.report.sources import Json
from edge_effnet import plots
from edge_effnet.measure.statistics import spread


def camera_run(run: Json) -> dict[str, Any]:
    """What the template shows of a run."""
    return {
        "title": f"Camera: {run['source']}",
        "caution": trained_on(run),
        "figures": _figures(run),
        "times": _times(run),
    }


def _figures(run: Json) -> list[tuple[str, str, str]]:
    """Frames, rate, delay and, where the truth was known, how many answers were right: each with
    its name and a remark."""
    times = run["times"]
    shown = [
        ("frames", str(run["captured"]), ""),
        ("answered", str(run["answered"]), f"in {run['seconds']:.0f} s"),
        ("dropped", str(run["dropped"]), ""),
        ("rate", f"{times['mean_fps']:.1f} a second", ""),
    ]
    if run.get("reopened"):
        shown.append(("reopened", f"{run['reopened']} times", ""))
    if (delays := times.get("delay_ms")) and not run.get("every_frame"):
        delay = spread(delays)
        shown.append(("delay", f"{delay.p50_ms:.0f} ms", f"95 % under {delay.p95_ms:.0f}"))
    frames = f"of {run.get('labelled')} frames"
    if (error := run.get("error")) and error.get("mean_abs") is not None:
        shown.append(("mean absolute error", f"{error['mean_abs']:.4g}", frames))
    elif run.get("labelled"):
        share = 100 * run.get("right", 0) / run["labelled"]
        bounds, scenes = run.get("accuracy_interval"), run.get("accuracy_scenes")
        proof = f"{bounds[0]:.1f} to {bounds[1]:.1f}, " if bounds else ""
        alike = f" in {scenes} scene{'s' * (scenes != 1)}" if scenes else ""
        few = "" if bounds or not scenes else ": too few for an interval"
        shown.append(("right", f"{share:.1f} %", f"{proof}{frames}{alike}{few}"))
    return shown


def _times(run: Json) -> str:
    """Distributions of the latest frames, as the camera keeps them."""
    names = [("frame to frame", "frame_ms"), ("preparing", "prepare_ms")]
    if not run.get("every_frame"):
        names.insert(1, ("delay", "delay_ms"))
    for role, key in (("model", "candidate_ms"), ("reference", "reference_ms")):
        names.append((Path(run.get(role, {}).get("file", role)).stem, key))
    rows = []
    for name, key in names:
        samples = run["times"].get(key) or ()
        if samples and max(samples) > 0:
            found = spread(samples)
            rows.append(plots.Distribution(name, samples, found.p50_ms, found.p95_ms))
    if not rows:
        return ""
    return plots.as_svg(plots.distributions(rows, "ms"), "times of a frame", inline=True)
