"""The page's parts about conversions and comparisons: classes, mistakes, flipped images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report.flipped_images import evidence_overlay, thumbnail
from benchmarks.report.near_identical import once_each
from benchmarks.report.operating_points import shared_points
from benchmarks.report.sources import Json
from benchmarks.report.wording import alike_text, missing_text, more_text
from edge_effnet import plots
from edge_effnet.heads.kinds import HEADS
from edge_effnet.plurals import counted
from edge_effnet.ui.console import megabytes

CLASS_ROWS = 24
MATRIX_CLASSES = 20
_ROLES = ("reference", "candidate")
_KINDS = {
    "lost": "lost: only the reference is right",
    "changed": "another answer",
    "other": "both wrong",
    "gained": "gained: only the candidate is right",
}
# (key under a model, what it is called, how it is written): those that a document holds.
FIGURES = (
    ("top1", "right (top-1)", "{:.1f} %"),
    ("exact_match", "all labels right (exact match)", "{:.1f} %"),
    ("mean_average_precision", "mean average precision", "{:.1f} %"),
    ("mae", "mean absolute error", "{:.4g}"),
    ("r2", "R²", "{:.3f}"),
)


def conversion(document: Json) -> dict[str, Any]:
    """The files a conversion wrote."""
    rows, values = [], False
    first = document["models"][0]
    for model in document["models"]:
        compared = model.get("comparison") or {}
        same, moved = compared.get("agreement"), compared.get("value_difference")
        agreement = "–" if same is None else f"{same:.1f} %"
        if moved:
            values, agreement = True, f"{moved['mean_abs']:.4g}"
        cells = [
            megabytes(model["size_bytes"]),
            f"{model['size_bytes'] / first['size_bytes']:.3f}",
            agreement,
            f"{model['latency_ms']:.1f} ms",
        ]
        rows.append((Path(str(model["file"])).name, cells))
    return {
        "caution": trained_on(document),
        "headings": (
            "size",
            "share of float's",
            "difference" if values else "agreement",
            "latency",
        ),
        "rows": rows,
    }


def comparison(document: Json, flips: int, maps: int) -> dict[str, Any]:
    """What the template shows of two models on the same images."""
    names = {role: Path(str(document[role].get("file", role))).stem for role in _ROLES}
    order = list(_KINDS)
    flipped = once_each(
        sorted(
            document["flipped"],
            key=lambda flip: order.index(flip["kind"]) if flip["kind"] in order else len(order),
        ),
        lambda flip: str(flip["file"]),
        lambda flip: (flip["kind"], flip["true"], flip["reference"], flip["candidate"]),
        frames="camera" in document,
    )
    shown = [
        _flip(document, flip, alike, with_maps=index < maps)
        for index, (flip, alike) in enumerate(flipped[:flips])
    ]
    return {
        "title": f"{names['candidate']} against {names['reference']}",
        "caution": trained_on(document),
        "figures": _figures(document),
        "remarks": remarks(document),
        "points": shared_points(document, names),
        "has_classes": bool(document["reference"].get("per_class")),
        **_class_changes(document),
        "matrices": matrices(
            document["labels"], [(names[role], document[role]) for role in _ROLES]
        ),
        "flips": shown,
        "more_flips": more_text(sum(alike for _, alike in flipped[flips:]), "flipped image")
        if flips
        else "",
        "missing": missing_text(shown),
    }


def trained_on(document: Json) -> str | None:
    """Why the figures prove nothing: the network was trained on the images. None where images are
    left that it was not trained on, which alone count."""
    about = document.get("trained_on") or {}
    line: str | None = None if about.get("is_evidence") else about.get("line")
    return line


def left_out_line(document: Json) -> list[str]:
    """That images were left out because the network was trained on them, as a list of lines."""
    about = document.get("trained_on") or {}
    return [about["line"]] if about.get("is_evidence") and about.get("line") else []


def _figures(document: Json) -> list[tuple[str, str, str]]:
    """The figures that mean something for the models' answers: name, value, interval."""
    figures = [("images", str(document["n"]), "")]
    if document["agreement"] is not None:
        agreed = f"{document['agreement']:.1f} %"
        figures.append(("agreement", agreed, bounds_text(document.get("agreement_interval"))))
    for key, name, form in FIGURES:
        for role in _ROLES:
            if document[role].get(key) is not None:
                bounds = bounds_text(document[role].get(f"{key}_interval"))
                figures.append((f"{name}, {role}", form.format(document[role][key]), bounds))
    if "drop_points" in document and not document["reference"].get("at_chance"):
        lost = f"{document['drop_points']:.1f} points"
        figures.append(("drop", lost, bounds_text(document["drop_interval_points"])))
    if moved := document.get("value_difference"):
        figures.append(("difference of the values", f"{moved['mean_abs']:.4g}", ""))
    return figures


