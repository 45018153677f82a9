"""How many arenas glibc opens for a crowd of threads, by its own account (malloc_info(3))."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest

CROWD = """
import ctypes, threading
from edge_effnet.camera.memory import share_arenas
{call}
libc = ctypes.CDLL(None)
together = threading.Barrier(8)
def allocate():
    together.wait()
    libc.malloc(4096)
    together.wait()
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def arenas(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CROWD.format(call=call)], capture_output=True, text=True, check=True
    )
    return done.stdout.count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="no glibc here")
def test_threads_share_two_arenas() -> None:
    assert arenas("") > 2
    assert arenas("share_arenas()") <= 2
