"""A command's options from the fields of its config."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

import click

from edge_effnet.config_files import field_types, flag_of
from edge_effnet.ui.quantities import OneOf, Share

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Command = TypeVar("_Command", bound=Callable[..., Any])
_Config = TypeVar("_Config", bound="DataclassInstance")


def config_options(
    kind: type[DataclassInstance], *, leave_out: Collection[str] = ()
) -> Callable[[_Command], _Command]:
    """An option for every field that says what it means; the defaults are the config's own."""

    types = field_types(kind)

    def decorate(command: _Command) -> _Command:
        for entry in reversed(fields(kind)):
            if "option" in entry.metadata and entry.name not in leave_out:
                command = _option(entry, types[entry.name])(command)
        return command

    return decorate


def from_options(kind: type[_Config], options: Mapping[str, Any], **others: Any) -> _Config:
    """The config that the values of ``config_options`` make.

    Args:
        others: fields that have no option.
    """
    given = {e.name: options[e.name] for e in fields(kind) if "option" in e.metadata}
    return kind(**given, **others)


def _option(entry: Field[Any], kind: Any) -> Callable[[_Command], _Command]:
    about, flag = entry.metadata["option"], flag_of(entry)
    default = None if entry.default is MISSING else entry.default
    how: dict[str, Any] = {"type": kind}
    if about.kind is not None:
        how = {"type": about.kind}
    elif kind is bool:
        how = {"is_flag": True}
        if default is None:  # then not to say it is a third answer
            flag = f"{flag}/--no-{flag[2:]}"
    elif get_origin(kind) is Literal:
        how = {"type": OneOf(get_args(kind))}
    elif kind is Path:
        how = {"type": click.Path(path_type=Path)}
    elif about.share:
        how = {"type": Share()}
    return click.option(
        flag,
        entry.name,
        default=default,
        show_default=default is not None and default is not False,
        metavar=about.metavar,
        help=about.text,
        **how,
    )
