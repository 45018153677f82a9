"""Weights that PyTorch saved before its version 1.6, read without PyTorch and without unpickling.

Such a file is a row of pickles (a magic number, a version, the machine's sizes, the state, the keys
of its storages) and then the storages: a count of eight bytes and the values, in the order of the
keys. ``pickletools`` splits a pickle into its instructions; the few that a state of tensors needs
are carried out here on plain values, and any other is refused. Nothing is imported or called.

Source: ``_legacy_save`` in torch/serialization.py.
"""

from __future__ import annotations

import io
import math
import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from edge_effnet.network.weights.files import Array

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
_ITEM_BYTES = {"FloatStorage": 4, "LongStorage": 8, "HalfStorage": 2}
_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8", "HalfStorage": "<f2"}
_ORDERED_DICT = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_GLOBALS = {_ORDERED_DICT, _TENSOR, *(f"torch {name}" for name in _ITEM_BYTES)}
_COUNT_BYTES = 8


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_MARK = object()


def is_pytorch_file(content: bytes) -> bool:
    """Whether bytes begin as such a file does."""
    return content[:2] == b"\x80\x02" and content[2:4] == b"\x8a\x0a" and content[14:15] == b"."


def read_pytorch_state(content: bytes) -> dict[str, Array]:
    """Tensors by name, float32; counters (int64) are left out.

    Raises:
        ValueError: it is not such a file, is damaged, or holds something else than tensors.
    """
    magic, at = _load(content, 0)
    version, at = _load(content, at)
    if magic != _MAGIC or version != _VERSION:
        _refuse("it is of another version")
    sizes, at = _load(content, at)
    if not isinstance(sizes, dict) or sizes.get("little_endian") is not True:
        _refuse("its numbers are in another order of bytes")
    state, at = _load(content, at)
    keys, at = _load(content, at)
    if not isinstance(state, dict) or not isinstance(keys, list):
        _refuse("it holds no tensors by name")
    tensors = {name: value for name, value in state.items() if isinstance(value, _Tensor)}
    if len(tensors) != len(state):
        _refuse("it holds something else than tensors")
    values = _read_storages(
        content, at, keys, {one.storage.key: one.storage for one in tensors.values()}
    )
    found = {name: _array(tensor, values) for name, tensor in tensors.items()}
    return {name: array for name, array in found.items() if array.dtype == np.float32}


def _read_storages(
    content: bytes, at: int, keys: list[Any], storages: dict[str, _Storage]
) -> dict[str, np.ndarray[Any, Any]]:
    values: dict[str, np.ndarray[Any, Any]] = {}
    for key in keys:
        storage = storages.get(key) if isinstance(key, str) else None
        count = int.from_bytes(content[at : at + _COUNT_BYTES], "little", signed=True)
        if storage is None or count != storage.count or key in values:
            _refuse("its storages do not fit its tensors")
        at += _COUNT_BYTES
        if count < 0 or at + count * _ITEM_BYTES[storage.kind] > len(content):
            _refuse("it ends within a storage")
        values[key] = np.frombuffer(content, _DTYPES[storage.kind], count, at)
        at += count * _ITEM_BYTES[storage.kind]
    if values.keys() != storages.keys():
        _refuse("storages are missing")
    return values


