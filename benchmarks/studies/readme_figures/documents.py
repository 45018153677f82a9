"""Where a figure stands in the documents, and what is stated there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from edge_effnet.errors import DataError

ROOT = Path(__file__).parents[3]

_NUMBER = r"[-+−]?\d[\d,]*(?:\.\d+)?"
_HOLES = {"{}": f"({_NUMBER})", "#": _NUMBER}


def read_documents(root: Path = ROOT) -> dict[str, str]:
    """The README and the Markdown files of ``docs/``, by their path below ``root``.

    Raises:
        DataError: there is no README; it is not part of an installed package.
    """
    paths = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    if not paths[0].is_file():
        raise DataError(
            f"{paths[0]} is not there",
            found="no README",
            expected="a checkout of edge-effnet",
            fix="run this in a clone: make figures",
        )
    return {str(path.relative_to(root)): path.read_text(encoding="utf-8") for path in paths}


def find_words(words: str, documents: Mapping[str, str]) -> tuple[str, float | None]:
    """The one place where ``words`` stand: the document, and the number at ``{}``, if any.

    Raises:
        DataError: they stand nowhere, or more than once.
    """
    pattern = re.compile(words_pattern(words))
    found = [(name, match) for name, text in documents.items() for match in pattern.finditer(text)]
    if len(found) != 1:
        raise DataError(
            f"the documents do not say {words!r}" if not found else f"{words!r} stands twice",
            found=f"{len(found)} places in {', '.join(documents)}",
            expected="one",
            fix="correct the row in benchmarks/studies/readme_figures/table.py",
        )
    name, match = found[0]
    return name, _number(match[1]) if pattern.groups else None


def words_pattern(words: str) -> str:
    """The regular expression of ``words``; its group is the figure."""
    parts = re.split(r"(\{\}|#(?= |,|;|\)|:|$)|\s+)", words)
    return "".join(
        _HOLES.get(part, r"\s+" if part.isspace() else re.escape(part)) for part in parts if part
    )


def _number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", ""))
