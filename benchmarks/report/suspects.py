"""The page's part about images that may hurt a data set, with the images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report.flipped_images import thumbnail
from benchmarks.report.sources import Json

SHOWN = 24
"""Images with likely wrong labels, groups of copies, and copies of training images."""


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
                **_image(file),
                "label": one["label"],
                "likely": one["likely"],
                "scores": f"{one['probability']:.2f} against {one['likely_probability']:.2f}",
            }
            for one, file in zip(wrong[:SHOWN], files, strict=False)
        ],
        "more_wrong": max(0, len(wrong) - SHOWN),
        "copies": [_copies(one) for one in copies[:SHOWN]],
        "more_copies": max(0, len(copies) - SHOWN),
        "near": [_image(file) for file in near[:SHOWN]],
        "more_near": max(0, len(near) - SHOWN),
        "worst": [
            {
                "label": one["label"],
                "images": [
                    {**_image(image["file"]), "score": f"{image['probability']:.2f}"}
                    for image in one["images"]
                ],
            }
            for one in found["worst"][:SHOWN]
        ],
    }


def _copies(group: Json) -> Sequence[dict[str, Any]]:
    pairs = zip(group["files"], group["labels"], strict=True)
    return [{**_image(file), "label": label} for file, label in pairs]


def _image(file: str) -> dict[str, Any]:
    return {"file": Path(file).name, "image": thumbnail(Path(file))}