def bounds_text(bounds: Sequence[float] | None) -> str:
    return f"{bounds[0]:.1f} to {bounds[1]:.1f}" if bounds else ""


def remarks(document: Json) -> list[str]:
    """Warnings, how the images were read, and what was left out of them."""
    lines = [*left_out_line(document), *document.get("warnings", ())]
    if scenes := (document.get("blocks") or {}).get("note"):
        lines.append(scenes)
    lines += document.get("notes", ())
    for entry in document.get("left_out", ()):
        lines.append(f"left out: {entry['kind']} ({entry['count']}, first {entry['first']})")
    if skipped := document.get("skipped"):
        first = f"the first: {skipped[0]['reason']}" if len(skipped) > 1 else skipped[0]["reason"]
        lines.append(f"{counted(len(skipped), 'unreadable image')}, {first}")
    return lines


def _class_changes(document: Json) -> dict[str, Any]:
    """Recall of each class, candidate less reference, the most images lost first."""
    before = {entry["class"]: entry for entry in document["reference"].get("per_class", ())}
    after = {entry["class"]: entry for entry in document["candidate"].get("per_class", ())}
    moved = []
    for index, was in before.items():
        now = after.get(index)
        if now and was["support"] and was["recall"] is not None and now["recall"] is not None:
            change = now["correct"] - was["correct"]
            if change:
                share = now["recall"] - was["recall"]
                note = f"{was['correct']} → {now['correct']} of {was['support']}"
                moved.append((change, (_label(was["label"]), share, note)))
    moved.sort(key=lambda entry: entry[0])
    worst = [row for _, row in moved[:CLASS_ROWS]]
    chart = worst and plots.as_svg(plots.changes(worst), "change of recall by class", inline=True)
    return {"class_changes": chart or "", "more_classes": len(moved) - len(worst)}


def matrices(labels: Sequence[str], models: Sequence[tuple[str, Json]]) -> list[tuple[str, str]]:
    """The matrix of each model, by its name, over the same classes: those with most mistakes, if
    there are many."""
    chosen = _worst_classes(labels, [model for _, model in models])
    if len(chosen) < 2:
        return []
    shown = [_label(labels[index]) for index in chosen]
    column = {index: where for where, index in enumerate(chosen)}
    charts = []
    for name, model in models:
        cells = [
            (column[true], column[answered], images)
            for true, answered, images in model.get("confusion", ())
            if true in column and answered in column
        ]
        alt = f"confusion matrix of {name}"
        charts.append((name, plots.as_svg(plots.matrix(cells, shown), alt, inline=True)))
    return charts


def _worst_classes(labels: Sequence[str], models: Sequence[Json]) -> list[int]:
    seen: set[int] = set()
    wrong: dict[int, int] = {}
    for model in models:
        for true, answered, images in model.get("confusion", ()):
            if max(true, answered) < len(labels):
                seen |= {true, answered}
                if true != answered:
                    for index in (true, answered):
                        wrong[index] = wrong.get(index, 0) + images
    if len(seen) > MATRIX_CLASSES:
        seen = set(sorted(wrong, key=lambda index: -wrong[index])[:MATRIX_CLASSES])
    return sorted(seen)


def _flip(
    document: Json, flip: Mapping[str, Any], alike: int, *, with_maps: bool
) -> dict[str, Any]:
    """An image that the models answer differently, with what each looked at."""
    path = Path(flip["file"])
    image = thumbnail(path)
    # Results of version 0.1 name no head: one class of several.
    head = HEADS.get((document.get("head") or {}).get("kind", ""))
    spoken = str if head and head.task == "labels" else _label
    return {
        "kind": flip["kind"],
        "kind_text": _KINDS.get(flip["kind"], flip["kind"]),
        "file": path.name,
        "image": image,
        "alike": alike_text(alike, seen=image is not None),
        "true": spoken(str(flip["true"])) if flip["true"] else None,
        "answers": [
            {
                "role": role,
                "label": spoken(str(flip[role])),
                "score": flip[f"{role}_score"],
                "right": flip[role] == flip["true"],
                "map": _map(document, role, path, str(flip[role])) if image and with_maps else None,
            }
            for role in _ROLES
        ],
    }


def _map(document: Json, role: str, image: Path, answer: str) -> str | None:
    labels: list[str] = document["labels"]
    if answer not in labels:
        return None
    model = Path(str(document[role].get("file", "")))
    return evidence_overlay(image, model, labels.index(answer), len(labels))


def _label(text: str) -> str:
    """The first of several names: ``tench, Tinca tinca`` is ``tench`` here."""
    return text.split(",")[0].strip()