def _array(tensor: _Tensor, values: dict[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    size, storage = math.prod(tensor.shape), values[tensor.storage.key]
    last = sum((side - 1) * step for side, step in zip(tensor.shape, tensor.strides, strict=True))
    if size and (size > len(storage) or tensor.offset + last >= len(storage)):
        _refuse("a tensor reaches out of its storage")
    if not size:
        return np.empty(tensor.shape, np.float32)
    strides = [step * storage.itemsize for step in tensor.strides]
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides)
    return np.array(view, np.int64 if view.dtype.kind == "i" else np.float32, order="C")


def _load(content: bytes, start: int) -> tuple[Any, int]:
    """What one pickle builds, and where it ends."""
    machine = _Machine()
    file = io.BytesIO(content)  # shares the bytes
    file.seek(start)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes in the text of instructions that are refused
        for opcode, argument, _ in pickletools.genops(file):
            if opcode.name == "STOP":
                return machine.top(), file.tell()
            step = _STEPS.get(opcode.name)
            if step is None:
                _refuse(f"it has an instruction that no weights need ({opcode.name})")
            step(machine, argument)
    raise ValueError("it ends within a pickle")


class _Machine:
    """The stack and the memo of a pickle."""

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def push(self, value: Any) -> None:
        self._stack.append(value)

    def top(self) -> Any:
        if not self._stack:
            _refuse("a pickle takes what is not there")
        return self._stack[-1]

    def pop(self) -> Any:
        value = self.top()
        self._stack.pop()
        return value

    def drop(self) -> None:
        self.pop()

    def pop_to_mark(self) -> list[Any]:
        taken: list[Any] = []
        while (value := self.pop()) is not _MARK:
            taken.append(value)
        return taken[::-1]

    def pop_some(self, count: int) -> tuple[Any, ...]:
        return tuple(self.pop() for _ in range(count))[::-1]

    def keep(self, index: int) -> None:
        self._memo[index] = self.top()

    def again(self, index: int) -> None:
        if index not in self._memo:
            _refuse("a pickle takes what is not there")
        self.push(self._memo[index])


def _global(machine: _Machine, name: str) -> None:
    if name not in _GLOBALS:
        _refuse(f"it names {name!r:.60}, which no weights need")
    machine.push(_Global(name))


def _reduce(machine: _Machine, _: Any) -> None:
    called, arguments = machine.pop_some(2)
    if called == _Global(_ORDERED_DICT) and arguments == ():
        machine.push({})
    elif called == _Global(_TENSOR) and isinstance(arguments, tuple) and len(arguments) >= 4:
        machine.push(_tensor(*arguments[:4]))
    else:
        _refuse("it calls something that no weights need")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> _Tensor:
    sides = (shape, strides)
    good = isinstance(storage, _Storage) and _is_count(offset)
    good = good and all(isinstance(one, tuple) and all(map(_is_count, one)) for one in sides)
    if not good or len(shape) != len(strides) or len(shape) > 8:
        _refuse("a tensor is described wrongly")
    return _Tensor(storage, offset, shape, strides)


def _persistent(machine: _Machine, _: Any) -> None:
    about = machine.pop()
    good = isinstance(about, tuple) and len(about) >= 5 and about[0] == "storage"
    if not good or not isinstance(about[1], _Global) or not isinstance(about[2], str):
        _refuse("a storage is described wrongly")
    kind = about[1].name.removeprefix("torch ")
    if kind not in _ITEM_BYTES or not _is_count(about[4]):
        _refuse("a storage is described wrongly")
    machine.push(_Storage(kind, about[2], about[4]))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40


def _set_items(machine: _Machine, items: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, dict) or len(items) % 2:
        _refuse("a pickle fills what is no dictionary")
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, str):
            _refuse("a name is no text")
        target[key] = value


def _append(machine: _Machine, items: list[Any]) -> None:
    target = machine.top()
    if not isinstance(target, list):
        _refuse("a pickle fills what is no list")
    target.extend(items)


_STEPS: dict[str, Callable[[_Machine, Any], None]] = {
    "PROTO": lambda _machine, _version: None,
    "MARK": lambda machine, _: machine.push(_MARK),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "BININT": lambda machine, value: machine.push(value),
    "BININT1": lambda machine, value: machine.push(value),
    "BININT2": lambda machine, value: machine.push(value),
    "LONG1": lambda machine, value: machine.push(value),
    "BINUNICODE": lambda machine, value: machine.push(value),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_to_mark())),
    "TUPLE1": lambda machine, _: machine.push(machine.pop_some(1)),
    "TUPLE2": lambda machine, _: machine.push(machine.pop_some(2)),
    "TUPLE3": lambda machine, _: machine.push(machine.pop_some(3)),
    "BINPUT": lambda machine, index: machine.keep(index),
    "LONG_BINPUT": lambda machine, index: machine.keep(index),
    "BINGET": lambda machine, index: machine.again(index),
    "LONG_BINGET": lambda machine, index: machine.again(index),
    "SETITEM": lambda machine, _: _set_items(machine, list(machine.pop_some(2))),
    "SETITEMS": lambda machine, _: _set_items(machine, machine.pop_to_mark()),
    "APPEND": lambda machine, _: _append(machine, list(machine.pop_some(1))),
    "APPENDS": lambda machine, _: _append(machine, machine.pop_to_mark()),
    "GLOBAL": _global,
    "REDUCE": _reduce,
    "BINPERSID": _persistent,
    "BUILD": lambda machine, _: machine.drop(),  # attributes: versions of modules
}


def _refuse(found: str) -> NoReturn:
    raise ValueError(found)
