"""The page's part about a camera's run: frames, rate, and where the time of a frame went."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report.comparisons import left_out_line, trained_on
from benchmarks.report.near_identical import once_each
from benchmarks.report.sources import Json
from benchmarks.report.suspects import image_of
from benchmarks.report.wording import alike_text, missing_text, more_text
from edge_effnet import plots
from edge_effnet.measure.statistics import spread
from edge_effnet.plurals import counted

SHOWN = 24
"""Frames that were kept for their answer; of those that are nearly the same, one."""


def camera_run(run: Json) -> dict[str, Any]:
    """What the template shows of a run."""
    return {
        "title": f"Camera: {run['source']}",
        "caution": trained_on(run),
        "remarks": left_out_line(run),
        "figures": _figures(run),
        "told": _told(run),
        "times": _times(run),
        **_frames(run),
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
        shown.append(("reopened", counted(run["reopened"], "time"), ""))
    if (delays := times.get("delay_ms")) and not run.get("every_frame"):
        delay = spread(delays)
        shown.append(
            ("delay", f"{delay.p50_ms:.0f} ms", f"slowest 5 %: over {delay.p95_ms:.0f} ms")
        )
    frames = f"of {counted(run.get('labelled', 0), 'frame')}"
    if (error := run.get("error")) and error.get("mean_abs") is not None:
        shown.append(("mean absolute error", f"{error['mean_abs']:.4g}", frames))
    elif run.get("labelled"):
        share = 100 * run.get("right", 0) / run["labelled"]
        shown.append(("right", f"{share:.1f} %", _evidence(run, "accuracy", run["labelled"])))
    if told := run.get("told"):
        share, line = (
            100 * told["right"] / told["frames"],
            _evidence(told, "accuracy", told["frames"]),
        )
        shown.append(("right, of frames told", f"{share:.1f} %", line))
        if (other := told.get("reference_accuracy")) is not None:
            asked = sum(row.get("reference_frames", 0) for row in told["by_class"])
            line = _evidence(told, "reference_accuracy", asked)
            shown.append(("the reference, right", f"{other:.1f} %", line))
    return shown


def _evidence(figures: Json, name: str, frames: int) -> str:
    """What a share rests on."""
    bounds, scenes = figures.get(f"{name}_interval"), figures.get(f"{name}_scenes")
    proof = f"{bounds[0]:.1f} to {bounds[1]:.1f}, " if bounds else ""
    alike = f" in {counted(scenes, 'scene')}" if scenes else ""
    few = "" if bounds or not scenes else ": too few for an interval"
    return f"{proof}of {counted(frames, 'frame')}{alike}{few}"


def _told(run: Json) -> list[tuple[str, str, str]]:
    """Of each class that viewers told: right answers of the model, and of the reference."""

    def share(right: int, frames: int) -> str:
        return f"{right} of {frames} ({100 * right / frames:.0f} %)" if frames else "–"

    return [
        (
            row["label"],
            share(row["right"], row["frames"]),
            share(row.get("reference_right", 0), row.get("reference_frames", 0)),
        )
        for row in run.get("told", {}).get("by_class", ())
    ]


def _frames(run: Json) -> dict[str, Any]:
    """Frames that were kept for their answer: of those that are nearly the same, one."""
    saved = once_each(
        run.get("saved") or (), lambda one: str(one["file"]), lambda one: str(one["label"])
    )
    shown = [
        {
            **image_of(one["file"]),
            "label": one["label"],
            "score": f"{one['score']:.2f}",
            "alike": alike_text(alike),
        }
        for one, alike in saved[:SHOWN]
    ]
    return {
        "frames": shown,
        "more_frames": more_text(sum(alike for _, alike in saved[SHOWN:]), "frame"),
        "missing": missing_text(shown),
    }


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
