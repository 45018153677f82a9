"""Damaged cards and archives: what lies behind a ``.tflite``, and zip archives of models."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.artifact import Card, read_artifact, split_archive
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.model_files import identify, keras_network, packed_labels, packed_tflite, unpacked
from tests.edge_effnet.conftest import model_bytes
from tests.fuzz.damage import read_with_each

MODEL = model_bytes(np.eye(3, dtype=np.float32))
CARD = Card("b0-int8", ("a", "b", "c"), Preprocess(4, 4, 0.875, (1.0, 2.0, 3.0), (4.0,)))
_ODD = ("", "x", None, True, [], {}, [[]], -1, 0, 1e308, 2**63, 10**400, "\0\x1b[2J\ud800", [1] * 9)
_NUMBERS = (0, 1, 8, 12, 14, 99, 255, 2**16 - 1, 2**31, 2**32 - 1)
_FIELDS = {  # offset and struct code of what zip's headers state
    b"PK\x03\x04": ((6, "H"), (8, "H"), (14, "I"), (18, "I"), (22, "I"), (26, "H"), (28, "H")),
    b"PK\x01\x02": ((8, "H"), (10, "H"), (16, "I"), (20, "I"), (24, "I"), (28, "H"), (42, "I")),
    b"PK\x05\x06": ((4, "H"), (8, "H"), (10, "H"), (12, "I"), (16, "I"), (20, "H")),
}
_BOMB = 200 << 20


def packed(members: dict[str, bytes | str], start: bytes = b"", *, method: int) -> bytes:
    buffer = io.BytesIO(start)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a", method) as pack:
        for name, content in members.items():
            pack.writestr(name, content)
    return buffer.getvalue()


def original(dice: random.Random) -> bytes:
    """A model with a card, whole or with a value that no card has, or an archive of models."""
    method = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED))
    kind = dice.choice(("card", "card", "odd card", "odd card", "foreign", "archive", "saved"))
    if kind in ("card", "odd card"):
        card = json.dumps(_odd(CARD.to_json(), dice) if kind == "odd card" else CARD.to_json())
        return packed({"labels.txt": "a\nb\nc\n", "model_card.json": card}, MODEL, method=method)
    if kind == "foreign":
        return packed({"vocab.txt": "x\n" * 9, "labelmap.txt": "a\nb\nc"}, MODEL, method=method)
    if kind == "archive":
        return packed({"labels.txt": "0 a\n1 b\n", "model_unquant.tflite": MODEL}, method=method)
    shards = {f"m/variables/variables.data-0000{number}-of-00002": MODEL for number in range(2)}
    index: dict[str, bytes | str] = {"m/saved_model.pb": MODEL, "m/variables/variables.index": "i"}
    return packed({**index, **shards}, method=method)


def _odd(document: Any, dice: random.Random) -> Any:
    """The document with one value, at any depth, that is none."""
    if not document or not isinstance(document, dict | list) or dice.random() < 0.15:
        return dice.choice(_ODD)
    copy = dict(document) if isinstance(document, dict) else dict(enumerate(document))
    key = dice.choice(list(copy))
    if dice.random() < 0.1:
        del copy[key]
    else:
        copy[key] = _odd(copy[key], dice)
    return copy if isinstance(document, dict) else list(copy.values())


def damaged(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One damaged copy and what was done to it."""
    way = dice.choice(("none", "cut", "bits", "field", "field", "field", "bomb", "behind"))
    copy = bytearray(content)
    start = max(0, content.find(b"PK\x03\x04"))
    if way == "cut":
        del copy[dice.randrange(len(copy)) :]
    elif way == "bits":
        for _ in range(dice.choice((1, 2, 8, 40))):
            copy[dice.randrange(start, len(copy))] ^= 1 << dice.randrange(8)
    elif way == "field":
        for _ in range(dice.choice((1, 1, 2, 3))):
            _set_field(copy, dice)
    elif way == "behind":
        copy += bytes(dice.choice((1, 100, 70_000))) + dice.randbytes(20)
    elif way == "bomb" and dice.random() < 0.1:
        return way, _with_bomb(content, dice)
    return way, bytes(copy)


def _set_field(copy: bytearray, dice: random.Random) -> None:
    signature = dice.choice(list(_FIELDS))
    places = [at for at in range(len(copy) - 46) if copy.startswith(signature, at)]
    places += [copy.rfind(signature)] if signature == b"PK\x05\x06" else []
    if places and places[-1] >= 0:
        offset, code = dice.choice(_FIELDS[signature])
        number = dice.choice((*_NUMBERS, dice.randrange(2000)))
        size = struct.calcsize(code)
        at = dice.choice(places) + offset
        copy[at : at + size] = struct.pack("<I", number)[:size]


def _with_bomb(content: bytes, dice: random.Random) -> bytes:
    """A further member of zeros, under a name that is looked for or not."""
    names = ("x.bin", "labels.txt", "model_card.json", "m/variables/variables.data-00009-of-00009")
    method = dice.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    return packed({dice.choice(names): bytes(_BOMB)}, content, method=method)


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged files."""
    dice = random.Random(seed)
    while True:
        what, content = damaged(original(dice), dice)
        yield what, content, read


def read(path: Path) -> None:
    """What any command reads of such a file."""
    read_with_each((_look, read_artifact, packed_tflite, packed_labels, _split, _unpack), path)


def _look(path: Path) -> None:
    keras_network(identify(path))


def _split(path: Path) -> None:
    split_archive(path.read_bytes(), str(path))


def _unpack(path: Path) -> None:
    with unpacked(path):
        pass
