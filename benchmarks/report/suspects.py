"""The page's part about images that may hurt a data set, with the images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.report.flipped_images import thumbnail
from benchmarks.report.sources import Json
from benchmarks.report.wording import more_text

SHOWN = 24
"""Images with likely wrong labels, groups of copies, and copies of training images."""
OF_A_GROUP = 6
"""Copies of one image, and images of one class, that are shown."""


def suspects(document: Json) -> dict[str, Any] | None:
    """What the template shows; None where ``evaluate`` was not asked to look for them."""
    found = document.get("suspects")
    if found is None:
        return None
    moved = found.get("moved") or []
    wrong, copies = found["likely_wrong"], found["copies"]
    near = (found.get("trained_on") or {"near": []})["near"]
    files = moved if len(moved) == len(wrong) else [one["file"] for one in wrong]
    return {
        "wrong": [
            {
                **image_of(file),
                "label": one["label"],
                "likely": one["likely"],
                "scores": f"{one['probability']:.2f} against {one['likely_probability']:.2f}",
            }
            for one, file in zip(wrong[:SHOWN], files, strict=False)
        ],
        "more_wrong": more_text(len(wrong) - SHOWN, "image"),
        "copies": [_copies(one) for one in copies[:SHOWN]],
        "more_copies": more_text(len(copies) - SHOWN, "group"),
        "near": [image_of(file) for file in near[:SHOWN]],
        "more_near": more_text(len(near) - SHOWN, "image"),
        "worst": [
            {
                "label": one["label"],
                "images": [
                    {**image_of(image["file"]), "score": f"{image['probability']:.2f}"}
                    for image in one["images"][:OF_A_GROUP]
                ],
            }
            for one in found["worst"][:SHOWN]
        ],
    }


def _copies(group: Json) -> dict[str, Any]:
    files, labels = group["files"], group["labels"]
    # Where labels contradict each other, one of each comes first.
    first = {label: index for index, label in reversed(list(enumerate(labels)))}
    order = sorted(range(len(files)), key=lambda index: first.get(labels[index]) != index)
    shown = [
        {**image_of(files[index]), "label": labels[index]}
        for index in order[:OF_A_GROUP]
        if index < len(labels)
    ]
    return {"images": shown, "more": more_text(len(files) - OF_A_GROUP, "image")}


def image_of(file: str) -> dict[str, Any]:
    """A file's name, and its image where it is there."""
    return {"file": Path(file).name, "image": thumbnail(Path(file))}
