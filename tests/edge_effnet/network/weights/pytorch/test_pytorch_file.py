"""Files of weights that PyTorch wrote before its version 1.6, whole and damaged."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_effnet.files.damage import DAMAGE
from edge_effnet.network.weights.pytorch.pytorch_file import is_pytorch_file, read_pytorch_state

Arrays = Mapping[str, NDArray[np.float32]]
MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001


def text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: tuple[int, ...]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(key: str, array: NDArray[np.float32], strides: tuple[int, ...] | None = None) -> bytes:
    """As ``torch.save`` pickles one: a storage by its key, offset, sizes, strides."""
    own = tuple(step // array.itemsize for step in array.strides)
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key) + text("cpu")
    storage += number(array.size) + b"NtQ"
    about = storage + number(0) + numbers(array.shape) + numbers(strides or own)
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + about + b"\x89" + ORDERED + b"tR"


ORDERED = b"ccollections\nOrderedDict\n)R"


def saved(arrays: Arrays, more: bytes = b"", **strides: tuple[int, ...]) -> bytes:
    """A file as PyTorch 1.5 wrote it; ``more`` stands before the end of the state."""
    sizes = {"protocol_version": VERSION, "little_endian": True, "type_sizes": {"int": 4}}
    head = b"".join(pickle.dumps(one, 2) for one in (MAGIC, VERSION, sizes))
    entries = (
        text(name) + tensor(f"key {name}", array, strides.get(name))
        for name, array in arrays.items()
    )
    state = b"\x80\x02" + ORDERED + b"(" + b"".join(entries) + b"u" + more + b"."
    keys = pickle.dumps([f"key {name}" for name in arrays], 2)
    storages = (
        struct.pack("<q", array.size) + _stored(array).tobytes() for array in arrays.values()
    )
    return head + state + keys + b"".join(storages)


def _stored(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The array that this one is another view of."""
    return array if array.base is None else np.asarray(array.base)


ARRAYS = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "bn.bias": np.array([1.5, -2.0], np.float32),
    "steps": np.array(7.0, np.float32),
}
WHOLE = saved(ARRAYS)


def test_a_state() -> None:
    found = read_pytorch_state(WHOLE)
    assert found.keys() == ARRAYS.keys()
    assert all(np.array_equal(found[name], array) for name, array in ARRAYS.items())
    assert is_pytorch_file(WHOLE)
    assert not is_pytorch_file(b"\x89HDF\r\n\x1a\n" + bytes(20))


def test_a_tensor_that_lies_in_its_storage_in_another_order() -> None:
    """TensorFlow's kernels are stored so: (h, w, in, out), seen as (out, in, h, w)."""
    kernel = np.arange(36, dtype=np.float32).reshape(3, 3, 2, 2)
    content = saved({"conv.weight": kernel.transpose(3, 2, 0, 1)})
    assert np.array_equal(read_pytorch_state(content)["conv.weight"], kernel.transpose(3, 2, 0, 1))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (saved(ARRAYS, b"}b"), None),  # attributes of the dictionary, as modules' versions are
        (saved(ARRAYS, b"cos\nsystem\n" + text("touch /tmp/x") + b"\x85R0"), "os system"),
        (saved(ARRAYS, b"c__builtin__\neval\n" + text("1") + b"\x85R0"), "__builtin__ eval"),
        (saved(ARRAYS, b"\x8c\x01a0"), "SHORT_BINUNICODE"),
        (saved(ARRAYS, text("more") + number(3) + b"s"), "something else than tensors"),
        (saved(ARRAYS, **{"bn.bias": (2,)}), "reaches out of its storage"),
        (saved(ARRAYS, **{"bn.bias": (-1,)}), "described wrongly"),
        (WHOLE[:-1], "ends within a storage"),
        (pickle.dumps(MAGIC + 1, 2) + WHOLE[15:], "another version"),
        (pickle.dumps([1.5], 2), "BINFLOAT"),
    ],
)
def test_what_is_refused(content: bytes, reason: str | None) -> None:
    if reason is None:
        assert read_pytorch_state(content).keys() == ARRAYS.keys()
        return
    with pytest.raises(ValueError, match=reason):
        read_pytorch_state(content)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
@example(0, b"")
def test_however_it_is_damaged_it_is_read_or_refused(at: int, bytes_: bytes) -> None:
    damaged = WHOLE[:at] + bytes_ + WHOLE[at + len(bytes_) :]
    for content in (damaged, WHOLE[:at], WHOLE[:at] + bytes_ + WHOLE[at:]):
        try:
            found = read_pytorch_state(content)
        except DAMAGE:
            continue
        assert sum(array.nbytes for array in found.values()) <= len(content)
