"""Commands killed at random moments: is anything lost, and is the result the same in the end?

    python -m tests.fuzz.kills --command convert --times 30

Each command runs once undisturbed. Then it is started again and again in a folder of its own,
killed (SIGKILL) somewhere on its way, and run to its end. Every file must be whole at all times,
nothing temporary may stay, and the results must be those of the undisturbed run. Prints a line
for each kill that broke something, and ends with 1 where one did.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.kill_commands import COMMANDS, Killable

PATIENCE_S = 600.0


@dataclass
class Tally:
    """What came of the kills.

    Attributes:
        early: of ``kills``, those before anything was written.
        broken: what was found, in sentences.
    """

    kills: int = 0
    early: int = 0
    ended: int = 0
    broken: list[str] = field(default_factory=list)


def run(command: Killable, times: int, seed: int, work: Path) -> Tally:
    """Kill a command so many times; ``work`` is an empty folder."""
    dice, tally = random.Random(seed), Tally()
    command.prepare(work / "inputs")
    whole = _trial(work, "undisturbed", command)
    began = time.monotonic()
    _run(command.begin, whole)
    lasted = time.monotonic() - began
    expected = command.result(whole)
    for number in range(3 * times):  # of those meant to be killed some end before
        if tally.kills == times:
            break
        folder = _trial(work, f"{number}", command)
        before = _files(folder)
        after_s = lasted * dice.uniform(0.1, 1.0)
        killed = _killed(command.begin, folder, after_s)
        tally.kills += killed
        tally.ended += not killed
        tally.early += killed and _files(folder) == before
        try:
            command.check(folder)
            if killed and (arguments := command.go_on(folder)):
                _run(arguments, folder)
            _compare(expected, command.result(folder))
            _refuse_leftovers(folder)
        except Exception as error:
            tally.broken.append(f"kill {number} after {after_s:.2f} s: {error!r}"[:600])
        else:
            shutil.rmtree(folder)
    return tally


def _trial(work: Path, name: str, command: Killable) -> Path:
    folder = work / name
    (folder / "tmp").mkdir(parents=True)
    (folder / "inputs").symlink_to("../inputs")
    command.earlier(folder)
    return folder


def _process(arguments: Sequence[str], folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "edge_effnet", *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder / "tmp"), "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _run(arguments: Sequence[str], folder: Path) -> None:
    process = _process(arguments, folder)
    _, said = process.communicate(timeout=PATIENCE_S)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}: {said[-400:]}")


def _killed(arguments: Sequence[str], folder: Path, after_s: float) -> bool:
    """Whether it still ran: then it was killed, and the processes that it started were not."""
    process = _process(arguments, folder)
    assert process.stderr is not None
    try:
        process.wait(after_s)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    code = process.wait()
    process.stderr.close()
    if code not in (0, -signal.SIGKILL):
        raise RuntimeError(f"{' '.join(arguments)} ended with {code} by itself")
    return code != 0


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _compare(expected: dict[str, Any], found: dict[str, Any]) -> None:
    if other := list(_differences(expected, found, "")):
        raise AssertionError(f"other results: {'; '.join(other[:3])}")


def _differences(expected: Any, found: Any, place: str) -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in expected.keys() | found.keys():
            yield from _differences(expected.get(key), found.get(key), f"{place}/{key}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, pair in enumerate(zip(expected, found, strict=True)):
            yield from _differences(*pair, f"{place}/{number}")
    elif expected != found:
        yield f"{place}: {str(expected)[:60]} is {str(found)[:60]} now"


def _refuse_leftovers(folder: Path) -> None:
    left = [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if "edge-effnet-" in path.name and "inputs" not in path.parts
    ]
    if left:
        raise AssertionError(f"left behind: {left}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", choices=COMMANDS, action="append", dest="commands")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    broken = False
    for name in given.commands or COMMANDS:
        with tempfile.TemporaryDirectory(prefix="kills-") as work:
            tally = run(COMMANDS[name], given.times, given.seed, Path(work))
        broken = broken or bool(tally.broken)
        print(
            f"{name}: {tally.kills} killed, {tally.early} of them before anything was written, "
            f"{tally.ended} ended first; {len(tally.broken)} broken",
            flush=True,
        )
        for line in tally.broken:
            print(f"  {line}", flush=True)
    sys.exit(broken)


if __name__ == "__main__":
    main()
