"""Freed memory goes back to the system."""

import ctypes

import pytest

from edge_effnet.measure.probe import status_bytes
from edge_effnet.system.memory import give_back_freed

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
