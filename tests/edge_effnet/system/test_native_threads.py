"""A thread that is within OpenCV when the process ends does not abort it."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUSY = """
import atexit, cv2, numpy as np, sys, threading, time
from edge_effnet.system.native_threads import NativeThread, exit_process

def work():
    image = np.zeros((400, 400), np.uint8)
    while True:
        cv2.GaussianBlur(image, (31, 31), 5)

atexit.register(print, "at exit")
if sys.argv[1] == "busy":
    NativeThread(work, "busy").start()
    time.sleep(0.3)
print("done", end="; ")
exit_process(7)
"""


@pytest.mark.parametrize("state", ["busy", "idle"])
def test_the_process_ends_with_its_code_and_what_it_wrote(state: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BUSY, state], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (7, "done; at exit\n")
    assert done.stderr == ""
