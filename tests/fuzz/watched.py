"""Damaged files read one after the other in a process that is watched."""

from __future__ import annotations

import collections
import importlib
import itertools
import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path

from edge_effnet.errors import EdgeEffnetError

AREAS = {
    "cards": "cards",
    "images": "images",
    "json": "json_files",
    "states": "states",
    "tflite": "tflite",
    "weights": "weights",
}
MOST_S, MOST_MIB = 5.0, 1024
MAKING_S = 60.0  # of the next damaged file, and of imports before the first


def serve(area: str, seed: int, skip: int, folder: str, out: Connection) -> None:
    """Read damaged files one after the other, and tell of each before and after."""
    damages = importlib.import_module(f"tests.fuzz.{AREAS[area]}").damages
    path = Path(folder) / "case"
    for number, (what, content, reads) in enumerate(itertools.islice(damages(seed), skip, None)):
        path.write_bytes(content)
        out.send(("begun", skip + number, what))
        try:
            reads(path)
            end = "read"
        except EdgeEffnetError:
            end = "refused"
        except Exception as error:
            end = f"broke: {type(error).__name__}: {error}"[:300]
        out.send(("done", end, _peak_mib()))


def _peak_mib() -> int:
    """Of this process; ``getrusage`` would tell that of the one that started it, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def run(area: str, seed: int, cases: int, kept: Path) -> collections.Counter[str]:
    """Read so many damaged files; counts by how it ended."""
    ends: collections.Counter[str] = collections.Counter()
    context, number = multiprocessing.get_context("spawn"), 0
    while number < cases:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            reader, writer = context.Pipe(duplex=False)
            worker = context.Process(target=serve, args=(area, seed, number, folder, writer))
            worker.start()
            writer.close()
            number = _watch(worker, reader, Path(folder) / "case", cases, number, ends, kept)
            worker.kill()
            worker.join()
    return ends


def _watch(
    worker: multiprocessing.process.BaseProcess,
    reader: Connection,
    case: Path,
    cases: int,
    number: int,
    ends: collections.Counter[str],
    kept: Path,
) -> int:
    """Follow one process until it breaks a promise or all is done; the next case's number."""
    what, first, reading = "the start", True, False
    while number < cases:
        try:
            answered = reader.poll(MOST_S if reading else MAKING_S)
            message = reader.recv() if answered else None
        except EOFError:
            worker.join(5)
            if first:
                raise SystemExit(f"reading {number} did not begin") from None
            _tell(f"died ({worker.exitcode})", number, what, case, ends, kept)
            return number + 1
        if message is None:
            _tell(f"no end within {MOST_S:g} s", number, what, case, ends, kept)
            return number + 1
        if message[0] == "begun":
            number, what, first, reading = message[1], message[2], False, True
            continue
        reading = False
        _, end, peak_mib = message
        if end not in ("read", "refused") or peak_mib > MOST_MIB:
            said = end if peak_mib <= MOST_MIB else f"took {peak_mib} MiB"
            _tell(said, number, what, case, ends, kept)
            return number + 1
        ends[end] += 1
        number += 1
    return number


def _tell(
    end: str, number: int, what: str, case: Path, ends: collections.Counter[str], kept: Path
) -> None:
    ends[end.partition(":")[0]] += 1
    kept.mkdir(parents=True, exist_ok=True)
    copy = kept / f"{number}"
    if case.exists():
        copy.write_bytes(case.read_bytes())
    print(f"{copy}: {what}: {end}", flush=True)
