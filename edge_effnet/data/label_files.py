"""The label file that lies beside a model: Teachable Machine's, Edge Impulse's, Coral's, Frigate's.

It is read where its length fits the model; who asked for nothing is told which file was read, or
why one was not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.data.labels import listed, parse_labels, read_text, refuse_reordered
from edge_effnet.errors import DataError, ModelError
from edge_effnet.heads.head import Head, fit_names
from edge_effnet.model_files import identify, packed_labels

# By how sure it is that a file belongs to the model: its own name, then the usual names.
_OWN = ("{stem}.txt", "{stem}_labels.txt", "{stem}-labels.txt", "{stem}.labels.txt")
_USUAL = (
    *("labels.txt", "label.txt", "labelmap.txt", "label_map.txt", "classes.txt"),
    *("class_names.txt", "class_labels.txt", "class_indices.json", "class_names.json"),
    *("labels.json", "metadata.json"),
)
_OTHERS = ("*label*.txt", "*class*.txt")
_MOST_BYTES = 1 << 20
_LONGEST_NAME = 100
# The list of classes in Edge Impulse's model-parameters/model_variables.h.
_EDGE_IMPULSE = re.compile(r"inferencing_categories\w*\[\d*\]\s*=\s*\{([^}]*)\}")
_QUOTED = re.compile(r'"([^"\\]*)"')


@dataclass(frozen=True)
class LabelFile:
    """What was found beside a model.

    Attributes:
        names: in index order, one for each class; None where no file fits.
        source: the file they are from, as a person would name it.
        notice: the line that says so, or why a file was left alone.
    """

    names: tuple[str, ...] | None = None
    source: str | None = None
    notice: str | None = None


def labels_beside(model: Path, head: Head) -> LabelFile:
    """The class names that lie beside a model file, or with it in a zip archive.

    Args:
        head: of the model; a file of another length is not for it.
    """
    refused: str | None = None
    for source, names in _candidates(model):
        if not names and source.lower().endswith("labels.txt"):
            refused = refused or f"{source} is not used: it is no list of names in UTF-8"
        fitting = fit_names(names, head) if names else None
        if fitting is not None:
            return LabelFile(fitting, source, f"class names from {source}: {listed(fitting)}")
        if names and refused is None:
            refused = (
                f"{source} is not used: it has {len(names)} names, and {model.name} tells "
                f"{head.classes} classes apart"
            )
    return LabelFile(notice=refused)


def choose_names(
    given: Sequence[str] | None, inside: Sequence[str] | None, model: Path, head: Head
) -> tuple[Sequence[str] | None, LabelFile]:
    """The names of a model's classes: as given, else from inside its file, else from beside it.

    Returns:
        The names, None where nobody says them, and the file they are from, if they are from one.

    Raises:
        ModelError: those given are the model's own in another order.
    """
    beside = labels_beside(model, head) if inside is None else LabelFile()
    if given is not None:
        refuse_reordered(given, inside or beside.names, str(model), beside.source)
        return given, LabelFile()
    return (beside.names if inside is None else inside), beside


def _candidates(model: Path) -> Iterator[tuple[str, tuple[str, ...] | None]]:
    """Each file that could hold them and the names in it, the likeliest first."""
    if packed := _packed(model):
        yield packed
        return
    folders = (model, model.parent) if model.is_dir() else (model.parent,)
    seen: set[Path] = set()
    for folder in folders:
        for path in _files(folder, model.stem):
            if path not in seen:
                seen.add(path)
                yield str(path), _read(path)


def _packed(model: Path) -> tuple[str, tuple[str, ...] | None] | None:
    try:
        packed = packed_labels(model) if identify(model).member and model.is_file() else None
    except ModelError:
        return None  # whoever reads the model says what is wrong with it
    if packed is None:
        return None
    name, content = packed
    source, text = f"{name} in {model}", content.decode("utf-8-sig", "replace")
    if name.endswith(".h"):
        found = _EDGE_IMPULSE.search(text)
        return source, tuple(_QUOTED.findall(found[1])) if found else None
    try:
        return source, parse_labels(text, source)
    except DataError:
        return source, None


def _files(folder: Path, stem: str) -> Iterator[Path]:
    names = [*(name.format(stem=stem) for name in _OWN), *_USUAL]
    by_name = {path.name.lower(): path for path in _listed(folder)}
    for name in names:
        if (path := by_name.get(name.lower())) is not None:
            yield path
    for pattern in _OTHERS:
        others = sorted(path for path in by_name.values() if path.match(pattern))
        yield from (path for path in others if all(map(_is_name, _read(path) or ("",))))


def _is_name(text: str) -> bool:
    """Whether a line may be a class's name, rather than a number or a row of a report."""
    return any(map(str.isalpha, text)) and len(text) <= _LONGEST_NAME


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() in (".txt", ".json")
            and path.is_file()
            and path.stat().st_size <= _MOST_BYTES
        )
    except OSError:
        return []


def _read(path: Path) -> tuple[str, ...] | None:
    """The names in a file; None for one that holds none."""
    try:
        text = read_text(path, "a label file")
        if path.suffix.lower() == ".json":
            return _names_of(json.loads(text))
        return parse_labels(text, str(path))
    except (DataError, ValueError, RecursionError):
        return None


def _names_of(found: Any) -> tuple[str, ...] | None:
    """Names in a JSON document: a list, ``{"cat": 0, …}`` as Keras' generators number classes,
    ``{"0": "cat", …}``, or a list called ``labels`` as Teachable Machine writes it."""
    if isinstance(found, dict) and isinstance(found.get("labels"), list):
        found = found["labels"]
    if isinstance(found, list):
        return tuple(found) if found and all(isinstance(name, str) for name in found) else None
    if not isinstance(found, dict):
        return None
    pairs = [(index, name) for name, index in found.items() if type(index) is int]
    pairs += [(int(key), name) for key, name in found.items() if key.isdecimal()]
    numbered = sorted(pair for pair in pairs if isinstance(pair[1], str))
    if [index for index, _ in numbered] != list(range(len(found))):
        return None
    return tuple(name for _, name in numbered) or None
