"""The page's parts about conversions and comparisons: classes, mistakes, flipped images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from benchmarks.report import svg
from benchmarks.report.flipped_images import evidence_overlay, thumbnail
from benchmarks.report.sources import Json
from edge_effnet.heads.kinds import HEADS
from edge_effnet.ui.console import megabytes

CLASS_ROWS = 24
MATRIX_CLASSES = 20
_ROLES = ("reference", "candidate")
_KINDS = {
    "lost": "lost: only the first is right",
    "gained": "gained: only the second is right",
    "other": "both wrong",
    "changed": "another answer",
}


def conversion(document: Json) -> str:
    """The files a conversion wrote."""
    lines, values = [], False
    first = document["models"][0]
    for model in document["models"]:
        judged = model.get("comparison") or {}
        same, moved = judged.get("agreement"), judged.get("value_difference")
        agreement = "–" if same is None else f"{same:.1f} %"
        if moved:
            values, agreement = True, f"{moved['mean_abs']:.4g}"
        cells = (
            Path(str(model["file"])).name,
            megabytes(model["size_bytes"]),
            f"{model['size_bytes'] / first['size_bytes']:.3f}",
            agreement,
            f"{model['latency_ms']:.1f} ms",
        )
        lines.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    heads = ("file", "size", "of float", "difference" if values else "agreement", "latency")
    head = "".join(f"<th>{name}</th>" for name in heads)
    table = f"<div class='wide'><table><tr>{head}</tr>{''.join(lines)}</table></div>"
    return judging(document) + table


def comparison_title(document: Json) -> str:
    ours, theirs = (Path(str(document[role].get("file", role))).stem for role in _ROLES)
    return f"{theirs} against {ours}"


def proof(document: Json) -> str:
    """What the comparison says, in the figures that mean something for the models' answers."""
    figures = [("images", str(document["n"]))]
    if document["agreement"] is not None:
        agreed = f"{document['agreement']:.1f} %" + _interval(document.get("agreement_interval"))
        figures.append(("agreement", agreed))
    for key, name, form in _FIGURES:
        for role in _ROLES:
            if document[role].get(key) is not None:
                figures.append((f"{name}, {role}", form.format(document[role][key])))
    if "drop_points" in document and not document["reference"].get("at_chance"):
        lost = f"{document['drop_points']:.1f} points"
        figures.append(("drop", lost + _interval(document["drop_interval_points"])))
    if moved := document.get("value_difference"):
        figures.append(("difference of the values", f"{moved['mean_abs']:.4g}"))
    grid = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in figures)
    scenes = (document.get("blocks") or {}).get("note")
    lines = [*document.get("warnings", ()), *([scenes] if scenes else []), *_data_lines(document)]
    return f"{judging(document)}<dl class='row'>{grid}</dl>{_remarks(lines)}"


# (key under a model, what it is called, how it is written): those that a document holds.
_FIGURES = (
    ("top1", "top-1", "{:.1f} %"),
    ("exact_match", "exact match", "{:.1f} %"),
    ("mean_average_precision", "mean average precision", "{:.1f} %"),
    ("mae", "mean absolute error", "{:.4g}"),
    ("r2", "R²", "{:.3f}"),
)


def _interval(bounds: Sequence[float] | None) -> str:
    return f" <small>{bounds[0]:.1f} to {bounds[1]:.1f}</small>" if bounds else ""


def judging(document: Json) -> str:
    """What to know first of the images that judged: that the network was trained on some."""
    line = (document.get("trained_on") or {}).get("line")
    return f"<ul class='remarks'><li>{escape(str(line))}</li></ul>" if line else ""


def _remarks(lines: Sequence[str]) -> str:
    return "<ul class='remarks'>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"


def _data_lines(document: Json) -> list[str]:
    """How the images were read, and what was left out of them."""
    lines = list(document.get("notes", ()))
    for entry in document.get("left_out", ()):
        lines.append(f"left out: {entry['kind']} ({entry['count']}, first {entry['first']})")
    if skipped := document.get("skipped"):
        lines.append(f"unreadable images: {len(skipped)}, first {skipped[0]['reason']}")
    return lines


