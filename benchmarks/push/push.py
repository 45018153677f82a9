"""Take models and photos to a Pi, and install what runs them; see ``benchmarks.push``."""

from __future__ import annotations

import asyncio
import hashlib
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

from benchmarks.devices.pi.answers import not_understood
from benchmarks.devices.pi.board import FILES_AT_A_TIME, Board, Content, board_at
from benchmarks.devices.pi.needs import needs
from benchmarks.devices.pi.package import build_wheel
from benchmarks.devices.pi.wheels import wheel_files
from benchmarks.push.gathering import LIMITS, Gathered, Item
from benchmarks.ssh.connect import Address
from benchmarks.ssh.files import LinkLost, RemoteFiles
from benchmarks.ssh.running import Interrupted, is_stopping
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError
from edge_effnet.files.read import read_bytes
from edge_effnet.plurals import counted
from edge_effnet.stages import Advance, StartStage

ENVIRONMENT = "effnet"  # below the home folder of the Pi
INSTALLED_BYTES = 600_000_000
"""What an environment with all packages takes there, generously."""
_BATCH_FILES, _BATCH_BYTES = 64, 32_000_000


@dataclass
class Pushed:
    """What is on the Pi now.

    Attributes:
        address: with the user whom the Pi knows.
        copied: in this call.
        present: were there already.
        kept: are other files there, which were left as they are.
        installed: the agent's answer: version, new, same; None where nothing was looked at.
        cleared: whether no file is there that arrived in part only.
    """

    address: Address
    copied: list[Item] = field(default_factory=list)
    present: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    installed: Mapping[str, Any] | None = None
    cleared: bool = True


async def push(
    address: Address,
    named: str,
    gathered: Gathered,
    to: str,
    stage: StartStage,
    *,
    wheels: Path | None = None,
    force: bool = False,
) -> Pushed:
    """Copy what is not on a Pi yet, and install edge-effnet there where it is missing.

    Args:
        named: the Pi as the user named it, for commands to type.
        to: the folder there, as ``gather`` had it.
        wheels: for a Pi without internet: a folder of the packages it lacks.
        force: replace what is there and differs, edge-effnet too.

    Raises:
        DataError: ``wheels`` holds no package that pip takes; nothing was connected to.
        OutputError: another model is there under the name of one, no room, or the Pi refuses.
        EdgeEffnetError: no connection, or one that was lost: what has arrived until then is
            whole, and the same call goes on.
        Interrupted: by Ctrl-C; the same holds.
    """
    pushed, packages = Pushed(address), wheel_files(wheels)
    try:
        async with board_at(address) as board:
            user = board.connection.get_extra_info("username")
            pushed.address = replace(address, user=user)
            todo = await _look(board, gathered, to, named, pushed, force=force)
            pushed.installed = await _install(board, packages, stage, force=force)
            await _copy(board, todo, pushed, stage, force=force)
    except (LinkLost, asyncio.CancelledError) as error:
        left = len(gathered.items) - len(pushed.present) - len(pushed.kept)
        found = f"{len(pushed.copied)} of {left} files copied, each of them whole"
        if is_stopping():
            raise Interrupted(f"{found}; {_goes_on(pushed)}") from error
        raise EdgeEffnetError(
            f"the link to {address.host} was lost",
            found=found,
            fix="the same command goes on where it stopped",
        ) from error
    return pushed


def _goes_on(pushed: Pushed) -> str:
    if pushed.cleared:
        return "the same command goes on where it stopped"
    return (
        f"{pushed.address.host} did not answer in time, so that files named .….part may be left "
        "there, which the next push of the same files removes"
    )


async def _look(
    board: Board, gathered: Gathered, to: str, named: str, pushed: Pushed, *, force: bool
) -> list[Item]:
    """What has to be copied; refuses before anything is."""
    files = [(item.target, item.size, item.sha256) for item in gathered.items]
    answer = await board.ask("look", files=files, folder=to or ".")
    _refuse_other_count(answer["states"], files, board)
    todo = list[Item]()
    for item, state in zip(gathered.items, answer["states"], strict=True):
        if state == "blocked":
            raise OutputError(
                f"{item.target} on {board.address.host} is no place for a file",
                found="something else than files and folders where they belong",
                fix="push into another folder: --to FOLDER",
            )
        if state == "other" and not force:
            if item.kind == "model":
                raise _other_model(item, named, board.address.host)
            pushed.kept.append(item)
        else:
            (pushed.present if state == "same" else todo).append(item)
    needed, free = sum(item.size for item in todo), answer["free_bytes"]
    if needed > free:
        raise OutputError(
            f"{board.address.host} has no room for {needed / 1e6:.0f} MB",
            found=f"{free / 1e6:.0f} MB free",
            fix="remove something there, or push less",
        )
    return todo


