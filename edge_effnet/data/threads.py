"""Work on threads, in order, while OpenCV leaves the cores alone."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import cv2

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def ahead(
    work: Callable[[_Task], _Result],
    tasks: Iterable[_Task],
    workers: int,
    *,
    per_worker: int = 1,
) -> Generator[_Result, None, None]:
    """``map`` on threads, in order, a few results ahead of who asks.

    An error of ``work`` is raised where its result would have come. Leaving the loop early
    drops what has not begun.

    Args:
        per_worker: tasks begun or waiting; more keep workers busy where tasks differ in length.
    """
    waiting: deque[Future[_Result]] = deque()
    with _opencv_alone(), ThreadPoolExecutor(workers, thread_name_prefix="images") as pool:
        try:
            for task in tasks:
                waiting.append(pool.submit(work, task))
                if len(waiting) > per_worker * workers + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


_opencv_users = 0
_opencv_lock = threading.Lock()
_opencv_threads = 1


@contextmanager
def _opencv_alone() -> Iterator[None]:
    """One OpenCV thread per worker: the cores are busy already. Blocks may overlap."""
    global _opencv_users, _opencv_threads
    with _opencv_lock:
        if _opencv_users == 0:
            _opencv_threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _opencv_users += 1
    try:
        yield
    finally:
        with _opencv_lock:
            _opencv_users -= 1
            if _opencv_users == 0:
                cv2.setNumThreads(_opencv_threads)
