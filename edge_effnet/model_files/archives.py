"""Zip archives: what is in them, and the model taken out of Teachable Machine's and others'.

Names in an archive are never used as names on disk, and a member's declared size is checked
before anything of it is read.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from edge_effnet.errors import DataError, ModelError, cannot_write
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.limits import CONFIG_BYTES, MEMBER_BYTES, MODEL_BYTES, TEXT_BYTES, Limit
from edge_effnet.files.read import open_file
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.files.zip_members import open_zip, read_member, refuse_unreadable

_KERAS = ("config.json", "model.weights.h5")
_LABELS = ("labels.txt", "label.txt", "labelmap.txt", "classes.txt", "model_variables.h")
_ENDINGS_TFLITE = (".tflite", ".lite")
_ENDINGS_KERAS = (".keras", ".h5", ".hdf5")
_IMAGES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
_SAVED_MODEL_FILES = ("saved_model.pb", "keras_metadata.pb", "fingerprint.pb")
_VARIABLES = re.compile(r"variables\.(?:index|data-\d{5}-of-\d{5})")
_FLOAT = re.compile("unquant|float")
_SAID_OF_ZIP = {"File is not a zip file": "the start of one, without the list at its end"}
_ROOM = "free space there, or set TMPDIR to a folder with more"


@dataclass(frozen=True)
class Archive:
    """What a zip archive holds.

    Attributes:
        code: its row in the table of kinds.
        model: the member that is the model, or the folder of a SavedModel; None for none.
        labels: the member with the class names (Edge Impulse's is C++), None where there is none.
        maker: who writes such archives, None where that is unknown.
        others: further models in it.
    """

    code: str
    model: str | None = None
    labels: str | None = None
    maker: str | None = None
    others: tuple[str, ...] = ()


def look_into(path: Path) -> Archive:
    """What an archive holds, by the names of its members.

    Raises:
        ModelError: it is damaged, or a Keras file that would unpack to too much.
    """
    with _opened(path) as archive:
        found = _archive_of(_names(archive))
        if found.code == "keras-zip":
            weights = archive.getinfo("model.weights.h5")
            refuse_unreadable([weights], MEMBER_BYTES, str(path), ModelError)
    return found


def _names(archive: zipfile.ZipFile) -> list[str]:
    """The files in it, without what macOS adds, those nearest to the top first."""
    names = [
        name
        for name in archive.namelist()
        if name and not name.endswith("/") and not name.startswith("__MACOSX/")
    ]
    return sorted(names, key=lambda name: (name.count("/"), name))


def _archive_of(names: list[str]) -> Archive:
    if set(_KERAS) <= set(names):
        return Archive("keras-zip")
    ends = [PurePosixPath(name).name.lower() for name in names]
    if "data.pkl" in ends or "constants.pkl" in ends or "archive_format" in ends:
        return Archive("pytorch")
    labels = next((name for name, end in zip(names, ends, strict=True) if end in _LABELS), None)
    if found := _with_ending(names, _ENDINGS_TFLITE):
        chosen = float_first(found)
        models = [*found, *_with_ending(names, _ENDINGS_KERAS)]
        others = tuple(name for name in models if name != chosen)
        return Archive("tflite-package", chosen, labels, _maker(names, ends), others)
    if "saved_model.pb" in ends:
        place = PurePosixPath(names[ends.index("saved_model.pb")]).parent
        return Archive("saved-model-package", str(place), labels, _maker(names, ends))
    if found := _with_ending(names, _ENDINGS_KERAS):
        return Archive("keras-package", found[0], labels, _maker(names, ends), tuple(found[1:]))
    if "model.json" in ends and any(end.endswith(".bin") for end in ends):
        return Archive("tfjs", maker=_maker(names, ends))
    if any("tflite-model/" in name or "edge-impulse-sdk/" in name for name in names):
        return Archive("edge-impulse-source", maker="Edge Impulse")
    if names and all(end.endswith(".npy") for end in ends):
        return Archive("numpy")
    if any("com.apple.coreml" in name.lower() for name in names):
        return Archive("coreml")
    if any(end.endswith((".onnx", ".pt", ".pth")) for end in ends):
        return Archive("onnx" if any(end.endswith(".onnx") for end in ends) else "pytorch")
    if sum(end.endswith(_IMAGES) for end in ends) * 2 > len(ends):
        return Archive("zip-of-images")
    return Archive("zip")


def _with_ending(names: list[str], endings: tuple[str, ...]) -> list[str]:
    return [name for name in names if name.lower().endswith(endings)]


def float_first(names: list[str]) -> str:
    """Of several, the float one, from which every other can be made; the Edge TPU's last."""
    ends = {name: PurePosixPath(name).name.lower() for name in names}
    return min(names, key=lambda name: ("edgetpu" in ends[name], not _FLOAT.search(ends[name])))


def _maker(names: list[str], ends: list[str]) -> str | None:
    if any("edge-impulse" in name or "tflite-model/" in name for name in names):
        return "Edge Impulse"
    if "trained.tflite" in ends or any(end.startswith("ei-") for end in ends):
        return "Edge Impulse"
    teachable = {"model_unquant.tflite", "keras_model.h5", "weights.bin"}
    beside = {"labels.txt", "metadata.json"}
    if teachable & set(ends) and beside & set(ends):
        return "Teachable Machine"
    return "Teachable Machine" if any("model.savedmodel/" in name for name in names) else None


def keras_configuration(path: Path) -> tuple[Mapping[str, Any] | None, str | None]:
    """The network's configuration in a ``.keras`` archive, and the version of Keras.

    Raises:
        ModelError: it is damaged, or would unpack to too much.
    """
    with _opened(path) as archive:
        network = json.loads(_read(path, archive, "config.json", CONFIG_BYTES))
        about = "metadata.json" in archive.namelist()
        metadata = json.loads(_read(path, archive, "metadata.json", CONFIG_BYTES)) if about else {}
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    return network if isinstance(network, dict) else None, str(version) if version else None


def packed_tflite(path: Path) -> bytes:
    """The bytes of the TFLite model in an archive.

    Raises:
        ModelError: there is none, it is damaged, encrypted, or would unpack to too much.
    """
    with _opened(path) as archive:
        found = _archive_of(_names(archive))
        if found.code != "tflite-package" or found.model is None:
            raise ModelError(f"{path} holds no TFLite model", fix="give a .tflite file")
        return _read(path, archive, found.model)


def packed_labels(path: Path) -> tuple[str, bytes] | None:
    """The name and content of the label file in an archive; None where there is none.

    Raises:
        ModelError: it is damaged.
    """
    with _opened(path) as archive:
        labels = _archive_of(_names(archive)).labels
        return None if labels is None else (labels, _read(path, archive, labels, TEXT_BYTES))


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """The model of an archive as a file or folder of its own, for as long as the block lasts.

    What is no such archive is yielded as it is.

    Raises:
        ModelError: it is damaged, encrypted, or would unpack to too much.
    """
    found = look_into(path) if _is_archive(path) else None
    if found is None or found.model is None:
        yield path
        return
    with scratch_folder() as scratch:
        with _opened(path) as archive:
            if found.code == "saved-model-package":
                target = _extract_folder(path, archive, found.model, scratch)
            else:
                target = scratch / ("model" + PurePosixPath(found.model).suffix.lower())
                _write(target, _read(path, archive, found.model))
        yield target


def _extract_folder(path: Path, archive: zipfile.ZipFile, place: str, scratch: Path) -> Path:
    """Write a SavedModel below ``scratch``: the files that make one, and no others.

    Args:
        place: its folder in the archive.
    """
    folder = scratch / "model"
    wanted = {}
    for name in _names(archive):
        inner = PurePosixPath(name)
        if inner.parent == PurePosixPath(place) and inner.name in _SAVED_MODEL_FILES:
            wanted[name] = folder / inner.name
        elif inner.parent == PurePosixPath(place) / "variables" and _VARIABLES.fullmatch(
            inner.name
        ):
            wanted[name] = folder / "variables" / inner.name
    refuse_unreadable(list(map(archive.getinfo, wanted)), MODEL_BYTES, str(path), ModelError)
    for name, target in wanted.items():
        _write(target, _read(path, archive, name))
    return folder


def _write(target: Path, content: bytes) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:  # the disk's fault, not the archive's
        raise cannot_write(target.parent, error, _ROOM) from error


def _is_archive(path: Path) -> bool:
    try:
        with open_file(path) as file:
            return file.read(4) == b"PK\x03\x04"
    except (DataError, OSError):
        return False


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with open_file(path) as file, open_zip(file) as archive:
            yield archive
    except DAMAGE as error:
        raise ModelError(
            f"{path} is a zip archive that is damaged or cut off",
            found=_SAID_OF_ZIP.get(str(error)) or reason(error),
            expected="a whole archive",
            fix="copy or download it again",
        ) from error


def _read(path: Path, archive: zipfile.ZipFile, name: str, limit: Limit = MEMBER_BYTES) -> bytes:
    return read_member(archive, name, limit, str(path), ModelError)
