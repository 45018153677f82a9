"""Safetensors files: read, refused where they hold other numbers, and damaged in any way."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from edge_effnet.errors import WeightsError
from edge_effnet.files.limits import CONFIG_BYTES, WEIGHTS_BYTES
from edge_effnet.network.weights.pytorch.safetensors_file import (
    is_safetensors,
    read_safetensors,
    tensor_shape,
)

ARRAYS: dict[str, Any] = {
    "conv.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2),
    "half.weight": np.array([[0.5, -2.0]], np.float16),
    "bn.num_batches_tracked": np.array(7),
}
WHOLE = save(ARRAYS, {"format": "pt"})


def with_header(header: dict[str, Any], values: bytes = bytes(16)) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + values


def tensor(dtype: str, shape: list[int], end: int) -> dict[str, Any]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "any name"


def test_tensors_are_float32_and_counters_left_out(path: Path) -> None:
    path.write_bytes(WHOLE)
    assert is_safetensors(path)
    found = read_safetensors(path)
    assert found.keys() == {"conv.weight", "half.weight"}
    assert all(array.dtype == np.float32 for array in found.values())
    assert all(np.array_equal(array, ARRAYS[name]) for name, array in found.items())
    assert tensor_shape(path, "half.weight") == (1, 2)
    assert tensor_shape(path, "more.weight") is None


def test_what_numpy_does_not_have_is_named(path: Path) -> None:
    path.write_bytes(with_header(tensor("BF16", [2, 4], 16)))
    with pytest.raises(WeightsError, match="found BF16 in a; expected float32") as refused:
        read_safetensors(path)
    assert "model.float()" in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        with_header(tensor("F32", [2**40, 2**40], 16)),
        with_header(tensor("F32", [2**30], 2**32)),
        with_header(tensor("F32", [4], 8)),
        with_header(tensor("F32", [-4], 16)),
        with_header(tensor("F128", [1], 16)),
        with_header(tensor("F32", [4], 16) | {"b": tensor("F32", [4], 16)["a"]}),  # one place twice
        with_header(tensor("F32", [4], 16), bytes(15)),
        with_header(tensor("F32", [4], 16), bytes(17)),
        with_header({"a": [[[]]]}),
        struct.pack("<Q", 6) + b"{" * 6 + bytes(16),
        b"",
        bytes(8) + b"{",
    ],
)
def test_a_header_that_lies_is_one_line(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    for read in (read_safetensors, lambda one: tensor_shape(one, "a")):
        with pytest.raises(WeightsError, match="is damaged"):
            read(path)


def test_a_header_of_any_length_is_not_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(WHOLE)
    monkeypatch.setenv(CONFIG_BYTES.variable, "100")
    with pytest.raises(WeightsError, match="more than the limit"):
        tensor_shape(path, "conv.weight")
    monkeypatch.delenv(CONFIG_BYTES.variable)
    monkeypatch.setenv(WEIGHTS_BYTES.variable, "100")
    with pytest.raises(WeightsError, match="more than the limit"):
        read_safetensors(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
@example(0, b"")
def test_however_it_is_damaged_it_is_read_or_refused(path: Path, at: int, bytes_: bytes) -> None:
    damaged = WHOLE[:at] + bytes_ + WHOLE[at + len(bytes_) :]
    for content in (damaged, WHOLE[:at], WHOLE[:at] + bytes_ + WHOLE[at:]):
        path.write_bytes(content)
        try:
            found = read_safetensors(path)
            tensor_shape(path, "conv.weight")
        except WeightsError:
            continue
        assert sum(array.nbytes for array in found.values()) <= 2 * len(content)
