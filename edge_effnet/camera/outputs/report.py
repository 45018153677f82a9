"""What a run ends with: sentences for people, a document for machines."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_effnet.camera.run_status import RunStatus, run_json
from edge_effnet.files.read import content_hash
from edge_effnet.metrics import Comparison, HashedFile
from edge_effnet.runtime.classifier import Classifier
from edge_effnet.spelling import duration_text

FORMAT = "edge-effnet/camera"
VERSION = 1


def document(
    run: RunStatus, model: Classifier, reference: Classifier | None
) -> tuple[dict[str, Any], Comparison | None]:
    """The run as JSON: what ``compare`` writes, where two models ran and a frame was compared,
    with the run's own figures under ``camera``; else those alone."""
    figures = {**run_json(run), "model": _file_of(model).to_json()}
    comparison = None
    if run.comparison is not None and reference is not None:
        figures["reference"] = _file_of(reference).to_json()
        comparison = run.comparison.report(_file_of(model), _file_of(reference))
    if comparison is None:
        return {"format": FORMAT, "version": VERSION, **figures}, None
    return {**comparison.to_json(), "camera": figures}, comparison


def _file_of(model: Classifier) -> HashedFile:
    return HashedFile(model.path, content_hash(model.path), model.path.stat().st_size)


def summary_lines(run: RunStatus, *, trained: int = 0) -> list[str]:
    """A few lines: frames, rate, delay, latencies, accuracy.

    Args:
        trained: frames of a known class that do not count: the network was trained on them.
    """
    rates, feed = run.rates, run.comparison
    capture = run.capture
    extra = f", {capture.broken} broken" if capture.broken else ""
    extra += f", reopened {capture.reopened} times" if capture.reopened else ""
    every_s = run.settings.every_s
    rate = f"one in {duration_text(every_s)}" if every_s else f"{rates.mean_fps():.1f} a second"
    lines = [
        f"{run.source_name}: {capture.captured} frames, {rates.answered} answered ({rate}), "
        f"{run.dropped} dropped{extra}"
    ]
    if not rates.answered:
        return lines
    if not run.settings.pace.every_frame:
        middle, high = np.percentile(rates.delay_ms, (50, 95))
        lines.append(f"delay: median {middle:.0f} ms, 95 % under {high:.0f} ms")
    models = f"{run.settings.model_name} {np.median(rates.infer_ms):.1f} ms"
    if rates.reference_ms and feed is not None:
        models += f", {run.settings.reference_name} {np.median(rates.reference_ms):.1f} ms"
        models += f" on 1 of {rates.answered / max(1, feed.frames):.1f} frames"
    lines.append(f"latency: {models}")
    if run.can_be_unknown:
        share = 100 * run.unknown / rates.answered
        lines.append(
            f'answered "unknown": {run.unknown} frames ({share:.1f} %), like none that were taught'
        )
    if right := run.right_share:
        lines.append(
            f"right: {right.percent:.1f} % of frames with a known answer, {right.evidence}"
        )
    if run.told is not None and run.told.learned:
        lines.append(
            f"{run.told.learned} told frames do not count: the network learned from images like "
            "them"
        )
    if (error := run.error.mean_abs) is not None:
        frames = run.error.frames
        lines.append(f"mean absolute error: {error:.4g} on {frames} frames with a known value")
    if run.with_truth and right is None and error is None and not trained:
        lines.append(
            f"right: not known, --truth says nothing of any of the {rates.answered} frames answered"
        )
    return lines