def _refuse_other_count(answers: Sequence[str], asked: Sequence[object], board: Board) -> None:
    if len(answers) != len(asked):
        raise not_understood(board.address.host, f"{len(answers)} answers for {len(asked)} files")


def _other_model(item: Item, named: str, host: str) -> OutputError:
    place = quote(f"{named}:{item.target}")
    return OutputError(
        f"{item.target} on {host} is another model, and nothing was copied",
        found="a file with another content",
        expected="none of that name, or the same",
        fix=f"edge-effnet deploy {quote(str(item.source))} {place} compares both and keeps the "
        "one before; or add --force, which replaces it",
    )


async def _install(
    board: Board, wheels: Mapping[Path, str], stage: StartStage, *, force: bool
) -> Mapping[str, Any]:
    name, wheel = build_wheel()
    key = hashlib.sha256(wheel).hexdigest()
    files: dict[str, Content] = {key: wheel, **{key: path for path, key in wheels.items()}}
    missing = await board.missing(files)
    if missing:
        advance = stage("copying edge-effnet", len(missing))
        await board.send({key: files[key] for key in missing}, advance)
    working: list[Callable[[int], None]] = []

    def show(line: Mapping[str, Any]) -> None:
        for end in working:
            end(1)
        working[:] = [stage(line.get("say", "installing"), None)]

    try:
        answer: Mapping[str, Any] = await board.ask(
            "install",
            show,
            folder=ENVIRONMENT,
            wheel=(name, key),
            wheels={path.name: key for path, key in wheels.items()},
            replace=force,
            **needs(board, camera=True),
        )
    except EdgeEffnetError as error:
        free = board.about["free_bytes"]
        if free >= INSTALLED_BYTES:
            raise
        raise OutputError(
            error.what,
            found=f"{free / 1e6:.0f} MB free; {error.found or 'no more'}",
            expected=f"{INSTALLED_BYTES / 1e6:.0f} MB for all packages",
            fix=f"make room there; else {error.fix}",
        ) from error
    for end in working:
        end(1)
    return answer


async def _copy(
    board: Board, todo: Sequence[Item], pushed: Pushed, stage: StartStage, *, force: bool
) -> None:
    """Copy in batches: all of one arrives, is checked there, and gets its names."""
    if not todo:
        return
    folders = sorted({posixpath.dirname(item.target) for item in todo} - {""})
    await board.ask("make_folders", folders=folders)
    files = RemoteFiles(board.address, board.connection, board.sftp)
    kilobytes = -(-sum(item.size for item in todo) // 1000)
    advance = stage(f"copying {counted(len(todo), 'file')} to {board.address.host} (kB)", kilobytes)
    before = 0
    for batch in _batches(todo):
        try:
            await _send(files, batch, partial(_advance, advance, before))
            outcomes = await board.ask(
                "place",
                files=[(item.part, item.target, item.sha256) for item in batch],
                replace=force,
            )
        except (EdgeEffnetError, LinkLost, asyncio.CancelledError):  # the last by Ctrl-C
            pushed.cleared = await files.clear([item.part for item in batch])
            raise
        _refuse_other_count(outcomes, batch, board)
        _note(batch, outcomes, pushed, board.address.host)
        before += sum(item.size for item in batch)
    advance(kilobytes)


def _advance(advance: Advance, before: int, count: int) -> None:
    advance((before + count) // 1000)


async def _send(files: RemoteFiles, batch: Sequence[Item], tell: Callable[[int], None]) -> None:
    """Write all parts of a batch; ``tell`` is told the bytes that are there."""
    sent, turns = dict.fromkeys(batch, 0), asyncio.Semaphore(FILES_AT_A_TIME)

    async def one(item: Item) -> None:
        def told(count: int) -> None:
            sent[item] = count
            tell(sum(sent.values()))

        async with turns:
            await files.write(item.part, read_bytes(item.source, LIMITS[item.kind]), told)

    try:
        async with asyncio.TaskGroup() as group:
            for item in batch:
                group.create_task(one(item))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors


def _note(batch: Sequence[Item], outcomes: Sequence[str], pushed: Pushed, host: str) -> None:
    """Remember what was placed.

    Raises:
        DataError, OutputError: a file that did not arrive whole, or a name that was taken.
    """
    told = list(zip(batch, outcomes, strict=True))
    pushed.copied += [item for item, outcome in told if outcome == "placed"]
    for item, outcome in told:
        if outcome == "damaged":
            raise DataError(
                f"{item.target} did not arrive on {host} as it is here",
                found="another content",
                fix="try again; if it happens again, its memory card may be damaged",
            )
        if outcome == "taken":
            raise OutputError(
                f"{item.target} on {host} was made by somebody else meanwhile",
                fix="the same command again looks at it",
            )


def _batches(items: Sequence[Item]) -> Iterator[list[Item]]:
    batch, size = list[Item](), 0
    for item in items:
        if batch and (len(batch) == _BATCH_FILES or size + item.size > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += item.size
    if batch:
        yield batch
