"""Opens a model: with LiteRT, else tflite-runtime, never TensorFlow."""

from __future__ import annotations

import importlib
import warnings
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.printable import without_surrogates
from edge_effnet.runtime import delegates
from edge_effnet.runtime.delegates import ExternalDelegate, delegate_for
from edge_effnet.runtime.known_files import is_known, key_of, remember
from edge_effnet.system.native_log import native_output_hidden
from edge_effnet.tflite.reader import is_model_file, parse_structure, read_model_bytes


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


def open_interpreter(
    path: Path, *, threads: int = 1, delegate: bool = True, in_memory: bool = False
) -> OpenInterpreter:
    """Open a model file and run it once, so that what fails, fails here.

    Args:
        threads: CPU threads of the XNNPACK delegate.
        delegate: False leaves the XNNPACK delegate out: the runtime's own, slower kernels run.
        in_memory: read it whole; else it is mapped, and this process ends when somebody cuts it.

    Raises:
        ModelError: no model, damaged, or using unknown operators.
        EdgeEffnetError: no runtime installed; a model compiled for a device that is not here.
    """
    external, failures = look_first(path)
    runtime = load_runtime()
    attempts = [True, False] if delegate else [False]
    for xnnpack in () if failures else attempts:
        try:
            options = interpreter_options(
                path, threads, xnnpack=xnnpack, external=external, in_memory=in_memory
            )
            interpreter = run_once(runtime.module, options)
        except (RuntimeError, ValueError) as error:
            failures = (*failures, " ".join(str(error).split()))
            continue
        notice = None
        if delegate and not xnnpack:
            why = failures[0][:200]
            notice = f"{path.name} runs without the XNNPACK delegate, which refused it: {why}"
        return OpenInterpreter(interpreter, notice)
    raise ModelError(
        f"{path} does not run in {runtime.name} {runtime.version}"
        + " without the XNNPACK delegate" * (not delegate),
        found=failures[-1][:300] or "a refusal without a reason",
        fix="convert it again, or update the runtime"
        if delegate
        else "run it with the delegate; a device that lacks it cannot run this file",
    )


def look_first(path: Path) -> tuple[ExternalDelegate | None, tuple[str, ...]]:
    """What must be known of a file before this process opens it: it would not end the process.

    Returns:
        The delegate it was compiled for, and why the runtime refuses it (empty where it runs).

    Raises:
        ModelError: no model, damaged, using unknown operators, or it ended a process.
        EdgeEffnetError: no runtime installed; a model compiled for a device that is not here.
    """
    model, runtime = read_model_bytes(path), load_runtime()
    name = f"{runtime.name} {runtime.version}"
    key = key_of(model, name)
    if is_known(key):  # then it was looked at, and has built-in operators alone
        return None, ()
    structure = parse_structure(model, str(path))
    custom = {op.name for op in structure.operators if op.name.startswith("CUSTOM:")}
    if unknown := sorted(custom - {row.operator for row in delegates.DELEGATES}):
        raise ModelError(
            f"{path} has operators this machine's runtime does not know",
            found=", ".join(unknown),
            expected="built-in TFLite operators",
            fix="export the model without custom or Flex operators",
        )
    external = delegate_for(structure)
    if custom and external is None:
        raise ModelError(
            f"{path} names an accelerator's operator, but holds no program for it",
            found=f"{', '.join(sorted(custom))} without what the compiler puts into it",
            expected="a file that the accelerator's compiler made (edgetpu_compiler)",
            fix="compile the int8 file, or take that file itself",
        )
    if external is None:
        from edge_effnet.runtime.trial import try_first  # late: only for files that are new here

        failures = try_first(path, model)
        if failures == ():
            remember(key)
        return None, failures or ()
    from edge_effnet.tflite.checks import refuse_malformed

    refuse_malformed(model, str(path))
    external.refuse_crash(path, name)
    return external, ()


def open_bytes(
    model: bytes | bytearray,
    *,
    preserve: bool = False,
    xnnpack: bool = True,
    external: ExternalDelegate | None = None,
) -> Any:
    """An interpreter of a model in memory, on one thread: tensors are allocated, nothing has run.

    Args:
        preserve: keep the values of every tensor, not only of the outputs.
        xnnpack: with the XNNPACK delegate.
        external: what the model was compiled for; loaded here.

    Raises:
        RuntimeError, ValueError: the runtime refuses the model.
        EdgeEffnetError: no runtime, or no device where one is needed.
    """
    module = load_runtime().module
    kernels = module.OpResolverType
    with warnings.catch_warnings(), native_output_hidden():
        warnings.simplefilter("ignore", UserWarning)  # "intended for debugging"
        interpreter = module.Interpreter(
            model_content=bytes(model),
            num_threads=1,
            experimental_delegates=[external.load(module)] if external else None,
            experimental_preserve_all_tensors=preserve,
            experimental_op_resolver_type=kernels.AUTO
            if xnnpack
            else kernels.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    return interpreter


def interpreter_options(
    path: Path,
    threads: int,
    *,
    xnnpack: bool = True,
    external: ExternalDelegate | None = None,
    in_memory: bool = False,
) -> dict[str, Any]:
    """The arguments with which this machine's runtime opens a file.

    Args:
        xnnpack: with the XNNPACK delegate.
        external: what the file was compiled for; loaded here.
        in_memory: see ``open_interpreter``.

    Raises:
        EdgeEffnetError: no runtime, or no device where one is needed.
    """
    module = load_runtime().module
    options: dict[str, Any] = {"num_threads": max(1, threads)}
    named = is_model_file(path) and without_surrogates(str(path)) == str(path)
    if named and not in_memory:
        options["model_path"] = str(path)
    else:  # in a zip archive, or of a name that is no UTF-8, which the runtime does not take
        options["model_content"] = read_model_bytes(path)
    if not xnnpack:
        kernels = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        options["experimental_op_resolver_type"] = kernels
    if external is not None:
        options["experimental_delegates"] = [external.load(module)]
    return options


def run_once(module: ModuleType, options: dict[str, Any]) -> Any:
    """An interpreter that has run on zeros.

    Raises:
        RuntimeError, ValueError: the runtime refuses the model.
    """
    with native_output_hidden():
        interpreter = module.Interpreter(**options)
        interpreter.allocate_tensors()
        for detail in interpreter.get_input_details():
            interpreter.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
        interpreter.invoke()  # some int8 files are only refused here
    return interpreter
