"""One store for what can be resumed: a run's state and the results of its steps.

    RunState      where a run stands: JSON and arrays, in one ``.npz`` file
    StepResults   what finished steps came to, in one JSON file

Every file is written whole or not at all. A state and a result name what they depend on, so that
a run goes on only with the config, the data and the weights it was begun with.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError, OutputError, UsageProblem
from edge_effnet.files.damage import DAMAGE
from edge_effnet.files.json_text import parse_json, read_json
from edge_effnet.files.limits import WEIGHTS_BYTES
from edge_effnet.files.read import read_bytes
from edge_effnet.files.write import write_atomically, write_json_file

STATE_FORMAT, STATE_VERSION = "edge-effnet run state", 2
_ABOUT = "about"


@dataclass(frozen=True)
class RunState:
    """Where a run stands.

    Attributes:
        depends_on: what the run must still agree with, by name; JSON values.
        progress: JSON values.
        arrays: groups of arrays by name.
    """

    depends_on: Mapping[str, Any]
    progress: Mapping[str, Any]
    arrays: Mapping[str, Sequence[NDArray[Any]]]


def write_state(path: Path, state: RunState) -> None:
    """Store where a run stands, in place of the state before.

    Raises:
        OutputError: the file cannot be written; the one before is untouched.
    """
    about = {
        "format": STATE_FORMAT,
        "version": STATE_VERSION,
        "depends_on": state.depends_on,
        "progress": state.progress,
        "arrays": {name: len(group) for name, group in state.arrays.items()},
    }
    arrays: dict[str, Any] = {
        f"{name}/{index}": array
        for name, group in state.arrays.items()
        for index, array in enumerate(group)
    }
    arrays[_ABOUT] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue(), overwrite=True)


def read_state(path: Path, *, fix: str = "start the run again") -> RunState:
    """Read where a run stands.

    Raises:
        DataError: missing, damaged, or of another kind or version.
    """
    try:
        if not path.exists():
            raise DataError(
                f"{path.parent} cannot be resumed", found=f"no {path.name} in it", fix=fix
            )
        content = read_bytes(path, WEIGHTS_BYTES)
        if not content.startswith(b"PK"):  # NumPy would take it for a pickle
            raise ValueError("no run state")
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # as we write it: nothing swells
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
                raise ValueError("compressed arrays")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            about = parse_json(stored[_ABOUT].tobytes())
            found = about["format"], about["version"]
            if found != (STATE_FORMAT, STATE_VERSION):
                raise ValueError(f"{found[0]!r}, version {found[1]!r}")
            arrays = {
                name: [stored[f"{name}/{index}"] for index in range(count)]
                for name, count in about["arrays"].items()
            }
            return RunState(about["depends_on"], about["progress"], arrays)
    except DAMAGE as error:
        raise DataError(f"{path} is damaged", found=_reason(error), fix=fix) from error


class StepResults:
    """What finished steps came to: a JSON file, each result under the fingerprint of all that it
    depends on.

    Args:
        resume: whether to take over what an earlier run stored; a file that cannot be read is
            empty.
    """

    def __init__(self, path: Path, *, resume: bool) -> None:
        self._path = path
        self._known: dict[str, Any] = {}
        if resume:
            try:
                self._known = dict(read_json(path))
            except (DataError, ValueError, TypeError):
                self._known = {}

    def get(self, key: str) -> Any | None:
        return self._known.get(key)

    def put(self, key: str, result: Any) -> None:
        """Store a result.

        Raises:
            OutputError: the file cannot be written; the one before is untouched.
        """
        self._known[key] = result
        write_json_file(self._path, self._known)


def fingerprint(*parts: object) -> str:
    """SHA-256 of all parts in their order, hexadecimal: bytes and arrays by their content,
    anything else by its ``repr``."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            content = f"{part.dtype.str}{part.shape}".encode() + part.tobytes()
        else:
            content = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(f"{len(content)} ".encode() + content)
    return digest.hexdigest()


def refuse_changed(
    folder: Path,
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    said: Mapping[str, str] | None = None,
    expected: str,
    fix: str,
) -> None:
    """Refuse to resume a run where what it depends on is not what it was.

    Args:
        before: ``depends_on`` of its state.
        now: the same, of today; only its names are compared.
        said: how a change reads, by name; by default ``another NAME``.

    Raises:
        UsageProblem: names all changes.
    """
    today = json.loads(json.dumps(now))
    changed = [name for name in today if before.get(name) != today[name]]
    if changed:
        raise UsageProblem(
            f"{folder} cannot be resumed: what it was started with has changed",
            found=" and ".join((said or {}).get(name, f"another {name}") for name in changed),
            expected=expected,
            fix=fix,
        )


def refuse_existing_run(
    folder: Path, files: Iterable[str], *, own: bool, overwrite: bool, flag: str = "--run"
) -> None:
    """Raise OutputError where a run would write over another one, or over a file.

    Args:
        files: patterns of what a run writes.
        own: whether the folder holds a run of the same kind; files of anything else, such as the
            checkpoint of a training run, are not replaced whatever ``overwrite`` says.
        flag: the option that names the folder.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", expected="a folder", fix=f"choose another {flag}")
    found = {path for pattern in files for path in folder.glob(pattern)}
    there = sorted(str(path.relative_to(folder)) for path in found)
    if there and not own:
        raise OutputError(
            f"{folder} holds files that such a run would replace, and is none",
            found=", ".join(there),
            expected="a new folder",
            fix=f"choose another {flag}, or move these files away",
        )
    if there and not overwrite:
        raise OutputError(
            f"{folder} already holds a run",
            found=", ".join(there),
            expected="a new folder",
            fix=f"go on with it (--resume {folder}), choose another {flag}, or add --force",
        )


def clear_run(folder: Path, patterns: Sequence[str], *needed: Path | None) -> None:
    """Remove what an earlier run left, so that nothing of it is taken for this one's.

    Args:
        patterns: the last is removed first. A run that is killed meanwhile is still one of its
            kind where its config comes first, and begins again where its state comes last.
        needed: files that the new run begins with or learns from.

    Raises:
        UsageProblem: one of those would be removed; nothing was.
        OutputError: a file cannot be removed.
    """
    found = [path for pattern in reversed(patterns) for path in folder.glob(pattern)]
    for file in needed:
        if file is None or not any(file.exists() and file.samefile(one) for one in found):
            continue
        raise UsageProblem(
            f"{file} belongs to the run that this one would replace, which needs it",
            expected="another folder",
            fix="choose another --run",
        )
    for path in found:
        try:
            if path.is_file():
                path.unlink()
        except OSError as error:
            raise OutputError(
                f"{path} of an earlier run cannot be removed",
                found=_reason(error),
                fix="check its permissions, or choose another --run",
            ) from error


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