def class_changes(document: Json) -> str:
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
                moved.append((change, _label(was["label"]), share, note))
    moved.sort(key=lambda entry: entry[0])
    worst = moved[:CLASS_ROWS]
    if not worst:
        return "<p>No class changed.</p>" if before else ""
    rest = f"<p class='hint'>{len(moved) - len(worst)} more.</p>" if len(moved) > len(worst) else ""
    chart = svg.changes([entry[1:] for entry in worst], "change of recall by class")
    return f"<div class='chart'>{chart}</div>{rest}"


def confusions(document: Json) -> str:
    """Both models' matrices over the same classes: those with most mistakes, if there are many."""
    chosen = _worst_classes(document)
    if len(chosen) < 2:
        return ""
    labels = [_label(document["labels"][index]) for index in chosen]
    place = {index: where for where, index in enumerate(chosen)}
    charts = []
    for role in _ROLES:
        cells = [
            (place[true], place[answered], images)
            for true, answered, images in document[role].get("confusion", ())
            if true in place and answered in place
        ]
        name = Path(str(document[role].get("file", role))).stem
        chart = svg.matrix(cells, labels, f"confusion matrix of {name}")
        charts.append(f"<div class='chart'><h3>{escape(name)}</h3>{chart}</div>")
    return f"<div class='pair'>{''.join(charts)}</div>"


def _worst_classes(document: Json) -> list[int]:
    seen: set[int] = set()
    wrong: dict[int, int] = {}
    for role in _ROLES:
        for true, answered, images in document[role].get("confusion", ()):
            if max(true, answered) < len(document["labels"]):
                seen |= {true, answered}
                if true != answered:
                    for index in (true, answered):
                        wrong[index] = wrong.get(index, 0) + images
    if len(seen) > MATRIX_CLASSES:
        seen = set(sorted(wrong, key=lambda index: -wrong[index])[:MATRIX_CLASSES])
    return sorted(seen)


def flips(document: Json, limit: int, maps: int) -> str:
    """Cards of images that the models answer differently, lost ones first."""
    order = {"lost": 0, "changed": 1, "other": 2, "gained": 3}
    flipped = sorted(document["flipped"], key=lambda flip: order.get(flip["kind"], 9))
    cards = [
        _flip_card(document, flip, with_maps=place < maps)
        for place, flip in enumerate(flipped[:limit])
    ]
    rest = len(flipped) - len(cards)
    more = f"<p class='hint'>{rest} more flipped images in the JSON.</p>" if rest > 0 else ""
    return f"<div class='flips'>{''.join(cards)}</div>{more}" if cards else ""


def _flip_card(document: Json, flip: Mapping[str, Any], *, with_maps: bool) -> str:
    path = Path(flip["file"])
    labels: list[str] = document["labels"]
    images: list[tuple[str, str]] = []
    if picture := thumbnail(path):
        images.append((picture, "the image"))
    if picture and with_maps:
        for role in _ROLES:
            if str(flip[role]) not in labels:
                continue
            model, index = Path(str(document[role].get("file", ""))), labels.index(flip[role])
            overlay = evidence_overlay(path, model, index, len(labels))
            if overlay:
                images.append((overlay, f"evidence, {role}"))
    shown = "".join(
        f"<figure><img src='{uri}' alt='{escape(what)}'><figcaption>{escape(what)}"
        "</figcaption></figure>"
        for uri, what in images
    )
    # Results of version 0.1 name no head: one class of several.
    head = HEADS.get((document.get("head") or {}).get("kind", ""))
    spoken = str if head and head.task == "labels" else _label
    answers = "".join(
        f"<dt>{role}</dt><dd>{escape(spoken(str(flip[role])))} "
        f"<small>{flip[f'{role}_score']:.2f}</small></dd>"
        for role in _ROLES
    )
    true = f"<dt>true</dt><dd>{escape(spoken(flip['true']))}</dd>" if flip["true"] else ""
    return (
        f"<div class='flip {escape(flip['kind'])}'><div class='images'>{shown}</div>"
        f"<p class='kind'>{escape(_KINDS.get(flip['kind'], flip['kind']))}</p>"
        f"<dl>{true}{answers}</dl><p class='file'>{escape(path.name)}</p></div>"
    )


def _label(text: str) -> str:
    """The first of several names: ``tench, Tinca tinca`` is ``tench`` here."""
    return text.split(",")[0].strip()
