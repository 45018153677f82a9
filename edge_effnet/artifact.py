"""The artifact: a ``.tflite`` with its model card inside.

The card is a JSON file in a ZIP archive behind the model, next to ``labels.txt``: the place
the TFLite metadata convention uses for associated files. Any runtime ignores it, Android and
MediaPipe read the labels from it, and so can a person:

    python -m zipfile -e b0-int8.tflite DIR     # writes DIR/model_card.json
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import NoneType
from typing import Any

from edge_effnet.data.labels import parse_labels
from edge_effnet.errors import DataError, EdgeEffnetError, ModelError
from edge_effnet.files.damage import DAMAGE
from edge_effnet.files.json_text import parse_json
from edge_effnet.files.limits import CARD_BYTES
from edge_effnet.files.write import dump_json, text_bytes, write_atomically
from edge_effnet.files.zip_members import open_zip, read_member, refuse_unreadable
from edge_effnet.heads.head import Head, head_from_json, numbers
from edge_effnet.heads.thresholds import ClassThreshold, thresholds_from_json
from edge_effnet.heads.unknown import Unknown, unknown_from_json
from edge_effnet.image.preprocessing import Preprocess, foreign_preprocess
from edge_effnet.tflite.metadata import METADATA_NAME, read_normalization
from edge_effnet.tflite.reader import Structure, parse_structure, read_model_bytes

CARD_NAME = "model_card.json"
LABELS_NAME = "labels.txt"
CARD_FORMAT = "edge-effnet model card"
CARD_VERSION = 4
_ZIP_DATE = (2020, 1, 1, 0, 0, 0)  # the same model makes the same bytes
# The local header of the archive's first file, which is all that is left when the end is gone.
_ARCHIVE_START = re.compile(
    rb"PK\x03\x04.{22}%b..%b" % (struct.pack("<H", len(LABELS_NAME)), LABELS_NAME.encode()),
    re.DOTALL,
)


@dataclass(frozen=True)
class Card:
    """What travels with a model.

    Attributes:
        name: of the artifact, such as ``v2-b0-int8``.
        labels: class names in index order.
        preprocess: what the host does to an image.
        variant: the network's row as JSON, or None for a network that is no variant of ours.
        weights: where the weights came from: ``kind``, file name, hash.
        steps: the provenance: what was done, in order, each with ``step``, settings, hashes.
        measured: float against quantized on named data, as ``compare`` reports it; None
            where nothing was measured.
        tool: versions of what made it.
        head: what the answer means; None in a card of version 0.1, where it is found anew.
        unknown: when it answers "unknown", which its second output is for; None without one.
        thresholds: by class name, from which score on an image is taken for the class.
        model_sha256: of the model's bytes, without the archive; set on writing.
    """

    name: str
    labels: tuple[str, ...]
    preprocess: Preprocess
    variant: Mapping[str, Any] | None = None
    weights: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Mapping[str, Any], ...] = ()
    measured: Mapping[str, Any] | None = None
    tool: Mapping[str, str] = field(default_factory=dict)
    head: Head | None = None
    unknown: Unknown | None = None
    thresholds: Mapping[str, ClassThreshold] = field(default_factory=dict)
    model_sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        # Version 1 knows central crops of RGB images alone, and must not read anything else.
        as_before = Preprocess(self.preprocess.height, self.preprocess.width)
        kept = {key: getattr(as_before, key) for key in ("fit", "channels", "standardize")}
        version = 1 if replace(self.preprocess, **kept) == self.preprocess else 2
        own = asdict(self)
        if self.unknown is None:
            del own["unknown"]
        else:
            version = 3  # the others know one output alone
        if self.preprocess.resize != as_before.resize:
            version = CARD_VERSION  # the others would resize in their own way, in silence
        return {"format": CARD_FORMAT, "version": version, **own}


@dataclass(frozen=True)
class Artifact:
    """What a model file says of itself; each but the structure is None where it does not say.

    Attributes:
        labels: None too where they only count the classes (0, 1, 2 …), which names nothing.
    """

    card: Card | None
    labels: tuple[str, ...] | None
    preprocess: Preprocess | None
    structure: Structure


def write_artifact(path: Path, model: bytes, card: Card, *, overwrite: bool = False) -> Card:
    """Write a model with its card and labels; nothing is left half-written.

    Returns:
        The card as written, with the model's hash.

    Raises:
        OutputError: the file exists and ``overwrite`` is False, or it cannot be written.
    """
    data, card = artifact_bytes(model, card)
    write_atomically(path, data, overwrite=overwrite)
    return card


def artifact_bytes(model: bytes, card: Card) -> tuple[bytes, Card]:
    """What ``write_artifact`` writes, and the card in it."""
    model = split_archive(model)[0]
    card = replace(card, model_sha256=hashlib.sha256(model).hexdigest())
    archive = io.BytesIO(model)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as pack:
        labels = text_bytes("\n".join(card.labels) + "\n")
        pack.writestr(zipfile.ZipInfo(LABELS_NAME, _ZIP_DATE), labels)
        pack.writestr(zipfile.ZipInfo(CARD_NAME, _ZIP_DATE), dump_json(card.to_json()))
    return archive.getvalue(), card


def split_archive(data: bytes, name: str = "the model") -> tuple[bytes, dict[str, bytes]]:
    """Divide a file's bytes into the model and, of the archive behind it, card and text files.

    A damaged archive counts as none; ``read_artifact`` refuses it.

    Args:
        name: of the file, for messages.

    Raises:
        ModelError: card and text files are more than the limit, all told, or cannot be read.
    """
    try:
        with open_zip(io.BytesIO(data)) as pack:
            entries = pack.infolist()
            start = min((entry.header_offset for entry in entries), default=len(data))
            wanted = [one for one in entries if one.filename.lower().endswith((CARD_NAME, ".txt"))]
            refuse_unreadable(wanted, CARD_BYTES, name, ModelError)
            names = {entry.filename for entry in wanted}
            files = {one: read_member(pack, one, CARD_BYTES, name, ModelError) for one in names}
    except DAMAGE:
        return data, {}
    return data[:start], files


def read_artifact(path: Path) -> Artifact:
    """Read what a model file says of itself: our card, else TFLite metadata.

    Raises:
        ModelError: no model, a damaged card, or a card that belongs to other model bytes.
    """
    data = read_model_bytes(path)
    model, files = split_archive(data, str(path))
    if CARD_NAME in files:
        card = _parse_card(path, files[CARD_NAME])
        if card.model_sha256 != hashlib.sha256(model).hexdigest():
            raise ModelError(
                f"{path} and the card inside it do not belong together",
                found="model bytes with another hash than the card's",
                expected=card.model_sha256[:16] + "…",
                fix="copy or convert the file again",
            )
        structure = parse_structure(model, str(path))
        if card.unknown is not None:  # the answer is the first; see ``heads.unknown``
            structure = replace(structure, outputs=structure.outputs[:1])
        return Artifact(card, _names(card.labels), card.preprocess, structure)
    structure = parse_structure(model, str(path))
    if not files and _ARCHIVE_START.search(data):
        raise ModelError(
            f"{path} is damaged or cut off",
            found="a model whose labels and card cannot be read",
            expected="a whole .tflite file",
            fix="copy or convert it again",
        )
    labels = _stated_labels(files, structure)
    return Artifact(None, labels, _stated_preprocess(structure), structure)


def _names(labels: tuple[str, ...]) -> tuple[str, ...] | None:
    return None if labels == numbers(len(labels)) else labels


def _stated_labels(files: Mapping[str, bytes], structure: Structure) -> tuple[str, ...] | None:
    """The first text file behind a model of others that has as many lines as it has classes: a
    license or a vocabulary lies there too."""
    shape = structure.tensors[structure.outputs[0]].shape if structure.outputs else ()
    width = shape[-1] if shape else 0
    fitting = {1, 2} if width == 1 else {width}  # one sigmoid tells two classes apart
    for name, content in sorted(files.items()):
        if name.lower().endswith(".txt"):
            try:
                labels = parse_labels(content.decode("utf-8-sig", "replace"), name)
            except DataError:
                continue
            if len(labels) in fitting:
                return _names(labels)
    return None


def _stated_preprocess(structure: Structure) -> Preprocess | None:
    stated = read_normalization(structure.metadata.get(METADATA_NAME, b""))
    shape = structure.tensors[structure.inputs[0]].shape if structure.inputs else ()
    if stated is None or len(shape) != 4 or min(shape) < 1:
        return None
    height, width, channels = shape[1:]
    if channels not in (1, 3) or (channels == 1 and {len(stated[0]), len(stated[1])} != {1}):
        return None
    return replace(foreign_preprocess(height, width, channels), mean=stated[0], std=stated[1])


def _preprocess_from_json(stored: Mapping[str, Any]) -> Preprocess:
    """Cards of version 1 have the first five settings alone."""
    return Preprocess(
        int(stored["height"]),
        int(stored["width"]),
        float(stored["crop"]),
        tuple(map(float, stored["mean"])),
        tuple(map(float, stored["std"])),
        stored.get("fit", "crop"),
        stored.get("channels", "rgb"),
        bool(stored.get("standardize", False)),
        stored.get("resize", "area"),
    )


def _of_type(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError(f"{str(value)[:40]!r} in a place for something else")
    return value


_WRONG_TYPES = (ValueError, KeyError, TypeError, AttributeError)


def _parse_card(path: Path, content: bytes) -> Card:
    try:
        raw = parse_json(content)
        if raw["format"] != CARD_FORMAT:
            raise ValueError(raw["format"])
        if raw["version"] > CARD_VERSION:
            raise ModelError(
                f"{path} was made by a newer edge-effnet",
                found=f"model card version {raw['version']}",
                expected=f"at most {CARD_VERSION}",
                fix="pip install --upgrade edge-effnet",
            )
        labels = tuple(map(str, _of_type(list, raw["labels"])))
        return Card(
            name=str(raw["name"]),
            labels=labels,
            preprocess=_preprocess_from_json(raw["preprocess"]),
            variant=_of_type((dict, NoneType), raw["variant"]),
            weights=_of_type(dict, raw["weights"]),
            steps=tuple(_of_type(dict, step) for step in _of_type(list, raw["steps"])),
            measured=_of_type((dict, NoneType), raw["measured"]),
            tool=_of_type(dict, raw["tool"]),
            head=head_from_json(raw.get("head")),
            unknown=unknown_from_json(raw.get("unknown")),
            thresholds=thresholds_from_json(raw.get("thresholds"), labels),
            model_sha256=str(raw["model_sha256"]),
        )
    except ModelError:
        raise
    except (EdgeEffnetError, ArithmeticError, RecursionError, *_WRONG_TYPES) as error:
        reason = error.what if isinstance(error, EdgeEffnetError) else error
        raise ModelError(
            f"{path} has a damaged model card",
            found=f"{type(error).__name__}: {reason}",
            expected="the card edge-effnet wrote",
            fix="convert the model again",
        ) from error
