"""A float model built and exported in a process that ends.

TensorFlow takes up to a gigabyte, and an export several times the network: memory that no later
step needs, and that a process gives back only when it ends. So another one builds the network,
and hands over the ``.tflite`` and what is known of it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Any, BinaryIO, get_type_hints

from converters.float_model.source import Source
from edge_effnet import errors
from edge_effnet.documents import structure, unstructure
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.runtime.crash import signal_name
from edge_effnet.system.apart import end_with_input, started_apart
from edge_effnet.tflite.reader import parse_structure

if TYPE_CHECKING:
    from converters.float_model.choice import ModelChoice

# glibc keeps what each of many threads has freed, and a large block for the next one.
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 22),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 22),
}
_FACTS = [f.name for f in fields(Source) if f.name not in ("model", "structure", "unpruned")]


def worth_it() -> bool:
    """Whether this process does not hold TensorFlow anyway."""
    return "tensorflow" not in sys.modules


def open_apart(choice: ModelChoice) -> Source | None:
    """What ``choice.open_here()`` gives; None where no process can be started.

    Raises:
        EdgeEffnetError, OSError, MemoryError: as that does.
        ModelError: the process was killed, as for memory.
    """
    try:
        with started_apart(__name__, environment=_ENVIRONMENT) as process:
            assert process.stdin  # noqa: S101 (a pipe)
            assert process.stdout  # noqa: S101 (a pipe)
            try:
                _tell(process.stdin, unstructure(choice))
            except BrokenPipeError:  # it has been killed
                with suppress(BrokenPipeError):  # what was not written would be tried again
                    process.stdin.close()
            line = process.stdout.readline()
            told = json.loads(line) if line else {}
            model = process.stdout.read(told.get("bytes", 0))
    except FileNotFoundError:
        return None
    if not told or len(model) < told.get("bytes", 0):
        raise _died(choice.name, process.returncode)
    if "error" in told:
        raise rebuilt(told["error"])
    kinds = get_type_hints(Source)
    facts = {name: structure(told["facts"][name], kinds[name]) for name in _FACTS}
    return Source(model=model, structure=parse_structure(model, facts["name"]), **facts)


def _tell(pipe: BinaryIO | Any, document: Mapping[str, Any]) -> None:
    pipe.write(json.dumps(document).encode() + b"\n")
    pipe.flush()


def _died(name: str, code: int) -> ModelError:
    return ModelError(
        f"the export of {name} did not end",
        found=f"its process ended with {signal_name(-code) if code < 0 else f'exit code {code}'}",
        expected="enough memory: an export takes several times the size of the network",
        fix="end other programs, or take a smaller network",
    )


def rebuilt(told: Mapping[str, Any]) -> BaseException:
    """The error that ``described`` wrote; RuntimeError for one that nobody expects."""
    if told["kind"] == "OSError":
        return OSError(*told["arguments"])
    if told["kind"] == "MemoryError":
        return MemoryError()
    if "what" not in told:
        return RuntimeError(f"{told['kind']}: {told['text']}")
    kind: type[EdgeEffnetError] = getattr(errors, told["kind"])
    error = kind.__new__(kind)
    texts = {name: told[name] for name in ("found", "expected", "fix")}
    EdgeEffnetError.__init__(error, told["what"], **texts)
    return error


def described(error: BaseException) -> dict[str, Any]:
    """An error for JSON; one of a module's own becomes the one it derives from."""
    if isinstance(error, EdgeEffnetError):
        known = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        texts = {name: getattr(error, name) for name in ("what", "found", "expected", "fix")}
        return {"kind": known.__name__, **texts}
    if isinstance(error, OSError):
        name = None if error.filename is None else os.fsdecode(error.filename)
        return {"kind": "OSError", "arguments": [error.errno, error.strerror, name]}
    return {"kind": type(error).__name__, "text": str(error)}


def main() -> None:
    """Read a ``ModelChoice`` from the standard input; write a line of JSON, and the model."""
    from converters.float_model.choice import ModelChoice

    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever else prints does not print into the answer
    choice = structure(json.loads(sys.stdin.buffer.readline()), ModelChoice)
    end_with_input()
    try:
        source = choice.open_here()
    except Exception as error:
        _tell(answer, {"error": described(error)})
        if os.environ.get("EDGE_EFFNET_TRACEBACK"):
            raise
        return
    facts = {name: unstructure(getattr(source, name)) for name in _FACTS}
    _tell(answer, {"facts": facts, "bytes": len(source.model)})
    answer.write(source.model)
    answer.close()
