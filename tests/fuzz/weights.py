"""Damaged weight files and Keras files: HDF5 of every layout, bare and in a ``.keras`` archive."""

from __future__ import annotations

import io
import json
import os
import random
import re
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from converters.float_model.keras_files.container import open_keras
from edge_effnet.model_files import identify, keras_network
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.network.weights.files import read_weights
from tests.fuzz.damage import read_with_each

LAYERS = [("Conv2D", "conv"), ("BatchNormalization", "bn"), ("Dense", "predictions")]
SHAPES = {"conv": [(3, 3, 3, 8)], "bn": [(8,)] * 4, "predictions": [(8, 5), (5,)]}
STEMS = {"conv": "conv2d", "bn": "batch_normalization", "predictions": "dense"}
CONFIG = {
    "class_name": "Functional",
    "config": {
        "name": "mine",
        "layers": [
            {"class_name": kind, "module": "keras.layers", "config": {"name": name}}
            for kind, name in LAYERS
        ],
    },
}
_SIGNATURES = re.compile(rb"TREE|HEAP|SNOD|GCOL|OHDR|OCHK|FRHP|FHDB|BTHD|BTLF|\x89HDF|PK..")
_NUMBERS = (0, 1, 2, 7, 8, 255, 256, 65535, 2**16, 2**24, 2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)
_SIZES = {1: "B", 2: "H", 4: "I", 8: "Q"}


def hdf5(*, official: bool, whole: bool, libver: str, packed: bool) -> bytes:
    """A small file, in the layout and with the features of HDF5 that are asked for."""
    buffer, dice = io.BytesIO(), np.random.default_rng(0)
    with h5py.File(buffer, "w", libver=libver) as root:
        group = root.create_group("model_weights") if whole else root
        if whole:
            root.attrs["model_config"] = json.dumps(CONFIG)
            root.attrs["keras_version"] = "2.15.0"
        if official:
            group.attrs["layer_names"] = list(SHAPES)
            root.attrs["edge_effnet0"] = np.array([json.dumps({"format": 1}).encode()])
        for name, shapes in SHAPES.items():
            place = name if official else f"layers/{STEMS[name]}/vars"
            names = [f"{name}/weight{number}" if official else str(number) for number in range(4)]
            inner = group.create_group(place)
            if official:
                inner.attrs["weight_names"] = [one.encode() for one in names[: len(shapes)]]
            for one, shape in zip(names, shapes, strict=False):
                values = dice.normal(size=shape).astype(np.float16 if packed else np.float32)
                more: dict[str, Any] = {"compression": "gzip", "shuffle": True} if packed else {}
                inner.create_dataset(one, data=values, **more)
    return buffer.getvalue()


def keras(content: bytes, *, deflated: bool) -> bytes:
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as pack:
        pack.writestr("metadata.json", '{"keras_version": "3.15.0"}')
        pack.writestr("config.json", json.dumps(CONFIG))
        pack.writestr("model.weights.h5", content)
    return buffer.getvalue()


def originals() -> list[bytes]:
    """Whole files: made here, and the small real ones of the reference folder, where it is."""
    made = [
        hdf5(official=official, whole=whole, libver=libver, packed=packed)
        for official, whole in ((True, False), (True, True), (False, False))
        for libver in ("earliest", "latest")
        for packed in (False, True)
    ]
    folder = os.environ.get("EDGE_EFFNET_REFERENCE")
    real = sorted(Path(folder).glob("wild/*.h5")) if folder else []
    return [*made, *(path.read_bytes() for path in real if path.stat().st_size < 1 << 20)]


def damaged(content: bytes, dice: random.Random) -> tuple[str, bytes]:
    """One damaged copy: most damage lies near a part's signature, where the structure is."""
    way = dice.random()
    if way < 0.05:
        end = dice.randrange(len(content))
        return f"cut at {end}", content[:end]
    copy, done = bytearray(content), []
    starts = [match.start() for match in _SIGNATURES.finditer(content)] or [0]
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        near = dice.choice(starts) + dice.randrange(160)
        at = min(near if dice.random() < 0.85 else dice.randrange(len(copy)), len(copy) - 8)
        if dice.random() < 0.4:
            copy[at] ^= 1 << dice.randrange(8)
            done.append(f"bit at {at}")
        else:
            size = dice.choice(tuple(_SIZES))
            number = dice.choice(_NUMBERS) & ((1 << 8 * size) - 1)
            struct.pack_into("<" + _SIZES[size], copy, at, number)
            done.append(f"{number} at {at}")
    if way < 0.1:
        at, length = dice.randrange(len(copy)), dice.choice((1, 8, 500))
        del copy[at : at + length]
        done.append(f"{length} bytes removed at {at}")
    return ", ".join(done), bytes(copy)


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged files."""
    dice, known = random.Random(seed), originals()
    while True:
        content = dice.choice(known)
        way = dice.choice(("bare", "bare", "inside", "archive"))
        if way == "archive":
            what, content = damaged(keras(content, deflated=dice.random() < 0.5), dice)
        else:
            what, content = damaged(content, dice)
            if way == "inside":
                content = keras(content, deflated=dice.random() < 0.5)
        yield f"{way}: {what}", content, read


def read(path: Path) -> None:
    """What any command reads of such a file."""
    read_with_each((_look, peek, _weights, _network), path)


def _look(path: Path) -> None:
    keras_network(identify(path))


def _weights(path: Path) -> None:
    read_weights(path, LAYERS)


def _network(path: Path) -> None:
    with open_keras(path) as content:
        content.weights.visititems(
            lambda _, entry: entry[()] is None if isinstance(entry, h5py.Dataset) else None
        )
