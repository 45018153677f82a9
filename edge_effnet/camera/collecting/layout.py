"""The folder that ``--collect`` fills.

photos/CLASS/    photos of known classes, which ``teach`` and ``train`` read as they are
to-label/        frames that may teach something and whose class nobody has told
discarded/       those that a viewer has put aside
frames.jsonl     for each: why it was kept, and what the models answered
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_effnet.camera.outputs.frame_files import file_name_part

PHOTOS, TO_LABEL, DISCARDED, LINES = "photos", "to-label", "discarded", "frames.jsonl"


def class_folder(label: str) -> str:
    """The folder of a class: its name, where that is one plain part of a path."""
    plain = label.isprintable() and label == label.strip() and len(label.encode()) <= 200
    if plain and not label.startswith(".") and not set(label) & set('/\\:*?"<>|'):
        return label
    return file_name_part(label)


def folder_label(name: str, labels: Sequence[str]) -> str:
    """The class of a folder: one of the labels, or its name."""
    return next((label for label in labels if class_folder(label) == name), name)


def class_folders(folder: Path) -> list[Path]:
    """The folders below ``photos`` that hold a file, by name."""
    found = (path for path in (folder / PHOTOS).glob("*") if path.is_dir())
    return sorted(path for path in found if any(path.iterdir()))
