"""Where glibc puts frames and threads, by its own account (malloc_info(3))."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys

import pytest

FRAMES = """
import ctypes
from edge_effnet.camera.memory import keep_memory_flat
{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(8 << 20))
frame = libc.malloc(6 << 20)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


CROWD = """
import ctypes, threading
from edge_effnet.camera.memory import keep_memory_flat
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


def told(script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout


def mapped_bytes(call: str) -> int:
    (size,) = re.findall(
        r'<total type="mmap" count="\d+" size="(\d+)"', told(FRAMES.format(call=call))
    )
    return int(size)


def arenas(call: str) -> int:
    return told(CROWD.format(call=call)).count("<heap nr=")


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="no glibc here")
def test_a_frame_after_a_freed_one_has_pages_of_its_own() -> None:
    assert mapped_bytes("") < 6 << 20
    assert mapped_bytes("keep_memory_flat()") >= 6 << 20


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="no glibc here")
def test_threads_share_two_arenas() -> None:
    assert arenas("") > 2
    assert arenas("keep_memory_flat()") <= 2
