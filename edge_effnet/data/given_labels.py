"""The labels that a user gives: a file, or a word for what the class folders say."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.data.labels import listed, parse_labels, read_text
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError
from edge_effnet.heads.head import numbers

WORDS = ("folders", "numbers")


def read_labels(path: Path, data: Path | None = None) -> tuple[str, ...]:
    """Read what ``--labels`` names: a file with one class name per line, in index order.

    Args:
        data: the images. Where no such file exists, ``folders`` stands for the names of their
            classes in the order of Keras (as text: 0, 1, 10, 11, 2), and ``numbers`` for
            0, 1, 2 … up to the highest of them.

    Raises:
        DataError: unreadable, empty, or a blank line in the middle.
    """
    if path.name in WORDS and not path.exists():
        return _labels_of(path.name, data)
    return parse_labels(read_text(path, "a label file"), str(path))


def _labels_of(word: str, data: Path | None) -> tuple[str, ...]:
    names = load_images(data, part="evaluation").labels if data else ()
    if not names or (word == "numbers" and not all(map(str.isdecimal, names))):
        raise DataError(
            f"--labels {word} needs images in class folders"
            + (" named by number" if word == "numbers" else ""),
            found=listed(names) or str(data or "no --data"),
            fix="give a file with one class name per line, in index order",
        )
    return names if word == "folders" else numbers(max(map(int, names)) + 1)
