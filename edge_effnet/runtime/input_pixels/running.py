"""Opening a model in memory with whichever kernels run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.system.native_log import native_output_hidden


def open_running(model: bytes) -> Any | None:
    """An interpreter that has run once, without the XNNPACK delegate where that refuses the
    model; None where nothing here runs it, such as a file compiled for the Edge TPU."""
    for xnnpack in (True, False):
        try:
            interpreter = open_bytes(model, xnnpack=xnnpack)
            for detail in interpreter.get_input_details():
                interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
            with native_output_hidden():
                interpreter.invoke()
        except (RuntimeError, ValueError):
            continue
        return interpreter
    return None
