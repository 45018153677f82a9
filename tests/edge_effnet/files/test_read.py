"""Only regular files are read, and no more of them than a limit."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.limits import MODEL_BYTES, Limit
from edge_effnet.files.read import content_hash, open_file, read_bytes

TEN = Limit("EDGE_EFFNET_MAX_TEST_BYTES", 10, "bytes", "test files")


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert read_bytes(path, TEN) == b"0123456789"
    path.write_bytes(b"0123456789a")
    with pytest.raises(ModelError, match="file has more than the limit for test files; found 11"):
        read_bytes(path, TEN, ModelError)


def test_a_small_file_takes_little_memory_however_high_the_limit(tmp_path: Path) -> None:
    """A Raspberry Pi with 512 MB refuses to allocate the gigabyte that a model may have."""
    path = tmp_path / "file"
    path.write_bytes(bytes(10_000))
    tracemalloc.start()
    read_bytes(path, MODEL_BYTES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_what_never_ends_or_never_comes_is_refused_at_once(tmp_path: Path) -> None:
    pipe, door = tmp_path / "pipe", tmp_path / "socket"
    os.mkfifo(pipe)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(door))
        for path, kind in (
            (pipe, "a pipe"),
            (door, "a socket"),
            (Path("/dev/zero"), "a device"),
            (tmp_path, "a folder"),
        ):
            with pytest.raises(DataError, match=f"{path} is no file; found {kind}"):
                read_bytes(path, TEN)
            with pytest.raises(DataError, match="is no file"):
                content_hash(path)


def test_a_file_that_states_no_size_ends_at_the_limit() -> None:
    with pytest.raises(DataError, match="found 11 bytes"):
        read_bytes(Path("/proc/self/smaps"), TEN)  # its stated size is 0


def test_names_that_no_system_has() -> None:
    for name in ("x" * 300, "zero\0byte", "/proc/self/nothing"):
        with pytest.raises(DataError):
            open_file(Path(name))
