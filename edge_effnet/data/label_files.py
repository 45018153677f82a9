"""The label file that lies beside a model: Teachable Machine's, Edge Impulse's, Coral's, Frigate's.

It is read where its length fits the model; who asked for nothing is told which file was read, or
why one was not.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.data.labels import (
    fold,
    listed,
    parse_labels,
    read_text,
    refuse_reordered,
    same_names,
)
from edge_effnet.errors import DataError, ModelError
from edge_effnet.heads.head import Head, fit_names
from edge_effnet.model_files import identify, packed_labels

# By how sure it is that a file belongs to the model: its own name, then the usual names.
_OWN_NAME = "{stem}.txt"  # which says nothing of labels: it may be notes
_OWN = (_OWN_NAME, "{stem}_labels.txt", "{stem}-labels.txt", "{stem}.labels.txt")
_USUAL = (
    *("labels.txt", "label.txt", "labelmap.txt", "label_map.txt", "classes.txt"),
    *("class_names.txt", "class_labels.txt", "class_indices.json", "class_names.json"),
    *("labels.json", "metadata.json"),
)
_OTHERS = ("*label*.txt", "*class*.txt")
_MOST_BYTES = 1 << 20
_LONGEST_NAME = 100
_MOST_REPEATED = 0.01  # share of names: ImageNet's lists hold two cranes and two maillots
# A line of a person's notes: it ends like a sentence, sets a value, or has six words in a row.
_NOTE = re.compile(r"[.!?:;]$|:\s|=|(?:[^\s,]+\s+){5}[^\s,]")
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
        own: whether the file is this model's for certain: it has its name or lies in its archive.
    """

    names: tuple[str, ...] | None = None
    source: str | None = None
    notice: str | None = None
    own: bool = False


@dataclass(frozen=True)
class _Candidate:
    """A file that could hold the names.

    Attributes:
        names: None where it holds none.
        problem: what is wrong with it, for a file that should hold some.
    """

    source: str
    names: tuple[str, ...] | None = None
    problem: str | None = None
    own: bool = False


def labels_beside(model: Path, head: Head) -> LabelFile:
    """The class names that lie beside a model file, or with it in a zip archive.

    Args:
        head: of the model; a file of another length is not for it.
    """
    refused: str | None = None
    for one in _candidates(model):
        fitting = fit_names(one.names, head) if one.names else None
        problem = one.problem or _repeated(one.names or ())
        if fitting is not None and problem is None:
            line = f"class names from {one.source}: {listed(fitting)}"
            return LabelFile(fitting, one.source, line, one.own)
        if problem is None and one.names:
            problem = f"it has {len(one.names)} names, and {model.name} has " + _answers_of(head)
        if problem is not None and refused is None:
            refused = f"{one.source} is not used: {problem}"
    return LabelFile(notice=refused)


def _answers_of(head: Head) -> str:
    if head.task == "value":
        return "one number as its answer" if head.classes == 1 else f"{head.classes} numbers"
    return f"{head.classes} {'labels' if head.task == 'labels' else 'classes'}"


def _repeated(names: Sequence[str]) -> str | None:
    """What is wrong with a list that gives several classes one name."""
    if len(names) - len(set(names)) <= _MOST_REPEATED * len(names):
        return None
    name, count = Counter(names).most_common(1)[0]
    return f"it gives {count} classes the name {name!r}"


def choose_names(
    given: Sequence[str] | None, inside: Sequence[str] | None, model: Path, head: Head
) -> tuple[Sequence[str] | None, LabelFile]:
    """The names of a model's classes: as given, else from inside its file, else from beside it.

    Returns:
        The names, None where nobody says them, and the file they are from, if they are from one.

    Raises:
        ModelError: those given are the model's own in another order. A file beside it that may be
            another model's is only mentioned.
    """
    beside = labels_beside(model, head) if inside is None else LabelFile()
    if given is None:
        return (beside.names if inside is None else inside), beside
    if inside is not None or beside.own:
        refuse_reordered(given, inside or beside.names, str(model), beside.source)
        return given, LabelFile()
    return given, LabelFile(notice=_other_order(given, beside))


def _other_order(given: Sequence[str], beside: LabelFile) -> str | None:
    """The line about a file that has the names given in another order."""
    names = beside.names or ()
    if sorted(map(fold, given)) != sorted(map(fold, names)) or same_names(given, names):
        return None
    return (
        f"{beside.source} has the names of --labels in another order ({listed(names)}); the order "
        f"of --labels counts ({listed(given)})"
    )


def _candidates(model: Path) -> Iterator[_Candidate]:
    """Each file that could hold them, the likeliest first."""
    if packed := _packed(model):
        yield packed
        return
    folders = (model, model.parent) if model.is_dir() else (model.parent,)
    seen: set[Path] = set()
    for folder in folders:
        for one in _files(folder, model.stem):
            if Path(one.source) not in seen:
                seen.add(Path(one.source))
                yield one


def _packed(model: Path) -> _Candidate | None:
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
        return _Candidate(source, tuple(_QUOTED.findall(found[1])) if found else None, own=True)
    try:
        return _Candidate(source, parse_labels(text, source), own=True)
    except DataError as error:
        return _Candidate(source, problem=f"{error.found}; {error.fix}", own=True)


def _files(folder: Path, stem: str) -> Iterator[_Candidate]:
    by_name = {path.name.lower(): path for path in _listed(folder)}
    for name in (*_OWN, *_USUAL):
        path = by_name.get(name.format(stem=stem).lower())
        if path is not None and (name != _OWN_NAME or _lists_names(path)):
            yield _read(path, own=name in _OWN)
    for pattern in _OTHERS:
        others = sorted(path for path in by_name.values() if path.match(pattern))
        yield from (_read(path) for path in others if _lists_names(path, notes=True))


def _lists_names(path: Path, *, notes: bool = False) -> bool:
    """Whether every line of a file may be a class's name.

    Args:
        notes: whether a line may also read like one of notes.
    """
    names = _read(path).names or ()
    return bool(names) and all(_is_name(one) and (notes or not _NOTE.search(one)) for one in names)


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


def _read(path: Path, *, own: bool = False) -> _Candidate:
    source = str(path)
    json_file = path.suffix.lower() == ".json"
    try:
        text = read_text(path, "a label file")
        names = _names_of(json.loads(text)) if json_file else parse_labels(text, source)
        return _Candidate(source, names, own=own)
    except (ValueError, RecursionError):
        return _Candidate(source)  # JSON of something else
    except DataError as error:
        problem = None if json_file else f"{error.found}; {error.fix}"
        return _Candidate(source, problem=problem, own=own)


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
