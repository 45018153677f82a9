"""Configs of runs: frozen dataclasses whose fields say what they mean and which values they may
have, kept as JSON.

    @dataclass(frozen=True)
    class Config:
        epochs: int = field(default=8, metadata=option("Of fine-tuning.", 0, 10_000))

        def __post_init__(self) -> None:
            refuse_bad_values(self)

``ui.config_options`` makes the options of a command of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

from edge_effnet.documents import Malformed, structure
from edge_effnet.errors import DataError, EdgeEffnetError, UsageProblem
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_json_file

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Config = TypeVar("Config", bound="DataclassInstance")


@dataclass(frozen=True)
class Option:
    """What a field of a config means to who types it.

    Attributes:
        text: for the help.
        low, high: the smallest and the largest value.
        share: whether 30% may be typed for 0.3.
        metavar: for the help.
        flag: where it is not ``--`` and the field's name.
        kind: a type of click's, where the field's own does not do.
    """

    text: str
    low: float | None = None
    high: float | None = None
    share: bool = False
    metavar: str | None = None
    flag: str | None = None
    kind: Any = None


def option(
    text: str,
    low: float | None = None,
    high: float | None = None,
    *,
    share: bool = False,
    metavar: str | None = None,
    flag: str | None = None,
    kind: Any = None,
) -> dict[str, Option]:
    """Metadata of a field, see ``Option``."""
    return {"option": Option(text, low, high, share, metavar, flag, kind)}


def flag_of(entry: Field[Any]) -> str:
    """What is typed to set a field."""
    about = entry.metadata.get("option")
    return (about and about.flag) or f"--{entry.name.replace('_', '-')}"


@cache
def field_types(kind: type[Any]) -> dict[str, Any]:
    """The type of each field; of one that may be None, the other."""
    return {
        name: next(one for one in get_args(hint) if one is not type(None))
        if type(None) in get_args(hint)
        else hint
        for name, hint in get_type_hints(kind).items()
    }


def refuse_bad_values(config: DataclassInstance) -> None:
    """Raise UsageProblem where a field is out of its range or none of its words; None is both."""
    for entry in fields(config):
        value, about = getattr(config, entry.name), entry.metadata.get("option")
        flag, hint = flag_of(entry), field_types(type(config))[entry.name]
        if value is None or about is None:
            continue
        if about.low is not None and not about.low <= value <= about.high:
            raise UsageProblem(
                f"{flag} is out of range",
                found=f"{value:g}",
                expected=f"{about.low:g} to {about.high:g}",
                fix="choose a value in that range",
            )
        if get_origin(hint) is Literal and value not in get_args(hint):
            raise UsageProblem(
                f"{flag} is unknown",
                found=repr(value),
                expected=f"one of {', '.join(get_args(hint))}",
                fix="choose one of these",
            )


@dataclass(frozen=True)
class ConfigFile(Generic[Config]):
    """How the config of a kind of run is kept.

    Attributes:
        kind: a frozen dataclass of JSON values, which refuses what is out of range.
        name: of the file in the run folder.
        format, version: stand in the file.
        what: for people, without an article: ``training config``.
        replaced: fields of earlier versions, and what makes of their value the fields of now.
    """

    kind: type[Config]
    name: str
    format: str
    version: int
    what: str
    replaced: Mapping[str, Callable[[Any], dict[str, Any]]] = field(default_factory=dict)

    def to_json(self, config: Config) -> dict[str, Any]:
        """The fields as JSON values, with format and version."""
        return {"format": self.format, "version": self.version, **asdict(config)}

    def write(self, folder: Path, config: Config) -> None:
        """Write the config of a run, in place of an earlier one.

        Raises:
            OutputError: the folder cannot be written.
        """
        write_json_file(folder / self.name, self.to_json(config))

    def stands_in(self, folder: Path) -> bool:
        """Whether a folder holds a run of this kind."""
        try:
            self.read(folder / self.name)
        except EdgeEffnetError:
            return False
        return True

    def read(self, path: Path) -> Config:
        """Read the config of a run folder, or of such a file anywhere.

        Raises:
            As ``from_json``; DataError too where the file is missing or no JSON.
        """
        file = path / self.name if path.is_dir() else path
        try:
            raw = read_json(file)
        except DataError as error:
            raise self._refuse(str(file), error.found or error.what) from error
        except ValueError as error:
            raise self._refuse(str(file), str(error)) from error
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
        for name in self.replaced.keys() & values.keys():
            values |= self.replaced[name](values.pop(name))
        if unknown := sorted(values.keys() - {entry.name for entry in fields(self.kind)}):
            raise self._refuse(source, f"unknown fields {', '.join(unknown)}")
        try:
            return structure(values, self.kind)
        except Malformed as error:
            for one in getattr(error.__cause__, "exceptions", ()):
                if isinstance(one, EdgeEffnetError):  # the config refused a value itself
                    raise one from None
            raise self._refuse(source, str(error)) from error

    def _refuse(self, source: str, found: str) -> DataError:
        return DataError(
            f"{source} is not a {self.what}",
            found=found,
            expected=f"{self.name} of a run",
            fix=f"give a run folder or the {self.name} in it",
        )
