"""Damaged ``.tflite`` files: flipped bits, cut files, and single fields set to what they must
not be."""

from __future__ import annotations

import random
import struct
from collections import defaultdict
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.artifact import split_archive
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.flatbuffer import Table
from tests.converters.float_model.tflite_files.conftest import network

_INTEGERS = (0, 1, -1, 2, 3, 7, 96, 127, 128, 255, 256, 1000, 65535, 65536, 2**31 - 1, -(2**31))
_FLOATS = (0.0, -0.0, -1.0, 1e-45, 1e-30, 1e30, 3.4e38, float("inf"), float("-inf"), float("nan"))


class Fields:
    """Where the numbers of a whole file lie: (offset, struct code) by what they are."""

    def __init__(self, model: bytes) -> None:
        self.places: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        root = Table.root(model)
        for code in root.tables(1):
            self._scalars("operator code", code, {0: "b", 2: "i", 3: "i"})
        for buffer in root.tables(4):
            self._scalars("buffer", buffer, {1: "Q", 2: "Q"})
            self._length("length", buffer, 0)
        graph = root.tables(2)[0]
        for number in (1, 2):
            self._vector("graph's end", graph, number, "i")
        for tensor in graph.tables(0):
            self._tensor(tensor)
        for operator in graph.tables(3):
            self._operator(operator)

    def _tensor(self, tensor: Table) -> None:
        self._vector("shape", tensor, 0, "i")
        self._vector("signature", tensor, 7, "i")
        self._length("length", tensor, 0)
        self._scalars("type", tensor, {1: "b"})
        self._scalars("buffer index", tensor, {2: "I"})
        self._scalars("variable", tensor, {5: "b"})
        if quantization := tensor.table(4):
            self._vector("scale", quantization, 2, "f")
            self._vector("zero point", quantization, 3, "q")
            self._scalars("channel axis", quantization, {6: "i"})
            self._length("length", quantization, 2)
            self._length("length", quantization, 3)

    def _operator(self, operator: Table) -> None:
        self._scalars("operator", operator, {0: "I", 3: "b"})
        self._vector("input", operator, 1, "i")
        self._vector("output", operator, 2, "i")
        self._length("length", operator, 1)
        self._length("length", operator, 2)
        options = operator.table(4)
        if options is None:
            return
        for number in range((options.vtable_size - 4) // 2):
            if (at := options.place(number)) is not None:
                self.places["option"] += [(at, "b"), (at, "i"), (at, "f")]

    def _scalars(self, what: str, table: Table, codes: dict[int, str]) -> None:
        for number, code in codes.items():
            if (at := table.place(number)) is not None:
                self.places[what].append((at, code))

    def _vector(self, what: str, table: Table, number: int, code: str) -> None:
        start, length = table.vector(number)
        size = struct.calcsize("<" + code)
        self.places[what] += [(start + size * index, code) for index in range(length)]

    def _length(self, what: str, table: Table, number: int) -> None:
        start, length = table.vector(number)
        if length:
            self.places[what].append((start - 4, "I"))


def damaged(model: bytes, fields: Fields, dice: random.Random) -> tuple[str, bytes]:
    """One damaged copy and what was done to it."""
    way = dice.random()
    if way < 0.05:
        end = dice.randrange(8, len(model))
        return f"cut at {end}", model[:end]
    copy = bytearray(model)
    if way < 0.2:
        return _flipped(copy, fields, dice), bytes(copy)
    done = [_edited(copy, fields, dice) for _ in range(dice.choice((1, 1, 1, 2, 3)))]
    return ", ".join(done), bytes(copy)


def _flipped(copy: bytearray, fields: Fields, dice: random.Random) -> str:
    """Flip bits, every second time near a field: most bytes of a file are weights."""
    near = [at for places in fields.places.values() for at, _ in places]
    count = dice.choice((1, 2, 8))
    for _ in range(count):
        at = dice.choice(near) + dice.randrange(-8, 16) if dice.random() < 0.7 else None
        at = dice.randrange(8, len(copy)) if at is None else min(max(8, at), len(copy) - 1)
        copy[at] ^= 1 << dice.randrange(8)
    return f"{count} bits flipped"


def _edited(copy: bytearray, fields: Fields, dice: random.Random) -> str:
    what = dice.choice(sorted(kind for kind, places in fields.places.items() if places))
    at, code = dice.choice(fields.places[what])
    value: float
    if code == "f":
        value = dice.choice(_FLOATS)
    else:
        bits = 8 * struct.calcsize("<" + code)
        value = dice.choice((*_INTEGERS, dice.randrange(256))) & (2**bits - 1)
        code = code.upper()
    struct.pack_into("<" + code, copy, at, value)
    return f"{what} {value} at {at}"


def originals() -> list[tuple[str, bytes]]:
    """Whole files: a small network as converters store it in several ways, and the demo's."""
    demo = (files("edge_effnet") / "assets/demo/b0-int8.tflite").read_bytes()
    return [
        ("per-channel int8", network("int8", computed_shape=True)),
        ("float", network("float32")),
        ("float16", network("float16", computed_shape=True)),
        ("the demo's", split_archive(demo)[0]),
    ]


def damages(seed: int) -> Iterator[tuple[str, bytes, Callable[[Path], Any]]]:
    """Endless damaged files."""
    dice = random.Random(seed)
    known = [(name, model, Fields(model)) for name, model in originals()]
    while True:
        name, model, fields = dice.choice(known)
        what, copy = damaged(model, fields, dice)
        yield f"{name}: {what}", copy, _classify


def _classify(path: Path) -> Any:
    model = open_classifier(path, preprocess="mean=0,std=255")
    return model.scores(np.zeros((20, 30, 3), np.uint8))
