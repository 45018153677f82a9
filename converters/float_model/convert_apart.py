"""SavedModels converted to ``.tflite`` in processes that end.

TensorFlow keeps a quarter of a gigabyte of every network of some 12 million weights that it has
converted, until its process ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.runtime.crash import signal_name
from edge_effnet.system.apart import end_with_input, started_apart

AT_ONCE = 3
"""SavedModels that one process converts: its start takes some seconds."""
_MADE = "converted.tflite"


def convert_apart(folders: Sequence[Path]) -> list[bytes]:
    """What TensorFlow's converter makes of SavedModels, built-in operators alone.

    Raises:
        ModelError: a process did not end well; what it said of that is on the standard error.
        OSError: no process can be started here.
    """
    made = []
    for start in range(0, len(folders), AT_ONCE):
        batch = folders[start : start + AT_ONCE]
        with started_apart(__name__, *map(str, batch)) as process:
            code = process.wait()
        if code:
            raise ModelError(
                "a part of the network was not converted",
                found=signal_name(-code) if code < 0 else f"exit code {code}",
                expected="some 2 GB of free memory",
                fix="end other programs, or take a smaller network",
            )
        made += [(folder / _MADE).read_bytes() for folder in batch]
    return made


def main(*folders: str) -> None:
    """Convert SavedModels; each ``.tflite`` is written into its folder."""
    from converters.float_model.export import convert_folder

    end_with_input()
    for folder in folders:
        (Path(folder) / _MADE).write_bytes(convert_folder(folder))
