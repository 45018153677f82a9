"""Where glibc puts a frame, by its own account (malloc_info(3))."""

from __future__ import annotations

import ctypes
import re
import subprocess
import sys

import pytest

FRAMES = """
import ctypes
from edge_effnet.camera.memory import map_frames_apart
{call}
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
libc.free(libc.malloc(8 << 20))
frame = libc.malloc(6 << 20)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def mapped_bytes(call: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", FRAMES.format(call=call)], capture_output=True, text=True, check=True
    )
    (size,) = re.findall(r'<total type="mmap" count="\d+" size="(\d+)"', done.stdout)
    return int(size)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="no glibc here")
def test_a_frame_after_a_freed_one_has_pages_of_its_own() -> None:
    assert mapped_bytes("") < 6 << 20
    assert mapped_bytes("map_frames_apart()") >= 6 << 20
