"""What a run ends with: sentences for people, a document for machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_effnet.camera.run_status import RunStatus, run_json
from edge_effnet.metrics import Comparison
from edge_effnet.plurals import counted, plural
from edge_effnet.spelling import duration_text

FORMAT = "edge-effnet/camera"
VERSION = 1


def document(run: RunStatus) -> tuple[dict[str, Any], Comparison | None]:
    """The run as JSON: what ``compare`` writes, where two models ran and a frame was compared,
    with the run's own figures under ``camera``; else those alone."""
    figures, comparison = run_json(run), None
    if run.answering.comparison is not None:
        comparison = run.answering.comparison.report(*run.answering.models.files)
    if comparison is None:
        return {"format": FORMAT, "version": VERSION, **figures}, None
    return {**comparison.to_json(), "camera": figures}, comparison


def summary_lines(run: RunStatus, *, trained: int = 0) -> list[str]:
    """A few lines: frames, rate, delay, latencies, accuracy.

    Args:
        trained: frames of a known class that do not count: the network was trained on them.
    """
    rates, capture, models = run.rates, run.capture, run.answering
    settings, feed = models.settings, models.comparison
    extra = f", {capture.broken} broken" if capture.broken else ""
    extra += f", reopened {counted(capture.reopened, 'time')}" if capture.reopened else ""
    every_s = settings.every_s
    rate = f"one in {duration_text(every_s)}" if every_s else f"{rates.mean_fps():.1f} a second"
    lines = [
        f"{run.source_name}: {counted(capture.captured, 'frame')}, {rates.answered} answered "
        f"({rate}), {run.dropped} dropped{extra}"
    ]
    if not rates.answered:
        return lines
    if earlier := len(run.earlier_models()):
        lines.append(
            f"{counted(earlier, 'model')} answered before; accuracy, agreement and latency are of "
            f"the last one, on {counted(models.answered, 'frame')}"
        )
    if not settings.pace.every_frame:
        middle, high = np.percentile(rates.delay_ms, (50, 95))
        lines.append(f"delay: median {middle:.0f} ms, slowest 5 %: over {high:.0f} ms")
    latency = f"{settings.model_name} {np.median(rates.infer_ms):.1f} ms"
    if rates.reference_ms and feed is not None:
        latency += f", {settings.reference_name} {np.median(rates.reference_ms):.1f} ms"
        if feed.frames < models.answered:
            latency += f" (it answered {feed.frames} of the {models.answered} frames)"
    lines.append(f"latency: {latency}")
    if models.can_be_unknown:
        share = 100 * models.unknown / models.answered
        lines.append(
            f'answered "unknown": {counted(models.unknown, "frame")} ({share:.1f} %), like none '
            "that were taught"
        )
    if right := models.right_share:
        lines.append(
            f"right: {right.percent:.1f} % of frames with a known answer, {right.evidence}"
        )
    if models.told is not None and models.told.learned:
        lines.append(
            f"{counted(models.told.learned, 'told frame')} "
            f"{plural(models.told.learned, 'does', 'do')} not count: the network learned from "
            "images like them"
        )
    if (error := models.error.mean_abs) is not None:
        frames = models.error.frames
        lines.append(
            f"mean absolute error: {error:.4g} on {counted(frames, 'frame')} with a known value"
        )
    if run.with_truth and right is None and error is None and not trained:
        lines.append(
            "right: not known, --truth says nothing of any of the "
            f"{counted(rates.answered, 'frame')} answered"
        )
    if right or (feed is not None and feed.agreement):
        lines.append("a scene: frames that look alike, which count as one")
    return lines
