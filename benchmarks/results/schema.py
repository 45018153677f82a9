"""Check JSON against a schema file: the few words of JSON Schema that ours uses.

``type`` (a name or a list), ``properties``, ``required``, ``items``, ``enum``, ``minimum`` and
``$ref`` into ``$defs``. Keys a schema does not name are allowed: a newer minor version of the
tool may add some.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


@cache
def load_schema(name: str) -> Mapping[str, Any]:
    """A schema of this package by its file name."""
    text = resources.files("benchmarks").joinpath("assets", name).read_text("utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


def first_fault(value: Any, schema: Mapping[str, Any]) -> str | None:
    """The first place where ``value`` breaks ``schema``, in words; None where it fits."""
    return _fault(value, schema, "the document", schema.get("$defs", {}))


def _fault(
    value: Any, schema: Mapping[str, Any], place: str, defs: Mapping[str, Any]
) -> str | None:
    if "$ref" in schema:
        return _fault(value, defs[schema["$ref"].rpartition("/")[2]], place, defs)
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_is(value, name) for name in names):
            return f"{place} is {_kind(value)} where {' or '.join(names)} belongs"
    if "enum" in schema and value not in schema["enum"]:
        return f"{place} is {value!r}, none of {schema['enum']}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not math.isfinite(value):
            return f"{place} is no finite number"
        if value < schema.get("minimum", -math.inf):
            return f"{place} is {value}, under {schema['minimum']}"
    if isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                return f"{place} lacks {name!r}"
        for name, inner in schema.get("properties", {}).items():
            if name in value and (fault := _fault(value[name], inner, f"{place}: {name}", defs)):
                return fault
    if isinstance(value, list) and "items" in schema:
        if len(value) < schema.get("minItems", 0):
            return f"{place} has {len(value)} entries"
        for index, entry in enumerate(value):
            if fault := _fault(entry, schema["items"], f"{place}[{index}]", defs):
                return fault
    return None


def _is(value: Any, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


def _kind(value: Any) -> str:
    return next((name for name in _TYPES if _is(value, name)), type(value).__name__)
