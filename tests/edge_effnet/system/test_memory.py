"""Freed memory goes back to the system."""

import ctypes
import os
import subprocess
import sys

import pytest

from edge_effnet.measure.probe import status_bytes
from edge_effnet.system.memory import available_bytes, give_back_freed

_BLOCKS, _BYTES = 20_000, 4_000  # too small for glibc to map each by itself


@pytest.mark.skipif(
    not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="a C library without malloc_trim"
)
def test_what_was_freed_is_resident_no_longer() -> None:
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
    blocks = [libc.malloc(_BYTES) for _ in range(_BLOCKS)]
    for block in blocks:
        ctypes.memset(block, 1, _BYTES)
    for block in blocks[:-1]:  # the last one keeps the heap from shrinking by itself
        libc.free(block)
    before = status_bytes("VmRSS")
    give_back_freed()
    after = status_bytes("VmRSS")
    libc.free(blocks[-1])
    assert before is not None
    assert after is not None
    assert before - after > _BLOCKS * _BYTES // 2


_HELD_BY_A_SMALL_BLOCK = """
import ctypes
import os
import subprocess
import sys
from edge_effnet.measure.probe import status_bytes
from edge_effnet.system.memory import give_back_large_blocks

libc = ctypes.CDLL(None)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
libc.free(libc.malloc(30 << 20))  # glibc raises its limit to this, and keeps such blocks
if {asked}:
    give_back_large_blocks()
before = status_bytes("VmRSS")
large = libc.malloc(20 << 20)
ctypes.memset(large, 1, 20 << 20)
small = libc.malloc(1000)
libc.free(large)
print(status_bytes("VmRSS") - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="a C library without mallopt")
@pytest.mark.parametrize(("asked", "kept"), [(False, True), (True, False)])
def test_a_small_block_behind_a_large_one_does_not_keep_it(asked: bool, kept: bool) -> None:
    program = _HELD_BY_A_SMALL_BLOCK.format(asked=asked)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert (int(done.stdout) > 15 << 20) == kept


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
def test_what_is_left_is_part_of_all() -> None:
    free = available_bytes()
    assert free is not None
    assert 1 << 20 < free < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
