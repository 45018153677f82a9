"""The Edge TPU as an external delegate: a library that runs a compiled model's one operator.

libedgetpu is built against one version of the runtime's C structures, and crashes with others; that
is found out in a process of its own first.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from edge_effnet.errors import ModelError
from edge_effnet.runtime.crash import signal_name
from edge_effnet.system.apart import run_apart
from edge_effnet.tflite.reader import Operator, Structure

OPERATOR = "CUSTOM:edgetpu-custom-op"
# What the compiler puts into that operator: a FlatBuffer with this identifier (google-coral/
# libedgetpu, executable/executable.fbs). Other programs write the operator's name alone.
PACKAGE = b"DWN1"
DRIVER_FIX = (
    "sudo apt install ./libedgetpu1-std_….deb with the file from github.com/feranick/libedgetpu/"
    "releases, which is maintained (the package libedgetpu1-std of coral.ai/docs/accelerator/"
    "get-started is built from an archived repository)"
)
LIBRARY = "libedgetpu.so.1"
LIBRARY_VARIABLE = "EDGE_EFFNET_LIBEDGETPU"
TRIAL_SECONDS = 60
_tried: set[str] = set()


def is_compiled(structure: Structure) -> bool:
    """Whether a model holds what the compiler made for the Edge TPU."""
    return any(holds_package(op) for op in structure.operators)


def holds_package(op: Operator) -> bool:
    """Whether an operator is the Edge TPU's and holds what the compiler made for it."""
    return op.name == OPERATOR and PACKAGE in op.custom_options


def edgetpu_library() -> str:
    """Name or path of the driver library: ``EDGE_EFFNET_LIBEDGETPU``, else ``libedgetpu.so.1``."""
    return os.environ.get(LIBRARY_VARIABLE) or LIBRARY


def load_edgetpu(module: ModuleType) -> Any:
    """The delegate for one interpreter of the runtime ``module``.

    Raises:
        ModelError: the library is not there, or finds no Edge TPU.
    """
    library = edgetpu_library()
    try:
        ctypes.CDLL(library)
    except OSError as error:
        raise ModelError(
            "a model compiled for the Edge TPU needs libedgetpu, which cannot be loaded",
            found=str(error),
            fix=f"{DRIVER_FIX}; or name another with {LIBRARY_VARIABLE}=PATH",
        ) from error
    try:
        return module.load_delegate(library)
    except (ValueError, AttributeError) as error:
        raise ModelError(
            "libedgetpu opens no Edge TPU",
            found=" ".join(str(error).split()),
            expected="a USB stick or a card that no other program uses",
            fix="plug it in again, end other programs that use it, and join its group: "
            "sudo usermod -aG plugdev $USER",
        ) from error


def refuse_crash(model: Path, runtime: str) -> None:
    """Run a compiled model once in a process of its own: the first model of each library.

    Only a crash is told from here; whatever else is wrong is told by the opening that follows.

    Args:
        runtime: name and version, for the error.

    Raises:
        ModelError: the process was killed by a signal, or did not end.
    """
    library = edgetpu_library()
    if library in _tried:
        return
    try:
        code = run_apart("edge_effnet.measure.probe", str(model), seconds=TRIAL_SECONDS).code
        found = f"a crash ({signal_name(-code)})" if code < 0 else None
    except subprocess.TimeoutExpired:
        found = f"no answer in {TRIAL_SECONDS} s"
    except OSError:  # no further process can be started here
        return
    if found is not None:
        raise ModelError(
            f"{library} and {runtime} do not work together on this machine",
            found=found,
            expected="a library built for this runtime",
            fix="install the libedgetpu of this runtime's TensorFlow version "
            "(github.com/feranick/libedgetpu), or tflite-runtime of libedgetpu's",
        )
    _tried.add(library)
