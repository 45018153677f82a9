"""What is to go to a Pi: models, checked, and folders of photos, listed."""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edge_effnet.artifact import read_artifact
from edge_effnet.errors import DataError, ModelError, UsageProblem
from edge_effnet.files.limits import IMAGE_BYTES, MODEL_BYTES, REMOTE_FILES, TEXT_BYTES
from edge_effnet.files.read import content_hash, open_file
from edge_effnet.image.kinds import decodable, kind_of_file
from edge_effnet.image.reading import IMAGE_SUFFIXES

Kind = Literal["model", "photo", "text"]
LIMITS = {"model": MODEL_BYTES, "photo": IMAGE_BYTES, "text": TEXT_BYTES}
_TEXTS = {".csv", ".tsv", ".txt"}  # labels
_NOT_FOR_A_PI = {".keras", ".h5", ".hdf5", ".onnx", ".pt", ".pth", ".safetensors"}


@dataclass(frozen=True)
class Item:
    """A file that is to be on the Pi.

    Attributes:
        target: its path there; relative ones begin in the home folder.
        sha256: of its content, in hexadecimal digits.
    """

    source: Path
    target: str
    kind: Kind
    size: int
    sha256: str

    @property
    def part(self) -> str:
        """Its path there while it is on its way."""
        folder, name = posixpath.split(self.target)
        return posixpath.join(folder, f".{name}.{self.sha256[:16]}.part")


@dataclass(frozen=True)
class Gathered:
    """All that was named.

    Attributes:
        folders: what each named folder is called on the Pi.
        left_out: files that are neither models, photos nor labels, counted by suffix.
    """

    items: tuple[Item, ...]
    folders: tuple[str, ...]
    left_out: Counter[str]

    def of(self, kind: Kind) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.kind == kind)


def gather(sources: Sequence[Path], to: str) -> Gathered:
    """List what was named, and check the models.

    Args:
        to: the folder on the Pi; empty for the home folder.

    Raises:
        ModelError: a model that is damaged, is not what its card says, or runs on no Pi.
        DataError: nothing there, nothing to copy in a folder, or a file of another kind.
        UsageProblem: two files would have one name there.
    """
    items, folders, left_out = dict[str, Item](), list[str](), Counter[str]()
    for source in sources:
        if not source.is_dir():
            _add(items, _item(source, posixpath.join(to, source.name), _kind_named(source)))
            continue
        name = posixpath.join(to, source.resolve().name)
        count = len(items)
        for path in _files(source):
            kind = _kind(path)
            if kind is None:
                left_out[path.suffix.lower() or "no suffix"] += 1
            else:
                inside = path.relative_to(source).as_posix()
                _add(items, _item(path, posixpath.join(name, inside), kind))
                REMOTE_FILES.check(len(items), "what is to be copied", DataError, what="has")
        if len(items) == count:
            raise DataError(
                f"{source} holds nothing for a Pi",
                found=", ".join(f"{number} {suffix}" for suffix, number in left_out.items())
                or "no files",
                expected="models (.tflite) or photos",
                fix="check the path",
            )
        folders.append(name)
    return Gathered(tuple(items.values()), tuple(folders), left_out)


def _add(items: dict[str, Item], item: Item) -> None:
    known = items.setdefault(item.target, item)
    if known.sha256 != item.sha256:
        raise UsageProblem(
            f"two files would be {item.target} on the Pi",
            found=f"{known.source} and {item.source}",
            fix="rename one of them, or push them into two folders: --to FOLDER",
        )


def _item(path: Path, target: str, kind: Kind) -> Item:
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
    LIMITS[kind].check(size, str(path), ModelError if kind == "model" else DataError, what="has")
    if kind == "model":
        read_artifact(path)
    return Item(path, target, kind, size, content_hash(path))


def _kind_named(path: Path) -> Kind:
    """Of a file that the user named."""
    kind = _kind(path) if path.is_file() else None
    if kind is not None:
        return kind
    if path.suffix.lower() in _NOT_FOR_A_PI:
        raise ModelError(
            f"{path} is no file that a Pi runs",
            found=f"a {path.suffix} file",
            expected="a .tflite file",
            fix=f"make one: edge-effnet convert --model {path} --int8",
        )
    if not path.exists():
        found = "nothing there"
    else:
        found = "a file of another kind" if path.is_file() else "a pipe or a device"
    raise DataError(
        f"{path} is no model, photo or folder",
        found=found,
        expected="a .tflite file, an image, a list of labels, or a folder of them",
        fix="check the path; scp copies any other file",
    )


def _kind(path: Path) -> Kind | None:
    suffix = path.suffix.lower()
    if suffix == ".tflite":
        return "model"
    image = kind_of_file(path)
    if (image is not None and decodable(image)) or (image is None and suffix in IMAGE_SUFFIXES):
        return "photo"
    return "text" if image is None and suffix in _TEXTS else None


def _files(folder: Path) -> Iterator[Path]:
    """All regular files below it, sorted, without hidden ones; each real folder once."""
    seen = {folder.resolve()}
    for place, folders, names in os.walk(folder, onerror=_unlisted, followlinks=True):
        here = Path(place)
        kept = list[str]()
        for name in sorted(folders):
            real = (here / name).resolve()
            if not name.startswith(".") and real not in seen:
                seen.add(real)
                kept.append(name)
        folders[:] = kept
        for name in sorted(names):
            if not name.startswith(".") and (here / name).is_file():
                yield here / name


def _unlisted(error: OSError) -> None:
    raise DataError(
        f"{error.filename} cannot be listed",
        found=error.strerror or str(error),
        expected="a folder and files that may be read, so that none is overlooked",
        fix="check its permissions, or move it away",
    ) from error
