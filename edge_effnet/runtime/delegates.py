"""External delegates: ``DELEGATES`` is the table of devices that run files compiled for them.

Such a file runs on its device or not at all, so the file itself decides: whoever opens one gets
the delegate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_effnet.runtime import edgetpu
from edge_effnet.tflite.reader import Structure


@dataclass(frozen=True)
class ExternalDelegate:
    """One row of the table.

    Attributes:
        operator: custom operator that the device runs.
        compiled: whether a file holds what the device's compiler made.
        load: makes the delegate for one interpreter of a runtime's module; raises ModelError
            where the device cannot be used.
        refuse_crash: called before a file is opened, with it and the runtime's name and version;
            raises ModelError where opening would kill the process.
    """

    operator: str
    compiled: Callable[[Structure], bool]
    load: Callable[[ModuleType], Any]
    refuse_crash: Callable[[Path, str], None]


DELEGATES = (
    ExternalDelegate(
        edgetpu.OPERATOR, edgetpu.is_compiled, edgetpu.load_edgetpu, edgetpu.refuse_crash
    ),
)


def delegate_for(structure: Structure) -> ExternalDelegate | None:
    """The delegate that a model was compiled for."""
    return next((row for row in DELEGATES if row.compiled(structure)), None)
