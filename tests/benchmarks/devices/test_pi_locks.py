"""A file that is locked says that a process of the Pi lives; looking at it changes nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path

from benchmarks.devices.pi.agent.cache import is_locked, lock


def test_a_lock_is_seen_from_another_process(tmp_path: Path) -> None:
    file = tmp_path / "alive"
    look = f"from pathlib import Path; from {is_locked.__module__} import is_locked"
    looks = [sys.executable, "-c", f"{look}; print(is_locked(Path({str(file)!r})))"]
    held = lock(file, wait=False)
    assert held is not None
    assert subprocess.check_output(looks, text=True).strip() == "True"
    held.close()
    assert subprocess.check_output(looks, text=True).strip() == "False"


def test_who_looks_while_a_folder_is_removed_does_not_bring_it_back(tmp_path: Path) -> None:
    """Ctrl-C removes a measurement while another process of the Pi still follows it."""
    folder, over = tmp_path / "job", threading.Event()

    def look() -> None:
        while not over.is_set():
            is_locked(folder / "alive")

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for _ in range(300):
            folder.mkdir()
            (folder / "alive").touch()
            shutil.rmtree(folder)
    finally:
        over.set()
        looking.join()
