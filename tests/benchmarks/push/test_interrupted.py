"""Ctrl-C ends a push soon, in one line that is true, and its unfinished files are removed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from edge_effnet.ui.stop import SAME_REQUEST_S
from tests.benchmarks.ssh.server import Files, running_pi


class Slow(Files):
    """Takes its time for a photo; tells when the first one comes."""

    photo_came: ClassVar[threading.Event] = threading.Event()

    async def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        if b"PNG" in data[:8]:
            Slow.photo_came.set()
            await self.wait()
        return super().write(file_obj, offset, data)

    async def wait(self) -> None:
        await asyncio.sleep(0.2)


class Silent(Slow):
    """Answers nothing any more once a photo comes."""

    async def wait(self) -> None:
        await asyncio.sleep(3600)

    async def remove(self, path: bytes) -> Any:
        await self.wait()
        return super().remove(path)


@contextmanager
def pushing(
    files: type[Slow], home: Path, user_home: Path, folder: Path
) -> Iterator[subprocess.Popen[str]]:
    """The command, in a process of its own, that is copying photos."""
    Slow.photo_came.clear()
    with running_pi(home, user_home, files=files, variables={}):
        command = [sys.executable, "-m", "edge_effnet", "push", "anna@pi4", str(folder)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert Slow.photo_came.wait(60)
                yield process
            finally:
                process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_ctrl_c_ends_it_and_removes_what_is_unfinished(
    number: signal.Signals, home: Path, user_home: Path, colour_folder: Path
) -> None:
    with pushing(Slow, home, user_home, colour_folder) as process:
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        first, *_, last = err.splitlines()
        assert (first[:23], last) == (
            "checking and listing: 0",
            "interrupted; 0 of 30 files copied, each of them whole; "
            "the same command goes on where it stopped",
        )
        assert "Traceback" not in err
        assert not [path for path in (home / "images").rglob("*") if path.is_file()]


# The server of this test never comes to close them.
@pytest.mark.filterwarnings("ignore:.*FileIO:pytest.PytestUnraisableExceptionWarning")
def test_a_pi_that_answers_no_more_keeps_them_and_the_line_says_so(
    home: Path, user_home: Path, colour_folder: Path
) -> None:
    with pushing(Silent, home, user_home, colour_folder) as process:
        process.send_signal(signal.SIGINT)
        time.sleep(SAME_REQUEST_S)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.splitlines()[-1] == (
            "interrupted; 0 of 30 files copied, each of them whole; pi4 did not answer in time, so "
            "that files named .….part may be left there, which the next push of the same files "
            "removes"
        )
        assert "Traceback" not in err
        assert list((home / "images").rglob(".*.part"))
