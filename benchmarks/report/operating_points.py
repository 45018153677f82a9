"""The page's tables and curves of operating points: what a threshold is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from benchmarks.report.sources import Json
from edge_effnet import plots
from edge_effnet.plurals import counted

Tone = Literal["good", "bad", "open"]

_HEADINGS = ("recall", "precision", "false alarms")
_SHARES = ("recall", "precision", "false_alarm_share")
_TONES: dict[str, Tone] = {"proven": "good", "kept": "good", "missed": "bad", "lost": "bad"}


def found_points(document: Json) -> dict[str, Any] | None:
    """What the template shows of one model's thresholds; None without any."""
    found = document.get("operating_points")
    if not found:
        return None
    return {
        "title": f"Thresholds, chosen on {counted(found['chosen_on'], 'image')} and evaluated on "
        f"the other {found['evaluated_on']}",
        "notices": found["notices"],
        "headings": _HEADINGS,
        "rows": [(point_title(point), _cells(point["evaluated_on"])) for point in found["points"]],
        "curve": _curve(found),
    }


def shared_points(document: Json, names: Mapping[str, str]) -> dict[str, Any] | None:
    """What the template shows of the thresholds of a comparison, a row for each model."""
    found = document.get("operating_points")
    if not found:
        return None
    rows = [
        (f"{point_title(point)}: {name}", _cells(point[role]))
        for point in found["points"]
        for role, name in names.items()
    ]
    return {
        "title": f"The same thresholds on {counted(found['images'], 'image')}, {found['origin']}",
        "notices": [*found["notices"], *found["without"]],
        "headings": _HEADINGS,
        "rows": rows,
        "curve": "",
    }


def tone_of(word: str) -> Tone:
    """How the page shows an outcome or a verdict."""
    return _TONES.get(word, "open")


def point_title(point: Json) -> str:
    """The class, its target and its threshold."""
    target = point["target"]
    at = "" if point["threshold"] is None else f", from a score of {point['threshold']:.6g} on"
    return f"{point['label']}, {target['measure']} of {100 * target['share']:.4g} %{at}"


def _cells(counts: Json | None) -> list[str]:
    """Recall, precision and false alarms, with what they are of and their intervals."""
    if counts is None:
        return ["–"] * len(_SHARES)
    parts = (
        (counts["found"], counts["of_class"]),
        (counts["found"], counts["found"] + counts["false_alarms"]),
        (counts["false_alarms"], counts["others"]),
    )
    cells = []
    for name, (part, whole) in zip(_SHARES, parts, strict=True):
        value, bounds = counts[name], counts[f"{name}_interval"]
        if value is None or bounds is None:
            cells.append("–")
            continue
        low, high = (100 * bound for bound in bounds)
        cells.append(f"{100 * value:.1f} % ({low:.1f} to {high:.1f}), {part} of {whole}")
    return cells


def _curve(found: Json) -> str:
    """Precision against recall of each class asked for, with the points of the other half."""
    curves = []
    for curve in found["curves"]:
        points = [
            plots.RecallPoint(
                point_title(point),
                counts["recall"],
                counts["precision"],
                counts["recall_interval"],
                counts["precision_interval"],
            )
            for point in found["points"]
            if point["class"] == curve["class"]
            and (counts := point["evaluated_on"])
            and counts["recall_interval"]
            and counts["precision_interval"]
        ]
        curves.append(
            plots.RecallCurve(curve["label"], curve["recall"], curve["precision"], points)
        )
    if not curves:
        return ""
    alt = "precision against recall"
    return plots.as_svg(plots.precision_recall(curves), alt, inline=True)
