"""``--device NAME@HOST``: from a spec here to a result from there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.devices import Fetched
from benchmarks.devices.pi.answers import End, Line, Refusal, checked
from benchmarks.devices.pi.board import Board, Content, board_at
from benchmarks.devices.pi.job import Job, make_job, read_result
from benchmarks.devices.pi.needs import needs
from benchmarks.devices.pi.package import build_package
from benchmarks.devices.pi.wheels import wheel_files
from benchmarks.spec import BenchSpec
from benchmarks.ssh.connect import Address, device_name, parse_address, require_asyncssh
from benchmarks.ssh.files import LinkLost
from edge_effnet import __version__
from edge_effnet.errors import DataError, EdgeEffnetError
from edge_effnet.files.json_text import parse_json
from edge_effnet.runtime.crash import RuntimeDied, signal_name
from edge_effnet.stages import StartStage

STOP_SECONDS = 20


async def measure(spec: BenchSpec, address: str, stage: StartStage) -> Fetched:
    """Measure on the Pi at ``address``. The result stays there until it is released.

    Raises:
        EdgeEffnetError: whatever stands in the way, and a link that was lost while the Pi goes
            on: then ``attach`` has the result later.
    """
    parsed = parse_address(address)
    require_asyncssh()
    wheels = wheel_files(spec.wheels)  # refused before anything takes its time
    job, package = make_job(spec), build_package()
    started = False
    try:
        async with board_at(parsed) as board:
            await _start(board, job, wheels, package, stage)
            started = True
            try:
                return await fetch(board, job.id, address, stage)
            # Ctrl-C, wherever it finds this task: nobody waits for the measurement any more.
            except (asyncio.CancelledError, KeyboardInterrupt):
                with suppress(LinkLost, TimeoutError):
                    async with asyncio.timeout(STOP_SECONDS):
                        await board.ask("forget", id=job.id)
                raise
    except LinkLost as lost:
        raise _lost(parsed, address, at_work=started) from lost


async def attach(address: str, stage: StartStage) -> Fetched:
    """Wait for, and fetch, the newest measurement on the Pi that nobody has fetched.

    Raises:
        EdgeEffnetError: there is none, or as ``measure``.
    """
    parsed = parse_address(address)
    try:
        async with board_at(parsed) as board:
            waiting = await board.ask("jobs")
            if not waiting:
                raise DataError(
                    f"no measurement waits on {parsed.host}",
                    fix=f"start one: edge-effnet bench MODEL --device {device_name(address)}",
                )
            return await fetch(board, waiting[-1], address, stage)
    except LinkLost as lost:
        raise _lost(parsed, address, at_work=True) from lost


async def release(address: str, job_id: str) -> None:
    """Remove a measurement that was fetched from the Pi.

    Raises:
        EdgeEffnetError: the Pi is not to be reached; it stays there.
    """
    parsed = parse_address(address)
    try:
        async with board_at(parsed) as board:
            await board.ask("forget", id=job_id)
    except (EdgeEffnetError, LinkLost) as error:
        raise EdgeEffnetError(
            f"the result was fetched and saved, and stays on {parsed.host} too",
            found="the link was lost" if isinstance(error, LinkLost) else error.what,
            fix=f"remove it later: edge-effnet bench --device {device_name(address)} --clean",
        ) from error


async def clean(address: str) -> str:
    """Remove everything that was ever put on the Pi; running measurements are stopped.

    Returns:
        What was done, in words.
    """
    parsed = parse_address(address)
    try:
        async with board_at(parsed) as board:
            freed = await board.ask("clean")
    except LinkLost as lost:
        raise _lost(parsed, address, at_work=False) from lost
    return f"removed {freed / 1e6:.1f} MB from {parsed.host}"


async def _start(
    board: Board, job: Job, wheels: Mapping[Path, str], package: bytes, stage: StartStage
) -> None:
    """Copy what is not there, have an environment found or built, and set the job off."""
    key = hashlib.sha256(package).hexdigest()
    files: dict[str, Content] = {**job.contents, key: package, **_by_hash(wheels)}
    missing = await board.missing(files)
    if missing:
        copied = stage("copying files", len(missing))
        await board.send({key: files[key] for key in missing}, copied)
    else:
        stage("nothing to copy", None)(1)
    building: list[Callable[[int], None]] = []
    ready = await board.ask(
        "environment",
        lambda line: building.append(stage(line.get("say", "preparing"), None)),
        version=__version__,
        package=key,
        wheels={path.name: key for path, key in wheels.items()},
        **needs(board),
    )
    for built in building:
        built(1)
    document = job.to_json(
        version=__version__,
        modules=list(needs(board)["modules"]),
        python=ready["python"],
        package=ready["package"],
    )
    await board.make_folder(f"jobs/{job.id}")
    await board.write(f"jobs/{job.id}/job.json", json.dumps(document).encode())
    await board.ask("start", id=job.id)


async def fetch(board: Board, job_id: str, address: str, stage: StartStage) -> Fetched:
    """Show a job's progress until it ends and take its result; one that has none is removed."""
    current: Callable[[int], None] = lambda _count: None  # noqa: E731

    def show(line: Line) -> None:
        nonlocal current
        told = line.get("progress", {})
        if "stage" in told:
            current = stage(told["stage"], told.get("steps"))
        elif "done" in told:
            current(told["done"])

    end = await board.ask("follow", show, id=job_id)
    folder = f"jobs/{job_id}"
    device = device_name(address)
    job, result, error = [
        _parsed(await board.read(f"{folder}/{name}.json"), device, name)
        for name in ("job", "result", "error")
    ]
    if result is None:
        await board.ask("forget", id=job_id)
        raise _failure(
            board, end, None if error is None else checked(error, Refusal, board.address.host)
        )
    return Fetched(read_result(result, job, device), partial(release, address, job_id))


def _parsed(content: bytes | None, device: str, name: str) -> Any:
    """A JSON file of the Pi; None where it has none.

    Raises:
        DataError: it is damaged; it stays where it is.
    """
    if content is None:
        return None
    try:
        return parse_json(content)
    except ValueError as error:
        raise DataError(
            f"{name}.json of the measurement on {device} is damaged",
            found=str(error)[:120],
            fix="look at it in ~/.cache/edge-effnet/jobs there, or remove it with --clean",
        ) from error


def _failure(board: Board, end: End, error: Refusal | None) -> EdgeEffnetError:
    host, code = board.address.host, end["code"]
    if error is not None:
        return EdgeEffnetError(
            f"on {host}: {error['what']}",
            found=error["found"],
            expected=error.get("expected"),
            fix=error["fix"],
        )
    if code is None or -code == signal.SIGKILL:
        return EdgeEffnetError(
            f"the measurement on {host} was killed",
            found="no result",
            fix="if its memory was too small (dmesg tells), take a smaller network; measure again",
        )
    if code < 0:
        return RuntimeDied(signal_name(-code), board.cpu, end.get("died") or "unknown")
    return EdgeEffnetError(
        f"the measurement on {host} failed",
        found=(end["log"] or [f"exit code {code}"])[-1][:300],
        fix="remove what earlier runs left there, and measure again: --clean",
    )


def _by_hash(files: Mapping[Path, str]) -> dict[str, Content]:
    return {key: path for path, key in files.items()}


def _lost(parsed: Address, address: str, *, at_work: bool) -> EdgeEffnetError:
    return EdgeEffnetError(
        f"the link to {parsed.host} was lost",
        found="the measurement goes on there" if at_work else "no measurement was started",
        fix=f"edge-effnet bench --device {device_name(address)} --attach fetches it"
        if at_work
        else "measure again",
    )
