"""What a recovery training needs to go on, and what it learned: one whole ``.npz``, or none."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.files import write_atomically


@dataclass(frozen=True)
class State:
    """A place in a run.

    Attributes:
        key: hash of all that the result depends on.
        losses: of the steps that are done.
        variables, optimizer: values in the order of the model's and the optimizer's variables; no
            optimizer where the run has ended.
    """

    key: str
    losses: list[float]
    variables: list[NDArray[Any]]
    optimizer: list[NDArray[Any]]


def write_state(path: Path, state: State) -> None:
    """Store a place in a run, replacing the one before.

    Raises:
        OutputError: the file cannot be written; the one before is untouched.
    """
    arrays: dict[str, Any] = {
        "key": np.array(state.key),
        "losses": np.array(state.losses, np.float64),
        **{f"variable_{place}": value for place, value in enumerate(state.variables)},
        **{f"optimizer_{place}": value for place, value in enumerate(state.optimizer)},
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue(), overwrite=True)


def read_state(path: Path, key: str) -> State | None:
    """The stored place of the run with this key; None where there is none, or it is damaged."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            if str(stored["key"]) != key:
                return None
            return State(
                key,
                stored["losses"].tolist(),
                _numbered(stored, "variable"),
                _numbered(stored, "optimizer"),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _numbered(stored: Any, what: str) -> list[NDArray[Any]]:
    count = sum(name.startswith(f"{what}_") for name in stored.files)
    return [stored[f"{what}_{place}"] for place in range(count)]
