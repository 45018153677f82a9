"""Ctrl-C ends a deploy and a pull soon, and nothing that is half-written stays."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

from tests.benchmarks.ssh.server import Files, running_pi
from tests.edge_effnet.conftest import MakeModel


class Slow(Files):
    """Takes its time for what is asked; tells when it is asked first."""

    asked: ClassVar[threading.Event] = threading.Event()

    async def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        Slow.asked.set()
        await asyncio.sleep(0.2)
        return super().write(file_obj, offset, data)

    async def read(self, file_obj: Any, offset: int, size: int) -> Any:
        Slow.asked.set()
        await asyncio.sleep(0.2)
        return super().read(file_obj, offset, size)


def interrupted(home: Path, user_home: Path, *arguments: object) -> str:
    """Run a command, interrupt it once it moves bytes, and return its last line."""
    Slow.asked.clear()
    with running_pi(home, user_home, files=Slow):
        command = [sys.executable, "-m", "edge_effnet", *map(str, arguments)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert Slow.asked.wait(60)
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=30)
            finally:
                process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    return err.splitlines()[-1]


def test_a_deploy_leaves_no_part(tmp_path: Path, user_home: Path, colour_model: MakeModel) -> None:
    home = tmp_path / "pi"
    home.mkdir()
    line = interrupted(home, user_home, "deploy", colour_model(), "pi@pi4")
    assert line == "interrupted; nothing half-written was left behind"
    assert not list(home.iterdir())


def test_a_pull_keeps_whole_photos(tmp_path: Path, user_home: Path) -> None:
    photos = tmp_path / "pi/kept/photos/stop"
    photos.mkdir(parents=True)
    for number in range(30):
        (photos / f"{number}.jpg").write_bytes(b"\xff\xd8" + bytes(20_000))
    line = interrupted(tmp_path / "pi", user_home, "collect", "pull", "pi@pi4:kept")
    assert line == "interrupted; nothing half-written was left behind"
    assert all(path.stat().st_size == 20_002 for path in Path("kept").rglob("*.jpg"))
