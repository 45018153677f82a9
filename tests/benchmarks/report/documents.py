"""What the pages of tests are made of, and a check of the HTML."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "img", "br"}


class Balanced(HTMLParser):
    """Fails on a tag that is closed without being open, and remembers every reference."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def comparison_json(**changes: Any) -> dict[str, Any]:
    flip = {"file": "gone.jpg", "kind": "lost", "true": "<i>", "reference": "<i>"}
    flip |= {"reference_score": 0.9, "candidate": "c", "candidate_score": 0.5}
    model = {"file": "x.tflite", "top1": 90.0, "per_class": [], "confusion": [[0, 0, 3], [0, 1, 1]]}
    return {
        "format": "edge-effnet/comparison",
        "version": 1,
        "n": 4,
        "reference": model,
        "candidate": model,
        "agreement": 75.0,
        "labels": ["<i>", "c"],
        "flipped": [flip],
        **changes,
    }
