"""A camera's capture against hostile cameras for as long as asked: does anything grow?

    python -m tests.fuzz.camera --seconds 7200

Capture runs here with short pauses, so that an hour holds what months bring; the server is another
process. Prints descriptors, threads and memory, and ends with 1 where they are not flat.
"""

from __future__ import annotations

import argparse
import collections
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from edge_effnet.camera.frames import Frame
from edge_effnet.camera.memory import keep_memory_flat
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.camera.threads.capture import Capture
from edge_effnet.camera.threads.queues import BoundedQueue

PACE = Pace(stall_s=1.5, first_pause_s=0.02, longest_pause_s=0.1)
CAMERAS = 4
COUNTED = ("captured", "reopened", "broken")
MOST_MORE_MIB, MOST_MIB = 64, 1024
SETTLING = 0.25
"""The share of the run after which nothing may grow: buffers and caches have their size then."""


@dataclass(frozen=True)
class Usage:
    """What this process holds."""

    seconds: float
    descriptors: int
    threads: int
    memory_mib: float


def usage(began_s: float) -> Usage:
    status = Path("/proc/self/status").read_text()
    resident_kib = int(status.partition("VmRSS:")[2].split()[0])
    return Usage(
        round(time.monotonic() - began_s),
        len(list(Path("/proc/self/fd").iterdir())),
        threading.active_count(),
        round(resident_kib / 1024, 1),
    )


def run(seconds: float, seed: int, address: str) -> bool:
    """Capture for so long; whether nothing grew and frames came to the end."""

    def reopen() -> FrameSource:
        return open_source(f"{address}/stream")

    keep_memory_flat()
    began_s, measured, said = time.monotonic(), list[Usage](), collections.Counter[str]()
    captures = []
    for _ in range(CAMERAS):
        frames: BoundedQueue[Frame] = BoundedQueue(1)
        source = open_source(f"{address}/good")
        captures.append(Capture(source, reopen, frames, PACE, lambda line: note(line, said)))
        captures[-1].start()
        threading.Thread(target=discard, args=(frames,), daemon=True).start()
    late = [0] * CAMERAS
    while (spent_s := time.monotonic() - began_s) < seconds:
        time.sleep(min(5.0, seconds / 20))
        measured.append(usage(began_s))
        if spent_s < seconds / 2:
            late = [one.captured for one in captures]
        if len(measured) % 12 == 1:
            print(measured[-1], f"{sum(one.reopened for one in captures)} reopened", flush=True)
    for capture in captures:
        capture.end()
    for line, count in said.most_common():
        print(f"{count:6}  {line[:150]}")
    total = {name: sum(getattr(one, name) for one in captures) for name in COUNTED}
    errors = [one.error for one in captures if one.error is not None]
    print(f"seed {seed}; {total}; errors: {errors}")
    alive = all(one.captured > before for one, before in zip(captures, late, strict=True))
    print(f"every camera gave frames in the second half: {alive}")
    return flat(measured) and alive and not errors


def note(line: str, said: collections.Counter[str]) -> None:
    said[line.partition("/stream")[2] or line] += 1


def flat(measured: list[Usage]) -> bool:
    """Whether the second half of the run, after settling, held no more than the first. Of memory
    the median counts: a large frame in work is a peak, wherever it falls."""
    rest = measured[int(len(measured) * SETTLING) :]
    early, later = rest[: len(rest) // 2], rest[len(rest) // 2 :]
    pairs = {
        name: tuple(measure(getattr(one, name) for one in part) for part in (early, later))
        for name, measure in (("descriptors", max), ("threads", max), ("memory_mib", median))
    }
    print(f"first and second half, largest or median: {pairs}")
    most_mib = max(one.memory_mib for one in rest)
    print(f"largest memory, while frames are decoded: {most_mib} MiB")
    grown = {name: later - early for name, (early, later) in pairs.items()}
    return (
        grown["descriptors"] <= 4
        and grown["threads"] <= 3
        and grown["memory_mib"] <= MOST_MORE_MIB
        and most_mib < MOST_MIB
    )


def discard(frames: BoundedQueue[Frame]) -> None:
    while frames.take() is not None:
        pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "tests.edge_effnet.camera.hostile", str(asked.seed)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        good = run(asked.seconds, asked.seed, server.stdout.readline().strip())
        server.terminate()
    print("kept" if good else "NOT kept")
    sys.exit(not good)


if __name__ == "__main__":
    main()
