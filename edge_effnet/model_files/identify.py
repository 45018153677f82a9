"""Name the kind of a file or folder by its bytes."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from edge_effnet.errors import ModelError
from edge_effnet.model_files.archives import keras_configuration, look_into
from edge_effnet.model_files.hdf5 import hdf5_configuration, hdf5_kind, starts_hdf5, stated_size
from edge_effnet.model_files.kinds import KINDS, Kind
from edge_effnet.model_files.protobuf import protobuf_kind
from edge_effnet.plurals import counted

_HEAD = 4096
_TEXT_BYTES = 1 << 20
_MOST_ENTRIES = 2000  # of a folder that are looked at
_IMAGES = re.compile(
    rb"\xff\xd8\xff|\x89PNG|BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0|RIFF.{4}WEBP|GIF8|II\*\0"
    rb"|MM\0\*|.{4}ftyp(?:av|he|mi)|\xff\x0a|\0\0\0\x0cJXL ",
    re.DOTALL,
)
_VIDEOS = re.compile(
    rb".{4}ftyp(?:isom|iso\d|mp4|avc1|qt  |M4V|3gp)|RIFF.{4}AVI |\x1aE\xdf\xa3", re.DOTALL
)
_PYTORCH_OLD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_ARCHIVES = (b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")
_LEVELDB_END = struct.pack("<Q", 0xDB4775248B80FB57)  # of a checkpoint's index
_C_ARRAY = re.compile(rb"0x54,\s*0x46,\s*0x4c,\s*0x33", re.IGNORECASE)
_IMAGE_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".heic", ".tif", ".tiff")


@dataclass(frozen=True)
class ModelFile:
    """A file or folder and what it is.

    Attributes:
        maker: the program that writes such files, where the bytes tell.
        member: of an archive or a folder, what in it is the model.
        others: further models in it.
    """

    path: Path
    kind: Kind
    maker: str | None = None
    member: str | None = None
    others: tuple[str, ...] = ()


def identify(path: Path) -> ModelFile:
    """What a file or folder is; its name is not looked at.

    Raises:
        ModelError: missing, unreadable, no regular file, or damaged (zip, HDF5).
    """
    try:
        if path.is_dir():
            return _of_folder(path)
        if path.exists() and not path.is_file():
            raise ModelError(f"{path} is not a regular file", fix="give the model's file")
        with path.open("rb") as file:
            head = file.read(_HEAD)
        return _of_file(path, head)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ModelError(
            f"{path} cannot be read",
            found=getattr(error, "strerror", None) or str(error),
            expected="a model file",
            fix="check the path and its permissions",
        ) from error


def _of_file(path: Path, head: bytes) -> ModelFile:
    if not head:
        return ModelFile(path, KINDS["empty"])
    if head[4:8] == b"TFL3":
        return ModelFile(path, KINDS["tflite"])
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):  # first: HDF5 may lie in it, uncompressed
        packed = look_into(path)
        return ModelFile(path, KINDS[packed.code], packed.maker, packed.model, others=packed.others)
    if starts_hdf5(path, head):
        _refuse_cut_off(path)
        return ModelFile(path, KINDS[hdf5_kind(path)])
    if head.startswith(_PYTORCH_OLD):
        return ModelFile(path, KINDS["pytorch"])
    code = _by_start(head) or _by_text(path, head) or _by_structure(path, head)
    return ModelFile(path, KINDS[code or "unknown"])


def _refuse_cut_off(path: Path) -> None:
    size, stated = path.stat().st_size, stated_size(path)
    if stated is not None and size < stated:
        raise ModelError(
            f"{path} is an HDF5 file that is cut off",
            found=counted(size, "byte"),
            expected=f"{stated}, as it says itself",
            fix="copy or download it again",
        )


def _by_start(head: bytes) -> str | None:
    if _IMAGES.match(head):
        return "image"
    if _VIDEOS.match(head):
        return "video"
    if head.startswith(b"\x93NUMPY"):
        return "numpy"
    if head.startswith(b"\x7fELF"):
        return "program"
    if head.startswith(_ARCHIVES):
        return "archive"
    return "pickle" if _PICKLE.match(head) else None


def _by_text(path: Path, head: bytes) -> str | None:
    """A kind of text; None for bytes that are none."""
    if b"\0" in head:
        return None
    try:
        start = head.decode("utf-8-sig", "strict" if len(head) < _HEAD else "ignore").strip()
    except UnicodeDecodeError:
        return None
    if start.startswith("version https://git-lfs"):
        return "lfs-pointer"
    lower = start[:512].lower()
    if lower.startswith(("<!doctype html", "<html")) or "<html" in lower:
        return "html"
    if re.match(r"(?:<\?xml[^>]*>\s*)?<net\s", start):
        return "openvino"
    if start.startswith("7767517"):
        return "ncnn"
    if start.startswith("model_checkpoint_path"):
        return "tf-checkpoint"
    with path.open("rb") as file:
        text = file.read(_TEXT_BYTES)
    if start.startswith("{"):
        return _json_kind(text)
    return (
        "c-array" if _C_ARRAY.search(text) else ("text" if start.isprintable() else _plain(start))
    )


def _plain(start: str) -> str | None:
    controls = sum(not (letter.isprintable() or letter.isspace()) for letter in start)
    return None if controls else "text"


def _json_kind(text: bytes) -> str:
    if b'"modelTopology"' in text or b'"weightsManifest"' in text or b'"tfjsVersion"' in text:
        return "tfjs"
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return "json"
    network = isinstance(found, dict) and "class_name" in found and "config" in found
    return "keras-config" if network else "json"


def _by_structure(path: Path, head: bytes) -> str | None:
    size = path.stat().st_size
    length = int.from_bytes(head[:8], "little")
    if len(head) > 9 and head[8:9] == b"{" and 2 <= length <= size - 8:
        return "safetensors"
    with path.open("rb") as file:
        file.seek(max(0, size - 8))
        if file.read() == _LEVELDB_END:
            return "tf-checkpoint"
    return protobuf_kind(path)


def _of_folder(path: Path) -> ModelFile:
    names = sorted(entry.name for entry in islice(path.iterdir(), _MOST_ENTRIES))
    if "saved_model.pb" in names and (path / "saved_model.pb").is_file():
        return ModelFile(path, KINDS["saved-model"])
    if "saved_model.pbtxt" in names:
        return ModelFile(path, KINDS["saved-model-text"])
    if "Manifest.json" in names and (path / "Data" / "com.apple.CoreML").is_dir():
        return ModelFile(path, KINDS["coreml"])
    models = [name for name in names if _holds_model(path / name)]
    if models:
        return ModelFile(path, KINDS["folder-of-model"], member=models[0], others=tuple(models[1:]))
    if any(_shows_images(path / name) for name in islice(names, 50)):
        return ModelFile(path, KINDS["image-folder"])
    return ModelFile(path, KINDS["folder"])


def _holds_model(path: Path) -> bool:
    """Whether a file or folder in a folder is a model that can be used here."""
    if path.name.startswith(".") or path.name.lower().endswith(_IMAGE_ENDINGS):
        return False
    if path.is_dir():
        return (path / "saved_model.pb").is_file()
    try:
        return bool(identify(path).kind.uses)
    except ModelError:
        return False


def _shows_images(path: Path) -> bool:
    names: Iterator[Path] = islice(path.iterdir(), 50) if path.is_dir() else iter((path,))
    return any(name.suffix.lower() in _IMAGE_ENDINGS for name in names)


def keras_network(found: ModelFile) -> tuple[Mapping[str, Any] | None, str | None]:
    """The configuration of a whole Keras model and the version of Keras that wrote it, each None
    where the bytes do not tell.

    Raises:
        ModelError: it is damaged or cannot be read.
    """
    try:
        if found.kind.code == "keras-zip":
            return keras_configuration(found.path)
        return hdf5_configuration(found.path) if found.kind.code == "keras-h5" else (None, None)
    except OSError as error:
        raise ModelError(
            f"{found.path} cannot be read", found=str(error), fix="check the path"
        ) from error
