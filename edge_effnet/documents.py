"""JSON to dataclasses and typed dictionaries, by cattrs: strictly, the first fault in words.

No type is turned into another, numbers are finite, and keys that a class does not name are
passed over unless asked otherwise: a newer version of the tool may add some. cattrs is imported
on first use.
"""

from __future__ import annotations

import math
from collections.abc import Sized
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, get_args, get_origin

from edge_effnet.errors import EdgeEffnetError

if TYPE_CHECKING:
    from cattrs import Converter

_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class AtLeast:
    """In ``Annotated``: the smallest number, or the fewest entries."""

    value: int

    def check(self, found: Any) -> None:
        """Raise ValueError where ``found`` is less."""
        if isinstance(found, Sized):
            if len(found) < self.value:
                raise ValueError(f"{len(found)} entries where at least {self.value} belong")
        elif found < self.value:
            raise ValueError(f"{found} is under {self.value}")


@dataclass(frozen=True)
class Fits:
    """In ``Annotated``, for a mapping that stays one: a typed dictionary that it must fit."""

    kind: Any

    def check(self, found: Any) -> None:
        """Raise what cattrs raises where ``found`` does not fit."""
        converter().structure(found, self.kind)


class Malformed(ValueError):
    """JSON that does not fit; says where, and how."""


def structure(raw: Any, kind: type[_Kind], *, unknown_keys: bool = True) -> _Kind:
    """What ``raw`` says, as a ``kind``.

    Args:
        unknown_keys: whether keys that no class names are passed over.

    Raises:
        Malformed: it does not fit: ``cases[0].threads: 'x' is no int``.
        EdgeEffnetError: what a class itself refuses.
    """
    from cattrs import BaseValidationError, transform_error

    try:
        return converter(unknown_keys=unknown_keys).structure(raw, kind)
    except BaseValidationError as error:
        if refused := _refusal(error):
            raise refused from error
        first = transform_error(error, path="", format_exception=_in_words)[0]
        words, _, place = first.rpartition(" @ ")
        raise Malformed(f"{place.lstrip('.') or 'the document'}: {words}") from error
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise Malformed(f"the document: {_in_words(error, None)}") from error


def unstructure(value: Any) -> Any:
    """Dictionaries, lists and plain values for JSON; paths become text."""
    return converter().unstructure(value)


@cache
def converter(*, unknown_keys: bool = True) -> Converter:
    """cattrs's own for our files."""
    from cattrs import Converter

    made = Converter(
        unstruct_collection_overrides={tuple: list}, forbid_extra_keys=not unknown_keys
    )
    for kind in (bool, int, float, str):
        made.register_structure_hook(kind, _exactly)
    made.register_structure_hook_func(_is_literal, _one_of)
    made.register_structure_hook(Path, lambda value, _: Path(_exactly(value, str)))
    made.register_unstructure_hook(Path, str)

    def bounded(value: Any, kind: Any) -> Any:
        inner, *limits = get_args(kind)
        found = made.structure(value, inner)
        for limit in limits:
            limit.check(found)
        return found

    made.register_structure_hook_func(_is_annotated, bounded)
    return made


def _is_literal(kind: Any) -> bool:
    return get_origin(kind) is Literal


def _is_annotated(kind: Any) -> bool:
    return get_origin(kind) is Annotated


def _exactly(value: Any, kind: type[Any]) -> Any:
    if type(value) is not kind and not (kind is float and type(value) is int):
        raise TypeError(f"{value!r:.60} is no {kind.__name__}")
    if kind is float and not math.isfinite(value):
        raise ValueError(f"{value} is no finite number")
    return value


def _one_of(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"{value!r:.60} is none of {', '.join(map(str, get_args(kind)))}")
    return value


def _refusal(error: BaseException) -> EdgeEffnetError | None:
    if isinstance(error, EdgeEffnetError):
        return error
    return next(filter(None, map(_refusal, getattr(error, "exceptions", ()))), None)


def _in_words(error: BaseException, _kind: Any) -> str:
    from cattrs import ForbiddenExtraKeysError

    if isinstance(error, KeyError):
        return "missing"
    if isinstance(error, ForbiddenExtraKeysError):
        return f"unknown {', '.join(sorted(error.extra_fields))}"
    ours = isinstance(error, ValueError) or " is no " in str(error)
    return str(error) if ours else "of another kind"  # cattrs took it for a mapping or a list
