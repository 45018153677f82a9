"""A command's options from the fields of its config."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import MISSING, Field, fields
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin

import click

from edge_effnet.config_files import field_types, flag_of
from edge_effnet.ui.quantities import OneOf, Share

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Command = TypeVar("_Command", bound=Callable[..., Any])


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


def _option(entry: Field[Any], kind: Any) -> Callable[[_Command], _Command]:
    about, flag = entry.metadata["option"], flag_of(entry)
    default = None if entry.default is MISSING else entry.default
    how: dict[str, Any] = {"type": kind}
    if kind is bool:
        how = {"is_flag": True}
        if default is None:  # then not to say it is a third answer
            flag = f"{flag}/--no-{flag[2:]}"
    elif get_origin(kind) is Literal:
        how = {"type": OneOf(get_args(kind))}
    elif about.share:
        how = {"type": Share()}
    return click.option(
        flag,
        entry.name,
        default=default,
        show_default=default not in (None, False),
        metavar=about.metavar,
        help=about.text,
        **how,
    )
