"""Damage that the HDF5 library itself does not survive ends in one line, and in a short time."""

from __future__ import annotations

import io
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from edge_effnet.errors import WeightsError
from edge_effnet.network.weights.checkpoint import peek
from edge_effnet.network.weights.files import open_weights, read_weights
from edge_effnet.network.weights.first_read import open_hdf5, remember


def small(values: int = 4) -> bytes:
    """A weight file of one layer, its names in a heap of their own as newer Keras writes them."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs["layer_names"] = ["conv"]
        file.create_group("conv").attrs["weight_names"] = ["kernel"]
        file["conv/kernel"] = np.zeros(values, np.float32)
    return buffer.getvalue()


def endless() -> bytes:
    """The free space of the heap of names is said to be larger than all memory."""
    data = bytearray(small())
    place = data.index(b"GCOL") + 16
    while struct.unpack_from("<H", data, place)[0]:  # the free space is number 0
        length = struct.unpack_from("<Q", data, place + 8)[0]
        place += 16 + (length + 7) // 8 * 8
    struct.pack_into("<HHIQ", data, place, 77, 0, 0, 2**64 - 16)
    return bytes(data)


def huge() -> bytes:
    buffer = io.BytesIO(small())
    with h5py.File(buffer, "a") as file:
        file.create_dataset("conv/bias", (2**34,), "<f4", chunks=(2**16,))  # nothing is stored
    return buffer.getvalue()


def two_names() -> bytes:
    buffer = io.BytesIO(small())
    with h5py.File(buffer, "a") as file:
        file["again"] = file["conv"]
    return buffer.getvalue()


def listed_twice() -> bytes:
    buffer = io.BytesIO(small())
    with h5py.File(buffer, "a") as file:
        file.attrs["layer_names"] = ["conv", "./conv"]
    return buffer.getvalue()


def test_thousands_of_small_parts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for number in range(6000):
            file[f"layers/{number}/vars/0"] = np.zeros(8, np.float32)
    with open_weights(path) as found:
        assert found.layout == "structural"


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (endless, "reading it does not end"),
        (huge, "conv/bias is said to hold 68719476736 bytes"),
        (two_names, "again has several names"),
        (listed_twice, "./conv is listed twice"),
    ],
)
def test_damage(make: Callable[[], bytes], found: str, tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(make())
    began_s = time.monotonic()
    with pytest.raises(WeightsError, match=rf"a\.h5 is damaged; found {found}"):
        read_weights(tmp_path / "a.h5", [])
    assert time.monotonic() - began_s < 60  # 2 s of computing, on machines that are busy too


def test_damage_within_an_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as pack:
        pack.writestr("config.json", '{"class_name": "Functional", "config": {"layers": []}}')
        pack.writestr("model.weights.h5", endless())
    with pytest.raises(WeightsError, match=r"a\.keras is damaged; found reading it does not end"):
        peek(tmp_path / "a.keras")


def test_a_file_that_is_known_is_opened_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_bytes(two_names())
    remember(path)
    with open_hdf5(path, WeightsError) as root:
        assert set(root) == {"conv", "again"}
    path.write_bytes(two_names() + b"\0")  # another file under the same name
    with pytest.raises(ValueError, match="several names"), open_hdf5(path, WeightsError):
        pass


def test_more_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.h5").write_bytes(small(1000))
    monkeypatch.setenv("EDGE_EFFNET_MAX_WEIGHTS_BYTES", "3999")
    with (
        pytest.raises(WeightsError, match=r"a\.h5 claims more .* found 4,000 bytes"),
        open_weights(tmp_path / "a.h5"),
    ):
        pass
    monkeypatch.setenv("EDGE_EFFNET_MAX_WEIGHTS_BYTES", "4000")
    assert read_weights(tmp_path / "a.h5", [])["conv"][0].shape == (1000,)
