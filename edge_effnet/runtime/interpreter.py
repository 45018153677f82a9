"""One seam that opens a model: LiteRT, else tflite-runtime, never TensorFlow."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.native_log import native_output_hidden
from edge_effnet.runtime.edgetpu import OPERATOR as EDGETPU_OPERATOR
from edge_effnet.runtime.edgetpu import is_compiled, load_edgetpu, refuse_crash
from edge_effnet.tflite.reader import parse_structure, read_model_bytes


@dataclass(frozen=True)
class Runtime:
    """The TFLite runtime of this machine."""

    name: str
    version: str
    module: ModuleType


_RUNTIMES = (
    ("LiteRT", "ai_edge_litert.interpreter", "ai-edge-litert"),
    ("tflite-runtime", "tflite_runtime.interpreter", "tflite-runtime"),
)


@cache
def load_runtime() -> Runtime:
    """Find the installed runtime.

    Raises:
        EdgeEffnetError: neither LiteRT nor tflite-runtime can be imported.
    """
    for name, module, distribution in _RUNTIMES:
        try:
            loaded = importlib.import_module(module)
        except ImportError:
            continue
        return Runtime(name, _version(distribution), loaded)
    raise EdgeEffnetError(
        "running a model needs a TFLite runtime, and none is installed",
        expected="LiteRT, or tflite-runtime on 32-bit Arm",
        fix="pip install ai-edge-litert (64-bit), or pip install tflite-runtime (32-bit Pi)",
    )


def _version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:  # a nightly, or Debian's own package
        return "of unknown version"


@dataclass(frozen=True)
class OpenInterpreter:
    """An interpreter that has run once.

    Attributes:
        interpreter: with tensors allocated.
        notice: what the user should know about how it runs, or None.
    """

    interpreter: Any
    notice: str | None


def open_interpreter(path: Path, *, threads: int = 1, delegate: bool = True) -> OpenInterpreter:
    """Open a model file and run it once, so that what fails, fails here.

    Args:
        threads: CPU threads of the fast kernels (XNNPACK).
        delegate: False leaves the fast kernels out (the runtime's own, slower ones).

    Raises:
        ModelError: no model, damaged, or using unknown operators.
        EdgeEffnetError: no runtime installed; a model compiled for the Edge TPU without one.
    """
    structure = parse_structure(read_model_bytes(path), str(path))
    custom = {op.name for op in structure.operators if op.name.startswith("CUSTOM:")}
    if unknown := sorted(custom - {EDGETPU_OPERATOR}):
        raise ModelError(
            f"{path} has operators this machine's runtime does not know",
            found=", ".join(unknown),
            expected="built-in TFLite operators",
            fix="export the model without custom or Flex operators",
        )
    runtime, compiled = load_runtime(), is_compiled(structure)
    if compiled:
        refuse_crash(path, f"{runtime.name} {runtime.version}")
    attempts = [True, False] if delegate else [False]
    failures: list[str] = []
    for fast in attempts:
        try:
            options = interpreter_options(path, threads, fast=fast, compiled=compiled)
            interpreter = _start(runtime.module, options)
        except (RuntimeError, ValueError) as error:
            failures.append(" ".join(str(error).split()))
            continue
        notice = None
        if delegate and not fast:
            notice = (
                f"{path.name} runs without the fast kernels, which refused it: {failures[0][:200]}"
            )
        return OpenInterpreter(interpreter, notice)
    raise ModelError(
        f"{path} does not run in {runtime.name} {runtime.version}"
        + " without its fast kernels" * (not delegate),
        found=failures[-1][:300],
        fix="convert it again, or update the runtime"
        if delegate
        else "run it with them; a device that lacks them cannot run this file",
    )


def interpreter_options(
    path: Path, threads: int, *, fast: bool = True, compiled: bool = False
) -> dict[str, Any]:
    """What this machine's runtime is told when it opens a file.

    Args:
        fast: with its fast kernels.
        compiled: for the Edge TPU, whose delegate is loaded.

    Raises:
        EdgeEffnetError: no runtime, or no Edge TPU where one is needed.
    """
    module = load_runtime().module
    options: dict[str, Any] = {"model_path": str(path), "num_threads": max(1, threads)}
    if not fast:
        kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        options["experimental_op_resolver_type"] = kernels
    if compiled:
        options["experimental_delegates"] = [load_edgetpu(module)]
    return options


def _start(module: ModuleType, options: dict[str, Any]) -> Any:
    with native_output_hidden():
        interpreter = module.Interpreter(**options)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()  # some int8 files are only refused here
    return interpreter
