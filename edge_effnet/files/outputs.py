"""All that a command will write, looked at before any of it is opened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.files.locks import all_locked
from edge_effnet.files.scratch import sweep
from edge_effnet.files.write import refuse_existing


@contextmanager
def claimed(
    outputs: Mapping[str, Sequence[Path]],
    inputs: Mapping[str, Path],
    *,
    overwrite: bool,
    shared: Sequence[str] = (),
) -> Iterator[None]:
    """Refuse outputs that must not be written, and keep other processes from the rest.

    Args:
        outputs: files, by the option that names them.
        inputs: files and folders that the command reads, by option.
        shared: of ``outputs``, those that several processes may add to: they may exist, and are
            not held.

    Raises:
        UsageProblem: two outputs are one file, or one is an input.
        OutputError: one exists and ``overwrite`` is off, is no file, cannot be written, or is
            being written by another process. Nothing was opened or emptied.
    """
    named = [(option, path) for option, paths in outputs.items() for path in paths]
    for option, path in named:
        _refuse_folder(path)
        _refuse_input(option, path, inputs)
    for number, (option, path) in enumerate(named):
        for other, before in named[:number]:
            if _same(path, before):
                raise UsageProblem(
                    f"two outputs are the same file, {path}",
                    found=other if other == option else f"{other} and {option}",
                    expected="a file for each",
                    fix="give them different names",
                )
    own = [path for option, path in named if option not in shared]
    for path in own:
        refuse_existing(path, overwrite=True)  # a device, or a way that leads nowhere
    with all_locked(own):
        for path in own:
            refuse_existing(path, overwrite=overwrite)
            sweep(path.parent)
        yield


def _refuse_folder(path: Path) -> None:
    if path.is_dir():
        raise OutputError(f"{path} is a folder", expected="a file name", fix="add a file name")


def _refuse_input(option: str, path: Path, inputs: Mapping[str, Path]) -> None:
    for given, read in inputs.items():
        if read.is_file() and _same(path, read):
            raise UsageProblem(
                f"{option} would replace what the command reads, {path}",
                found=f"{given} {read}",
                expected="another file",
                fix=f"give {option} another name",
            )


def _same(one: Path, other: Path) -> bool:
    """Whether two names are those of one file, which need not be there."""
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
        return one.resolve() == other.resolve()
    except OSError:
        return False
