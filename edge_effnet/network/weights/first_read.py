"""HDF5 files of others, read once in a process of its own before they are opened here.

The HDF5 library is native code that trusts a file: a damaged one can end the process, take all
memory, or make it read an attribute for ever, deaf to Ctrl-C. So a process with limits on time and
memory reads every attribute and all values first. What this process wrote, or has looked into
before, is opened at once.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGXCPU, Signals
from typing import Any

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.limits import WEIGHTS_BYTES
from edge_effnet.network.backend import h5py_module
from edge_effnet.network.weights.hdf5 import refuse_elsewhere
from edge_effnet.system.apart import limit_cpu, limit_memory, run_apart

# Seconds of computing, one more for each so many bytes (a data set takes a kilobyte of them, and up
# to a millisecond), and at most so many more.
_CPU_S, _CPU_BYTES, _MOST_CPU_S = 2, 1 << 20, 30
_WALL_S, _WALL_BYTES = 30, 4 << 20  # the same by the clock: busy machines, slow disks
_MEMORY, _MEMORY_TIMES = 256 << 20, 4  # bytes, and so many times the file
_RATIO = 50  # Keras stores weights uncompressed; others shrink them by a tenth
_SMALL = 1 << 20
_LOADED = "HDF5 loaded"
_CONTENT = "-"  # in place of a name: the content comes by the standard input
_known: dict[tuple[int, ...], str] = {}
"""The damage of files that were looked into, by device, inode, size and time; empty for none."""


@contextmanager
def open_hdf5(
    path: Path, error: type[EdgeEffnetError], content: bytes | None = None
) -> Iterator[Any]:
    """Open an HDF5 file that the library can read to the end.

    Args:
        content: the HDF5 inside of ``path``, where that is an archive.

    Raises:
        ValueError: it is damaged, or parts of it lie elsewhere.
        error: it holds more than the limit for weights.
    """
    key = _identity(path)
    if key not in _known:
        try:
            _read_elsewhere(path, error, content)
        except ValueError as damage:
            _known[key] = str(damage)
        else:
            _known[key] = ""
    if _known[key]:
        raise ValueError(_known[key])
    with h5py_module().File(path if content is None else io.BytesIO(content), "r") as root:
        refuse_elsewhere(root)
        yield root


def remember(path: Path) -> None:
    """Take a file as readable: this process wrote it, or its hash is the published one."""
    _known[_identity(path)] = ""


def _identity(path: Path) -> tuple[int, ...]:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _read_elsewhere(path: Path, error: type[EdgeEffnetError], content: bytes | None) -> None:
    size = path.stat().st_size if content is None else len(content)
    seconds = _WALL_S + size // _WALL_BYTES
    name = os.path.abspath(path) if content is None else _CONTENT  # noqa: PTH100 (links)
    try:
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        done = run_apart(
            __name__, name, seconds=seconds, content=content or b"", environment=one_thread
        )
    except subprocess.TimeoutExpired as expired:
        raise ValueError(f"reading it did not end in {seconds} s") from expired
    except OSError:  # no further process can be started here
        return
    if done.lines[:1] != (_LOADED,):
        return  # not the file's fault: the library itself does not start
    if done.code == -SIGXCPU:
        raise ValueError("reading it does not end")
    if done.code or len(done.lines) < 2:
        raise ValueError(f"reading it ends the HDF5 library: {_ending(done.code)}")
    found = json.loads(done.lines[1])
    if "damage" in found:
        raise ValueError(found["damage"])
    WEIGHTS_BYTES.check(found["bytes"], str(path), error)


def _ending(code: int) -> str:
    return Signals(-code).name if -code in set(Signals) else f"exit code {code}"


def main(name: str) -> None:
    """Read everything; prints the damage, or how many bytes the values have, as JSON.

    Args:
        name: of the file, or ``-`` for the content of the standard input.
    """
    source: Any = name if name != _CONTENT else io.BytesIO(sys.stdin.buffer.read())
    size = Path(name).stat().st_size if name != _CONTENT else len(source.getbuffer())
    h5py = h5py_module()
    print(_LOADED, flush=True)
    limit_cpu(_CPU_S + min(size // _CPU_BYTES, _MOST_CPU_S))
    limit_memory(_MEMORY + _MEMORY_TIMES * size)
    found: dict[str, str | int]
    try:
        with h5py.File(source, "r") as root:
            found = {"bytes": _read_all(root, size)}
    except MemoryError:
        found = {"damage": "more memory is needed than the file can hold"}
    except DAMAGE as error:
        found = {"damage": reason(error)}
    print(json.dumps(found))


def _read_all(root: Any, size: int) -> int:
    """Read attributes and values; of more than the limit for weights, no values.

    Returns:
        The bytes of all values.

    Raises:
        ValueError: parts lie elsewhere, a data set is said to be much larger than the file, or a
            part has two names, which lets a small file stand for any number of weights.
    """
    h5py = h5py_module()
    data: list[Any] = []

    def visit(name: str, entry: Any) -> None:
        list(entry.attrs.values())
        if h5py.h5o.get_info(entry.id).rc > 1:
            raise ValueError(f"{name} has several names")
        if isinstance(entry, h5py.Dataset):
            if entry.nbytes > max(_SMALL, _RATIO * size):
                raise ValueError(f"{name} is said to hold {entry.nbytes} bytes")
            data.append(entry)

    refuse_elsewhere(root)
    list(root.attrs.values())
    root.visititems(visit)
    total = sum(int(entry.nbytes) for entry in data)
    if total > max(_SMALL, _RATIO * size):
        raise ValueError(f"the values are said to take {total} bytes")
    if total <= WEIGHTS_BYTES.value:
        for entry in data:
            entry[()]
    return total
