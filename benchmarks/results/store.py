"""Result files: one result, or with ``--append`` a series of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.results.result import VERSION, Result, parse_result
from edge_effnet.errors import DataError
from edge_effnet.files import json_text
from edge_effnet.files.locks import locked
from edge_effnet.files.write import json_bytes, write_atomically

SERIES_FORMAT = "edge-effnet/benchmark-series"


def read_json(path: Path) -> Any:
    """Parse a JSON file.

    Raises:
        DataError: missing, unreadable or no JSON.
    """
    try:
        return json_text.read_json(path)
    except ValueError as error:
        raise DataError(
            f"{path} is not JSON", found=str(error)[:120], fix="copy it again, or measure again"
        ) from error


def read_results(path: Path) -> list[Result]:
    """Read a file's results, oldest first.

    Raises:
        DataError: see ``read_json`` and ``parse_result``.
    """
    raw = read_json(path)
    if isinstance(raw, dict) and raw.get("format") == SERIES_FORMAT:
        entries = raw.get("results")
        if not isinstance(entries, list) or not entries:
            raise DataError(f"{path} holds no results", fix="measure again")
        return [parse_result(entry, f"{path}[{i}]") for i, entry in enumerate(entries)]
    return [parse_result(raw, str(path))]


def series(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Several results, as JSON, in one document that ``read_results`` reads."""
    return {"format": SERIES_FORMAT, "version": VERSION, "results": list(results)}


def append_result(path: Path, result: Result) -> int:
    """Add a result to a file that may hold others, safely beside other processes.

    A lock file beside it keeps writers apart, and the file is replaced whole: a reader sees
    the old list or the new one.

    Returns:
        How many results the file now holds.

    Raises:
        DataError: the file holds something else.
        OutputError: it cannot be written.
    """
    with locked(path, wait=True):
        earlier = [entry.to_json() for entry in read_results(path)] if path.exists() else []
        document = series([*earlier, result.to_json()])
        write_atomically(path, json_bytes(document, indent=None), overwrite=True)
    return len(earlier) + 1


def refuse_unappendable(path: Path) -> None:
    """Refuse before the minutes of measuring what could not be added to after them.

    Raises:
        DataError: the file holds something else.
        OutputError: it cannot be written.
    """
    with locked(path, wait=True):
        if path.exists():
            read_results(path)
