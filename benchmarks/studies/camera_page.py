"""What the page, a viewer and collecting cost the camera, each against the camera alone.

    python -m benchmarks.studies.camera_page signs.tflite clip.mp4

The installed command runs on the looped clip, with each of the ways below in turn, so that a
machine that changes its speed does so for all. A way's ratio is its rate over that of the camera
alone in the same round. Every frame is answered, as fast as it goes or ``--fps`` times a second,
like a camera's. The viewer asks for what the page asks for, as often, and holds the first class.
Photos are kept twice in a second of the clip, so that without ``--fps`` they are many more than of
a camera. The bar: 0.95 at a rate that cameras have.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

import click

from benchmarks.studies.cli import run_study
from edge_effnet.errors import EdgeEffnetError

STATE_EVERY_S = 0.25
"""As ``assets/camera/page.js`` asks."""
START_S = 2.0
"""For imports and the first frames, which are no part of the CPU time."""


@dataclass(frozen=True)
class Way:
    """A way to run the camera."""

    name: str
    page: bool = False
    viewer: bool = False
    collect: bool = False


WAYS = (
    Way("camera alone"),
    Way("page", page=True),
    Way("page, viewer, class held", page=True, viewer=True),
    Way("the same, --collect", page=True, viewer=True, collect=True),
)


@dataclass(frozen=True)
class Cost:
    """Of one run: frames answered in a second, and milliseconds of CPU for each, without those
    of the start."""

    fps: float
    cpu_ms: float


def run_once(way: Way, model: Path, clip: Path, seconds: float, fps: float | None) -> Cost:
    """Run the camera for a while.

    Raises:
        EdgeEffnetError: it ended with an error.
    """
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder) / "run.json"
        words = [sys.executable, "-m", "edge_effnet", "camera", model, "--source", clip, "--loop"]
        words += ["--every-frame", "--json", document, *(["--fps", fps] if fps else [])]
        words += ["--serve", "127.0.0.1:0"] if way.page else ["--quiet"]
        words += ["--collect", f"{folder}/kept"] if way.collect else []
        process = subprocess.Popen(
            list(map(str, words)),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            with _viewer(process if way.viewer else None):
                time.sleep(START_S)
                began_s = _cpu_s(process.pid)
                time.sleep(seconds)
                used_s = _cpu_s(process.pid) - began_s
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        if process.returncode not in (0, 130) or not document.exists():
            raise EdgeEffnetError(
                "the camera failed", found=said.strip()[-200:], fix="run it by hand"
            )
        run = json.loads(document.read_text())
    fps_found = run["answered"] / run["seconds"]
    return Cost(fps_found, 1e3 * used_s / seconds / fps_found)


def _cpu_s(process: int) -> float:
    """Seconds of CPU that a process has taken; fields 14 and 15 of proc_pid_stat(5)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _viewer(process: subprocess.Popen[str] | None) -> Iterator[None]:
    """Look at the page of a camera; with None nobody looks."""
    if process is None or process.stderr is None:
        yield
        return
    lines = iter(process.stderr.readline, "")
    address = next((found[1] for line in lines if (found := re.search(r"http://(\S+)/", line))), "")
    over = threading.Event()

    def images() -> None:
        connection, after = HTTPConnection(address), "0"
        while not over.is_set():
            connection.request("GET", f"/picture.jpg?after={after}")
            reply = connection.getresponse()
            after = reply.headers.get("X-Picture", after)
            reply.read()

    def figures() -> None:
        connection = HTTPConnection(address)
        while not over.wait(STATE_EVERY_S):
            connection.request("GET", "/state.json")
            connection.getresponse().read()

    connection = HTTPConnection(address)
    connection.request("GET", "/labels.json")
    order = {"do": "hold", "label": json.load(connection.getresponse())[0]}
    headers = {"Content-Type": "application/json", "Origin": f"http://{address}"}
    connection.request("POST", "/truth", json.dumps(order), headers)
    connection.getresponse().read()
    threads = [threading.Thread(target=one, daemon=True) for one in (images, figures)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("clip", type=click.Path(path_type=Path))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1))
@click.option("--seconds", default=8.0, show_default=True, help="Of each run.")
@click.option("--fps", type=float, help="Frames a second, like a camera.")
def main(model: Path, clip: Path, rounds: int, seconds: float, fps: float | None) -> None:
    """Measure what the page costs MODEL on CLIP."""
    found: dict[str, list[Cost]] = {way.name: [] for way in WAYS}
    for turn in range(rounds):
        for way in WAYS[turn % len(WAYS) :] + WAYS[: turn % len(WAYS)]:
            found[way.name].append(run_once(way, model, clip, seconds, fps))
    alone = found[WAYS[0].name]
    for name, costs in found.items():
        ratios = [one.fps / base.fps for one, base in zip(costs, alone, strict=True)]
        click.echo(
            f"{name:26} {median(one.fps for one in costs):7.1f} frames/s  "
            f"{median(one.cpu_ms for one in costs):6.2f} ms of CPU a frame  "
            f"ratio {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"
        )


if __name__ == "__main__":
    run_study(main)
