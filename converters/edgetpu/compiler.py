"""Google's ``edgetpu_compiler``: run it where it is installed, and read what it says.

It is a closed program for x86-64 Linux, last released as version 16 in 2021. Its log is for
people; the form read here is that of versions 2 to 16, as it stands in the logs of its public
issue tracker (github.com/google-coral/edgetpu).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.files.scratch import scratch_folder

COMPILER = "edgetpu_compiler"
TIMEOUT_SECONDS = 600
MAPPED = "Mapped to Edge TPU"
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"^(?P<name>[^:]+): (?P<number>[\d.]+)(?P<unit>B|[KMG]iB)\s*$")
_COUNT = re.compile(r"^(?P<name>Number of [^:]+|Total number of operations): (?P<number>\d+)\s*$")
_ROW = re.compile(r"^(?P<op>[A-Z][A-Z0-9_]*)\s+(?P<count>\d+)\s+(?P<status>\S.*?)\s*$")
_VERSION = re.compile(r"^Edge TPU Compiler version (?P<version>[\d.]+)", re.MULTILINE)


@dataclass(frozen=True)
class CompilerLog:
    """What the compiler says of one model.

    Attributes:
        subgraphs: pieces that run on the Edge TPU.
        operations: of the model before compilation.
        cached_bytes: weights that stay on the chip; ``streamed_bytes`` cross the bus for every
            inference; ``free_bytes`` of the chip are left.
        statuses: (operator, count, what became of them), in the log's order.
    """

    version: str
    subgraphs: int
    operations: int
    cached_bytes: int
    free_bytes: int
    streamed_bytes: int
    statuses: tuple[tuple[str, int, str], ...]

    @property
    def mapped(self) -> int:
        return sum(count for _, count, status in self.statuses if status == MAPPED)


@dataclass(frozen=True)
class Compiled:
    """A model compiled for the Edge TPU, and the compiler's word on it."""

    model: bytes
    log: CompilerLog


def parse_log(text: str) -> CompilerLog:
    """Read a log of ``edgetpu_compiler --show_operations``.

    Raises:
        ValueError: the log does not end in a compiled model.
    """
    lines = text.splitlines()
    sizes = {match["name"]: _bytes(match) for match in _matches(_SIZE, lines)}
    counts = {match["name"]: int(match["number"]) for match in _matches(_COUNT, lines)}
    version = _VERSION.search(text)
    try:
        return CompilerLog(
            version=version["version"] if version else "unknown",
            subgraphs=counts["Number of Edge TPU subgraphs"],
            operations=counts["Total number of operations"],
            cached_bytes=sizes["On-chip memory used for caching model parameters"],
            free_bytes=sizes["On-chip memory remaining for caching model parameters"],
            streamed_bytes=sizes["Off-chip memory used for streaming uncached model parameters"],
            statuses=tuple(
                (match["op"], int(match["count"]), match["status"])
                for match in _matches(_ROW, lines)
            ),
        )
    except KeyError as missing:
        raise ValueError(f"no line {missing}") from missing


def find_compiler() -> str | None:
    """Its path, or None where it is not installed."""
    return shutil.which(COMPILER)


def compile_command(compiler: str, model: Path, folder: Path) -> list[str]:
    """The command line that compiles ``model`` into ``folder``."""
    return [compiler, "--show_operations", "--out_dir", str(folder), str(model)]


def compile_model(compiler: str, model: bytes, name: str) -> Compiled:
    """Compile a model in a folder of its own.

    Args:
        compiler: path of ``edgetpu_compiler``.
        model: a full-integer ``.tflite``, without the archive behind it.
        name: used in errors.

    Raises:
        ModelError: the compiler cannot be run, refuses the model, or says what cannot be read.
    """
    with scratch_folder() as scratch:
        source = scratch / "model.tflite"
        source.write_bytes(model)
        command = compile_command(compiler, source, scratch)
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ModelError(
                f"{COMPILER} could not compile {name}",
                found=str(error),
                fix=f"check {compiler}; it is a program for x86-64 Linux",
            ) from error
        output = done.stdout + done.stderr
        target = scratch / "model_edgetpu.tflite"
        try:
            log = parse_log(output)
            if done.returncode != 0:
                raise ValueError(f"exit code {done.returncode}")
            return Compiled(target.read_bytes(), log)
        except (ValueError, OSError) as error:
            raise ModelError(
                f"{COMPILER} refused {name}",
                found=_complaint(output) or f"exit code {done.returncode} and {error}",
                fix="edge-effnet doctor FILE --device coral tells what it may not like",
            ) from error


def _complaint(output: str) -> str:
    """The lines of a failed run that say why."""
    marks = ("ERROR", "Invalid model", "Internal compiler error", "could not", "not quantized")
    lines = [line.strip() for line in output.splitlines() if any(mark in line for mark in marks)]
    return "; ".join(dict.fromkeys(lines))[:300]


def _matches(pattern: re.Pattern[str], lines: list[str]) -> Iterator[re.Match[str]]:
    return (match for line in lines if (match := pattern.match(line)))


def _bytes(match: re.Match[str]) -> int:
    return round(float(match["number"]) * _UNITS[match["unit"]])
