"""The errors a user can meet, and how they read.

    EdgeEffnetError          exit code 1
    ├── UsageProblem         2  options that contradict each other
    ├── MissingExtra         1  an optional dependency is not installed
    ├── DataError            1  images, folders, CSV files, labels
    ├── ModelError           1  .tflite, .keras and variant files
    ├── WeightsError         1  weight files and their download
    ├── OutputError          1  something cannot be written
    └── LimitMissed           3  the work was done, but a limit the user set was missed
        └── NothingWritten    1  so no file was written

Every one of them says what is wrong, what was found, what was expected and what to do,
in one line. The command line prints that line and nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from edge_effnet.printable import printable

TO_FIX = "; to fix: "


class EdgeEffnetError(Exception):
    """An error with a remedy.

    Args:
        what: the thing that is wrong ("b0.tflite is not a TFLite model").
        found: what was found there.
        expected: what should have been there.
        fix: what the user can do about it, as an imperative.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, found: str | None = None, expected: str | None = None, fix: str
    ) -> None:
        self.what, self.found, self.expected, self.fix = what, found, expected, fix
        super().__init__(str(self))

    def __str__(self) -> str:
        parts = [self.what]
        if self.found is not None:
            # Of another error that was found: what to do is said once.
            parts.append(f"found {self.found.partition(TO_FIX)[0]}")
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        line = "; ".join(parts) + TO_FIX + self.fix
        return printable(" ".join(line.split()))  # one line, whatever a name contains


class UsageProblem(EdgeEffnetError):
    exit_code = 2


class MissingExtra(EdgeEffnetError):
    """An optional dependency is needed and not installed.

    Args:
        package: the import name that is missing.
        extra: the extra of ``edge-effnet`` that brings it.
        purpose: what it is needed for, as a noun phrase.
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed",
            fix=f"pip install 'edge-effnet[{extra}]'",
        )


class DataError(EdgeEffnetError):
    pass


class ModelError(EdgeEffnetError):
    pass


class WeightsError(EdgeEffnetError):
    pass


class OutputError(EdgeEffnetError):
    pass


class LimitMissed(EdgeEffnetError):
    exit_code = 3


class NothingWritten(LimitMissed):
    exit_code = 1


def cannot_read(
    path: Path, error: OSError, fix: str = "check the path and its permissions"
) -> DataError:
    """What the system says of a file that cannot be read."""
    return DataError(f"{path} cannot be read", found=error.strerror or str(error), fix=fix)


def cannot_write(
    path: Path,
    error: OSError,
    fix: str = "choose a folder you may write to, with enough free space",
) -> OutputError:
    """What the system says of a file or folder that cannot be written."""
    return OutputError(f"{path} cannot be written", found=error.strerror or str(error), fix=fix)
