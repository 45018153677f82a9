"""One store for what can be resumed: a run's config, its state, the results of its steps.

    ConfigFile    a frozen dataclass as JSON in the run folder, with format and version
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
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import DataError, EdgeEffnetError, OutputError, UsageProblem
from edge_effnet.files import write_atomically

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from cattrs import Converter

Config = TypeVar("Config", bound="DataclassInstance")

STATE_FORMAT, STATE_VERSION = "edge-effnet run state", 2
_ABOUT = "about"


@dataclass(frozen=True)
class ConfigFile(Generic[Config]):
    """How the config of a kind of run is kept.

    Attributes:
        kind: a frozen dataclass of JSON values, which refuses what is out of range.
        name: of the file in the run folder.
        format, version: stand in the file.
        what: for people, without an article: ``training config``.
    """

    kind: type[Config]
    name: str
    format: str
    version: int
    what: str

    def to_json(self, config: Config) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return {"format": self.format, "version": self.version, **asdict(config)}

    def write(self, folder: Path, config: Config) -> None:
        """Write the config of a run, in place of an earlier one.

        Raises:
            OutputError: the folder cannot be written.
        """
        write_json(folder / self.name, self.to_json(config))

    def read(self, path: Path) -> Config:
        """Read the config of a run folder, or of such a file anywhere.

        Raises:
            As ``from_json``; DataError too where the file is missing or no JSON.
        """
        file = path / self.name if path.is_dir() else path
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._refuse(str(file), _reason(error)) from error
        return self.from_json(raw, str(file))

    def from_json(self, raw: Any, source: str) -> Config:
        """The config that ``to_json`` made; ``source`` is used in errors.

        Raises:
            DataError: of another kind or version, or a field unknown, missing or of a wrong type.
            UsageProblem: a value out of range.
        """
        if not isinstance(raw, Mapping) or raw.get("format") != self.format:
            raise self._refuse(source, "JSON of another kind")
        if raw.get("version") != self.version:
            found = f"version {raw.get('version')!r}, while this reads {self.version}"
            raise self._refuse(source, found)
        values = {key: value for key, value in raw.items() if key not in {"format", "version"}}
        if unknown := sorted(values.keys() - {entry.name for entry in fields(self.kind)}):
            raise self._refuse(source, f"unknown fields {', '.join(unknown)}")
        from cattrs import AttributeValidationNote, ClassValidationError

        try:
            return _converter().structure(values, self.kind)
        except ClassValidationError as error:
            first = error.exceptions[0]
            if isinstance(first, EdgeEffnetError):
                raise first from None
            notes = getattr(first, "__notes__", [])
            names = [note.name for note in notes if isinstance(note, AttributeValidationNote)]
            wrong = [f"{name} = {values[name]!r}" if name in values else name for name in names]
            raise self._refuse(source, ", ".join(wrong) or str(first)) from error

    def _refuse(self, source: str, found: str) -> DataError:
        return DataError(
            f"{source} is not a {self.what}",
            found=found,
            expected=f"{self.name} of a run",
            fix=f"give a run folder or the {self.name} in it",
        )


@cache
def _converter() -> Converter:
    """Reads dataclasses without turning one type into another."""
    from cattrs import Converter

    def exactly(value: Any, kind: type[Any]) -> Any:
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        raise TypeError(f"expected {kind.__name__}")

    converter = Converter()
    for kind in (bool, int, float, str):
        converter.register_structure_hook(kind, exactly)
    return converter


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
        content = path.read_bytes()
        if not content.startswith(b"PK"):  # NumPy would take it for a pickle
            raise ValueError("no run state")
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            about = json.loads(stored[_ABOUT].tobytes())
            found = about["format"], about["version"]
            if found != (STATE_FORMAT, STATE_VERSION):
                raise ValueError(f"{found[0]!r}, version {found[1]!r}")
            arrays = {
                name: [stored[f"{name}/{index}"] for index in range(count)]
                for name, count in about["arrays"].items()
            }
            return RunState(about["depends_on"], about["progress"], arrays)
    except FileNotFoundError as error:
        raise DataError(
            f"{path.parent} cannot be resumed", found=f"no {path.name} in it", fix=fix
        ) from error
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
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
                self._known = dict(json.loads(path.read_text(encoding="utf-8")))
            except (OSError, ValueError, TypeError):
                self._known = {}

    def get(self, key: str) -> Any | None:
        return self._known.get(key)

    def put(self, key: str, result: Any) -> None:
        """Store a result.

        Raises:
            OutputError: the file cannot be written; the one before is untouched.
        """
        self._known[key] = result
        write_json(self._path, self._known)


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


def refuse_existing_run(folder: Path, files: Iterable[str], *, overwrite: bool) -> None:
    """Raise OutputError where a run would write over another one, or over a file.

    Args:
        files: names that a run writes.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file", expected="a folder", fix="choose another --run")
    there = [name for name in files if (folder / name).exists()]
    if there and not overwrite:
        raise OutputError(
            f"{folder} already holds a run",
            found=", ".join(there),
            expected="a new folder",
            fix=f"go on with it (--resume {folder}), choose another --run, or add --force",
        )


def clear_run(folder: Path, patterns: Iterable[str]) -> None:
    """Remove what an earlier run left, so that nothing of it is taken for this one's.

    Raises:
        OutputError: a file cannot be removed.
    """
    for path in (path for pattern in patterns for path in folder.glob(pattern)):
        try:
            if path.is_file():
                path.unlink()
        except OSError as error:
            raise OutputError(
                f"{path} of an earlier run cannot be removed",
                found=_reason(error),
                fix="check its permissions, or choose another --run",
            ) from error


def write_json(path: Path, document: Any) -> None:
    """Write JSON for people and programs, in place of an earlier file.

    Raises:
        OutputError: it cannot be written; the file before is untouched.
    """
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode(), overwrite=True)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
