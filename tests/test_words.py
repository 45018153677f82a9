"""The words that version 0.2 left behind for those of TensorFlow's and LiteRT's documentation.

What users have scripts on keeps its name: keys of JSON documents and cards, an option, an address.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
REPLACED = {
    "rung": "strategy",
    "ladder": "strategies",
    "climb": "search",
    "workshop": "candidates",
    "lesson": "batch, layer problem",
    "dissection": "subgraph",
    "surgery": "slicing",
    "handover": "bounded queue",
    "telling": "run status",
    "shouting": "outlier",
    "wish": "camera request",
    "picture": "image",
    "judge": "evaluate",
    "judging": "evaluating",
    "judged": "evaluated",
}
# Whole texts in which an old word is a name that users have scripts on.
KEPT = {
    '"rung"', '"rungs"', '"ladder"', '"pictures"', "`rung`", "`rungs`",
    "`ladder`", "`pictures`", "/picture.jpg", "X-Picture", "--pictures",
    "generated pictures",
    '"judged"', "config.pictures", "pictures: int",
}  # fmt: skip
FILES = ("*.py", "*.md", "*.html", "*.css", "*.js", "*.yml")
WORD = re.compile(rf"\b({'|'.join(REPLACED)})s?\b", re.IGNORECASE)


def documents() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--", *FILES], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout: which files are the project's is not known")
    return [
        name
        for name in listed.stdout.split()
        if not name.startswith("tests/") and name != "CHANGELOG.md"
    ]


def test_replaced_words_do_not_come_back() -> None:
    found = []
    for name in documents():
        text = (ROOT / name).read_text()
        for number, line in enumerate(text.split("\n"), 1):
            rest = line
            for kept in KEPT:
                rest = rest.replace(kept, "")
            if word := WORD.search(rest):
                found.append(f"{name}:{number}: {word[0]}: {line.strip()}")
    assert not found, "\n".join(found)
