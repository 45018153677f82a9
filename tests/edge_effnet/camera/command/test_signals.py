"""Ctrl-C and a kill end the command wherever a hostile camera holds it, in seconds."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.edge_effnet.camera.conftest import wait_for
from tests.edge_effnet.camera.hostile import (
    GOOD,
    SCRIPTS,
    STREAM,
    Script,
    hostile_camera,
    many_scans,
    part,
)
from tests.edge_effnet.conftest import MakeModel

SLOW_PART = part(many_scans(5000, 5000, 5))
PLACES: dict[str, tuple[Callable[[], Script], int]] = {
    "waits for headers": (lambda: iter([60.0]), 130),
    "headers drip": (SCRIPTS["dripping headers"], 130),
    "FFmpeg looks for a video": (SCRIPTS["a video that drips"], 130),
    "a frame drips": (SCRIPTS["stream drips"], 0),
    "frames are slow to decode": (
        lambda: itertools.chain([STREAM, part(GOOD)], itertools.repeat(SLOW_PART)),
        0,
    ),
}
"""What holds the command, and how it ends: without a frame there is nothing to sum up."""


def ended(name: str, model: Path, number: signal.Signals) -> tuple[bool, str]:
    """Start the command, stop it while it is held, and tell whether it ended as it should."""
    script, expected = PLACES[name]
    asked: list[str] = []

    def choose(head: str) -> Script:
        asked.append(head)
        return script()

    with hostile_camera(choose) as address:
        command = [sys.executable, "-m", "edge_effnet", "camera", "--model", str(model)]
        with subprocess.Popen(
            [*command, "--source", f"{address}/x"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            wait_for(lambda: len(asked) > ("FFmpeg" in name), 60)
            time.sleep(1.0)
            began_s = time.monotonic()
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
            quick = time.monotonic() - began_s < 9  # FFmpeg and headers have ten seconds
        return quick and process.returncode == expected and "Traceback" not in err, err


def test_signals_end_the_command(colour_model: MakeModel) -> None:
    model = colour_model()
    numbers = [signal.SIGTERM, signal.SIGINT]
    cases = list(zip(PLACES, itertools.cycle(numbers), strict=False))
    with ThreadPoolExecutor(2) as together:
        results = list(together.map(lambda case: ended(case[0], model, case[1]), cases))
    assert [(case, err) for case, (good, err) in zip(cases, results, strict=True) if not good] == []
