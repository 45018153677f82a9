"""Variants as JSON: what ``scale`` and ``prune`` write and ``--variant FILE`` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.documents import Malformed, structure
from edge_effnet.errors import EdgeEffnetError, ModelError, UsageProblem
from edge_effnet.files.json_text import read_json
from edge_effnet.files.write import write_atomically
from edge_effnet.spelling import nearest

FORMAT, VERSION = "edge-effnet variant", 1


def find_variant(name: str) -> VariantSpec:
    """The variant called ``name``, or the one in the file ``name``.

    Raises:
        UsageProblem: neither a known name nor a file.
        ModelError: a file that holds no variant.
    """
    if name in VARIANTS:
        return VARIANTS[name]
    if not _is_file(Path(name)):
        meant = nearest_variant(name)
        raise UsageProblem(
            f"there is no variant {name!r}" + (f"; did you mean {meant}?" if meant else ""),
            expected=None if meant else f"one of {', '.join(VARIANTS)}, or a variant file",
            fix="edge-effnet variants lists them; edge-effnet scale makes new ones",
        )
    return read_variant(Path(name))


def nearest_variant(name: str) -> str | None:
    """The variant that ``EfficientNetV2-B0``, ``B0`` or ``v2b0`` is meant to be, or None."""
    return nearest(name, VARIANTS, prefix="(tf)?(efficientnet|effnet|enet)")


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long to be one
        return False


def write_variant(path: Path, spec: VariantSpec, *, overwrite: bool = False) -> None:
    """Write a variant as JSON; nothing is left half-written."""
    text = json.dumps(variant_to_json(spec), indent=1) + "\n"
    write_atomically(path, text.encode(), overwrite=overwrite)


def read_variant(path: Path) -> VariantSpec:
    """Read a variant.

    Raises:
        ModelError: unreadable, not JSON, or not a variant: says which field.
    """
    try:
        raw = read_json(path)
    except ValueError as error:
        raise _not_a_variant(str(path), str(error)) from error
    return variant_from_json(raw, str(path))


def variant_to_json(spec: VariantSpec) -> dict[str, Any]:
    """A variant as JSON values, with its format and version."""
    return {"format": FORMAT, "version": VERSION, **asdict(spec)}


def variant_from_json(raw: Mapping[str, Any], name: str) -> VariantSpec:
    """The variant that ``variant_to_json`` made; ``name`` is used in errors."""
    if not isinstance(raw, Mapping) or raw.get("format") != FORMAT:
        raise _not_a_variant(name, "JSON of another kind")
    if raw.get("version") != VERSION:
        raise _not_a_variant(name, f"version {raw.get('version')!r}, while this reads {VERSION}")
    values = {key: value for key, value in raw.items() if key not in {"format", "version"}}
    try:
        return structure(values, VariantSpec, unknown_keys=False)
    except EdgeEffnetError as error:  # well-formed, but no network can be like that
        raise ModelError(
            f"{name} describes no network: {error.what}",
            found=error.found,
            expected=error.expected,
            fix=error.fix,
        ) from error
    except Malformed as error:
        raise _not_a_variant(name, str(error)) from error


def _not_a_variant(name: str, found: str) -> ModelError:
    return ModelError(
        f"{name} is not a variant file",
        found=found,
        expected="JSON written by edge-effnet scale or prune",
        fix="make it again: edge-effnet scale --max-macs 200M -o FILE",
    )
