"""Fetch what a Pi collected: each photo whole, then under its name; what is here already, never
again."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.collected.lines import joined_lines
from benchmarks.collected.listing import Listing, Photo, list_collected, list_here
from benchmarks.collected.plan import Plan, plan_pull
from benchmarks.collected.record import read_record, write_record
from benchmarks.ssh.files import LinkLost, RemoteFiles, files_at
from benchmarks.ssh.places import Place
from benchmarks.ssh.running import is_stopping
from edge_effnet.camera.collecting.layout import LINES
from edge_effnet.errors import DataError, EdgeEffnetError, OutputError, cannot_write
from edge_effnet.files.limits import TEXT_BYTES
from edge_effnet.files.locks import locked
from edge_effnet.files.read import read_bytes
from edge_effnet.files.write import write_atomically
from edge_effnet.stages import StartStage

AT_A_TIME = 8


@dataclass
class Pulled:
    """What a pull did.

    Attributes:
        files, sizes: fetched photos and their bytes, by the folder they are in.
        gone: moved on the Pi, or changed, while it was read: they come the next time.
        lines: new ones in ``frames.jsonl``.
    """

    plan: Plan
    left: tuple[str, ...]
    files: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    gone: int = 0
    lines: int = 0


async def pull(place: Place, path: str, folder: Path, stage: StartStage) -> Pulled:
    """Fetch ``path`` on a Pi into ``folder``, which may hold photos already.

    Raises:
        EdgeEffnetError: whatever stands in the way; what was fetched until then is whole, and
            the same call goes on.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"{folder} is no folder", expected="a folder, or a free name", fix="choose another"
        )
    pulled: Pulled | None = None
    try:
        async with files_at(place.address) as remote:
            listed = stage("looking what is there", None)
            listing = await list_collected(remote, path)
            listed(1)
            with _held(folder):
                last = read_record(folder)
                plan = plan_pull(listing.photos, list_here(folder), last, folder)
                pulled = Pulled(plan, listing.left)
                await _carry_out(remote, path, listing, pulled, folder, last, stage)
            return pulled
    except LinkLost as lost:
        if is_stopping():  # nothing is here in part
            raise asyncio.CancelledError from lost
        count = sum(pulled.files.values()) if pulled else 0
        raise EdgeEffnetError(
            f"the link to {place.address.host} was lost",
            found=f"{count} of {len(pulled.plan.fetch) if pulled else 'some'} photos fetched, "
            "each of them whole",
            fix="the same command goes on where it stopped",
        ) from lost


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Keep a second pull out; a folder that nothing came into is removed again."""
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    try:
        with locked(folder):
            yield
    finally:
        if made and not any(folder.iterdir()):
            folder.rmdir()


async def _carry_out(
    remote: RemoteFiles,
    path: str,
    listing: Listing,
    pulled: Pulled,
    folder: Path,
    last: Mapping[str, Photo],
    stage: StartStage,
) -> None:
    plan = pulled.plan
    _refuse_full(folder, sum(photo.size for photo in plan.fetch))
    seen = {photo.name: photo for photo in (*plan.here, *plan.taken_away)}
    seen |= {photo.name: photo for _, photo in plan.both}
    try:
        for ours, photo in plan.move:
            _move(folder, ours, photo.path)
            seen[photo.name] = photo
        fetched = stage("fetching photos", len(plan.fetch)) if plan.fetch else None
        waiting = iter(plan.fetch)

        async def worker() -> None:
            for photo in waiting:
                if await _fetch(remote, f"{path}/{photo.path}", photo, folder):
                    seen[photo.name] = photo
                    pulled.files[photo.path.rpartition("/")[0]] += 1
                    pulled.sizes[photo.path.rpartition("/")[0]] += photo.size
                else:
                    pulled.gone += 1
                if fetched is not None:
                    fetched(sum(pulled.files.values()) + pulled.gone)

        workers = [asyncio.ensure_future(worker()) for _ in range(AT_A_TIME)]
        try:
            await asyncio.gather(*workers)
        finally:
            for one in workers:
                one.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
        if listing.line_bytes is not None:
            pulled.lines = await _join_lines(remote, path, folder)
    finally:
        if seen:
            write_record(folder, {**last, **seen}.values())


async def _fetch(remote: RemoteFiles, path: str, photo: Photo, folder: Path) -> bool:
    """Whether the photo is here; not where it is gone or another one meanwhile."""
    content = await remote.read(path, photo.size + 1)
    if content is None or len(content) != photo.size:
        return False
    write_atomically(folder / photo.path, content)
    return True


async def _join_lines(remote: RemoteFiles, path: str, folder: Path) -> int:
    theirs = await remote.read(f"{path}/{LINES}", TEXT_BYTES.value + 1) or b""
    TEXT_BYTES.check(len(theirs), f"{path}/{LINES} on {remote.host}", DataError, what="has")
    target = folder / LINES
    ours = read_bytes(target, TEXT_BYTES) if target.exists() else b""
    text, new = joined_lines(ours, theirs)
    if new:
        write_atomically(target, text, overwrite=True)
    return new


def _move(folder: Path, ours: str, theirs: str) -> None:
    """A photo here goes where the Pi has it; the folder of a class that is empty then, goes."""
    source, target = folder / ours, folder / theirs
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)  # the name is free: it was found once
        if not any(source.parent.iterdir()):
            source.parent.rmdir()
    except OSError as error:
        raise cannot_write(target, error) from error


def _refuse_full(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{folder} has no room for {needed / 1e6:.0f} MB of photos",
            found=f"{free / 1e6:.0f} MB free",
            fix="make room, or choose a folder on another disk",
        )
