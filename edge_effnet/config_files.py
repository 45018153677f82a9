"""Configs of runs: frozen dataclasses that refuse values out of range, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from edge_effnet.errors import DataError, EdgeEffnetError, UsageProblem
from edge_effnet.files import write_json_file

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from cattrs import Converter

Config = TypeVar("Config", bound="DataclassInstance")


def refuse_out_of_range(config: object, ranges: Iterable[tuple[str, float, float]]) -> None:
    """Raise UsageProblem where a field is not in its range; None is in any.

    Args:
        ranges: name of a field, and the smallest and the largest value it may have.
    """
    for name, low, high in ranges:
        value = getattr(config, name)
        if value is not None and not low <= value <= high:
            raise UsageProblem(
                f"--{name.replace('_', '-')} is out of range",
                found=f"{value:g}",
                expected=f"{low:g} to {high:g}",
                fix="choose a value in that range",
            )


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
        write_json_file(folder / self.name, self.to_json(config))

    def read(self, path: Path) -> Config:
        """Read the config of a run folder, or of such a file anywhere.

        Raises:
            As ``from_json``; DataError too where the file is missing or no JSON.
        """
        file = path / self.name if path.is_dir() else path
        try:
            raw = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            found = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise self._refuse(str(file), found) from error
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
