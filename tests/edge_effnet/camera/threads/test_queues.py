"""Handing over, rates and regions, with a clock that only moves when told."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge_effnet.camera.frames import Region, parse_region
from edge_effnet.camera.threads.queues import BoundedQueue, Limiter
from edge_effnet.errors import UsageProblem
from tests.edge_effnet.camera.conftest import FakeClock


def test_the_newest_item_wins_and_the_others_are_counted() -> None:
    box: BoundedQueue[int] = BoundedQueue(1)
    for number in range(5):
        box.put(number)
    assert box.take() == 4
    assert box.dropped == 4
    assert box.take(timeout_s=0) is None
    assert not box.finished


def test_a_waiting_queue_loses_nothing() -> None:
    box: BoundedQueue[int] = BoundedQueue(2, wait=True)

    def fill() -> None:
        for number in range(200):
            box.put(number)
        box.close()

    thread = threading.Thread(target=fill)
    thread.start()
    taken = []
    while (item := box.take()) is not None:
        taken.append(item)
    thread.join()
    assert taken == list(range(200))
    assert box.dropped == 0
    assert box.finished


def test_closing_frees_who_waits_to_put() -> None:
    box: BoundedQueue[int] = BoundedQueue(1, wait=True)
    box.put(1)
    thread = threading.Thread(target=box.put, args=(2,))
    thread.start()
    box.close(discard=True)
    thread.join(10)
    assert not thread.is_alive()
    assert box.take() is None
    box.put(3)
    assert box.take() is None


def test_a_slow_taker_on_a_steady_source_drops_the_right_number() -> None:
    """30 frames a second for 10 s, 70 ms for each answer, simulated."""
    box: BoundedQueue[float] = BoundedQueue(1)
    free_s, delays, put = 0.0, [], 0
    for number in range(300):
        now = number / 30
        while free_s <= now and (captured := box.take(0)) is not None:
            start = max(free_s, captured)
            free_s = start + 0.07
            delays.append(free_s - captured)
        box.put(now)
        put += 1
    left = box.take(0) is not None
    assert len(delays) + box.dropped + left == put
    assert len(delays) == pytest.approx(10 / 0.07, abs=2)
    assert max(delays) <= 0.07 + 1 / 30 + 1e-9  # never a queue


@pytest.mark.parametrize("fps", [2.0, 10.0])
def test_the_limiter_keeps_its_rate(fps: float) -> None:
    clock = FakeClock()
    limiter = Limiter(fps, clock=clock, wait=clock.wait)
    turns = []
    for _ in range(40):
        limiter.turn()
        turns.append(clock())
        clock.wait(0.01)
    assert np.allclose(np.diff(turns), 1 / fps)


def test_the_limiter_does_not_make_up_for_a_pause() -> None:
    clock = FakeClock()
    limiter = Limiter(10, clock=clock, wait=clock.wait)
    limiter.turn()
    clock.wait(60)
    turns = []
    for _ in range(10):
        limiter.turn()
        turns.append(clock())
    assert turns[-1] - turns[0] >= 0.8
    limiter.fps = None
    before = clock()
    limiter.turn()
    assert clock() == before


def test_a_camera_of_the_limits_own_rate_is_not_halved() -> None:
    clock = FakeClock()
    limiter = Limiter(10, clock=clock, wait=clock.wait)
    began = clock()
    for frame in range(50):
        due = began + frame * 0.1 + (0.004 if frame % 2 else 0)
        clock.now_s = max(clock.now_s, due)
        limiter.turn()
    assert clock() - began < 5.2


def test_regions() -> None:
    pixels = np.arange(10 * 20 * 3, dtype=np.uint16).astype(np.uint8).reshape(10, 20, 3)
    region = parse_region("0.25, 0.2, 0.5, 0.6")
    assert np.array_equal(region.cut(pixels), pixels[2:8, 5:15])
    assert np.array_equal(Region().cut(pixels), pixels)
    assert parse_region("0.99,0.99,0.001,0.001").cut(pixels).shape == (1, 1, 3)
    for bad in ("", "1,2,3", "0,0,2,1", "-0.1,0,1,1", "a,b,c,d", "0,0,0,1", "nan,0,1,1"):
        with pytest.raises(UsageProblem, match="--roi"):
            parse_region(bad)
