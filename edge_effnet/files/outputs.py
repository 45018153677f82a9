"""All that a command will write, looked at before any of it is opened."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge_effnet.errors import UsageProblem
from edge_effnet.files.locks import all_locked
from edge_effnet.files.scratch import TEMPORARY, sweep
from edge_effnet.files.write import refuse_existing


@contextmanager
def claimed(
    outputs: Mapping[str, Sequence[Path]],
    inputs: Mapping[str, Path],
    *,
    overwrite: bool,
    shared: Sequence[str] = (),
    updated: Sequence[str] = (),
    besides: Mapping[Path, Sequence[str]] | None = None,
) -> Iterator[None]:
    """Refuse outputs that must not be written, and keep other processes from the rest.

    Args:
        outputs: files, by the option that names them.
        inputs: files and folders that the command reads, by option.
        shared: of ``outputs``, those that several processes may add to: they may exist, and are
            not held.
        updated: of ``outputs``, those that may exist, and be what the command reads: it decides
            later whether it replaces them.
        besides: folders into which the command writes more, and patterns of what it writes there.

    Raises:
        UsageProblem: an output is an input, another output, a folder that another one needs, or
            what the command writes besides.
        OutputError: one exists and ``overwrite`` is off, is no file, cannot be written, or is
            being written by another process. Nothing was opened or emptied.
    """
    named = [(option, path) for option, paths in outputs.items() for path in paths]
    for option, path in named:
        refuse_existing(path, overwrite=True)  # a folder, a device, or a way that leads nowhere
        if option not in updated:
            _refuse_input(option, path, inputs)
        _refuse_besides(option, path, besides or {})
    for number, (option, path) in enumerate(named):
        for other, before in named[:number]:
            both = other if other == option else f"{other} and {option}"
            if _same(path, before):
                raise UsageProblem(
                    f"two outputs are the same file, {path}",
                    found=both,
                    expected="a file for each",
                    fix="give them different names",
                )
            _refuse_folder_of(both, path, before)
            _refuse_folder_of(both, before, path)
    own = [(option, path) for option, path in named if option not in shared]
    with all_locked([path for _, path in own]):
        for option, path in own:
            refuse_existing(path, overwrite=overwrite or option in updated)
            sweep(path.parent)
        yield


def _refuse_input(option: str, path: Path, inputs: Mapping[str, Path]) -> None:
    for given, read in inputs.items():
        if path.is_file() and _same(path, read):
            raise UsageProblem(
                f"{option} would replace what the command reads, {path}",
                found=f"{given} {read}",
                expected="another file",
                fix=f"give {option} another name",
            )


def _refuse_besides(option: str, path: Path, besides: Mapping[Path, Sequence[str]]) -> None:
    target = _real(path)
    written = path.name.startswith(TEMPORARY)
    for folder, patterns in besides.items():
        _refuse_folder_of(option, path, folder)
        if target.is_relative_to(place := _real(folder)):
            inside = target.relative_to(place)
            depth = len(inside.parts)
            written |= any(depth == len(Path(one).parts) and inside.match(one) for one in patterns)
    if written:
        raise UsageProblem(
            f"{option} is a file that the command writes itself, {path}",
            expected="another file",
            fix=f"give {option} another name",
        )


def _refuse_folder_of(options: str, path: Path, below: Path) -> None:
    """Refuse a file that would have to be a folder at the same time."""
    if _real(below).is_relative_to(_real(path)):
        raise UsageProblem(
            f"{path} cannot be a file and the folder {'' if path == below else 'of '}{below}",
            found=options,
            expected="a file beside it, or in it",
            fix="give another name",
        )


def _same(one: Path, other: Path) -> bool:
    """Whether two names are those of one file, which need not be there."""
    try:
        if one.exists() and other.exists():
            return one.samefile(other)
    except OSError:
        return False
    return _real(one) == _real(other)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike Path.resolve, not ended by links in a circle
