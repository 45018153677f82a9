"""What the workers of a group tell each other. Alone, every answer is one's own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from edge_effnet.data.image_sources import ImageSource, Subset
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.training.cluster.shares import Share, share_of

T = TypeVar("T")


class Group:
    """Workers that train one network. This class is the group of one; ``training.steps.step`` has
    the one of many, which overrides the three methods below.

    What a method of a group is asked, all workers ask in the same order.
    """

    index: ClassVar[int] = 0
    count: ClassVar[int] = 1

    def sum(self, values: NDArray[Any]) -> NDArray[Any]:
        """The element-wise sum over all workers; float32 stays, anything else becomes float64.

        Args:
            values: of one shape on all workers.

        Raises:
            WorkerLost: a worker no longer answers.
        """
        return values

    def run(self, function: Callable[[], T]) -> T:
        """Call a function that uses ``reduce``."""
        return function()

    def reduce(self, tensors: Sequence[Any]) -> list[Any]:
        """Tensors summed over all workers; only within ``run``."""
        return list(tensors)

    @property
    def is_chief(self) -> bool:
        return self.index == 0

    def share(self, total: int) -> Share:
        return share_of(total, self.index, self.count)

    def subset(self, source: ImageSource) -> ImageSource:
        """This worker's images of a source."""
        share = self.share(len(source))
        return source if share.is_all else Subset(source, np.arange(share.start, share.stop))

    def gather(self, rows: NDArray[Any], total: int) -> NDArray[Any]:
        """The rows of all workers in their order.

        Args:
            rows: of this worker's share of ``total``; numbers, the same shape behind the first
                axis on all workers.
        """
        if self.count == 1:
            return rows
        everything = np.zeros((total, *rows.shape[1:]), rows.dtype)
        everything[self.share(total).rows] = rows
        return self.sum(everything).astype(rows.dtype)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set on any worker."""
        return flag if self.count == 1 else bool(self.sum(np.array([float(flag)]))[0])

    def texts(self, text: str) -> list[str]:
        """The texts of all workers, by index."""
        if self.count == 1:
            return [text]
        content = np.frombuffer(text.encode(), np.uint8)
        lengths = np.zeros(self.count)
        lengths[self.index] = len(content)
        sizes = self.sum(lengths).astype(int)
        letters = np.zeros((self.count, max(1, sizes.max())))
        letters[self.index, : len(content)] = content
        rows = self.sum(letters).astype(np.uint8)
        return [row[:size].tobytes().decode() for row, size in zip(rows, sizes, strict=True)]

    def from_chief(self, value: NDArray[Any]) -> NDArray[Any]:
        """The chief's array, whose shape and type those of all others are."""
        if self.count == 1:
            return value
        return self.sum(value if self.is_chief else np.zeros_like(value)).astype(value.dtype)

    def together(self, function: Callable[[], T], *, chief_first: bool = False) -> T:
        """Call a function on all workers; where it fails on one of them, all fail alike.

        Args:
            chief_first: the others wait for the chief, because what it does leaves something for
                them, such as a download.

        Raises:
            EdgeEffnetError: this worker's own, or the first of another one, named.
        """
        if self.count == 1:
            return function()
        if chief_first:
            first = self.together(function if self.is_chief else _nothing)
            rest = self.together(_nothing if self.is_chief else function)
            return cast("T", first if self.is_chief else rest)
        own: EdgeEffnetError | None = None
        try:
            result = function()
        except EdgeEffnetError as error:
            own = error
        failed = self.texts("" if own is None else f"{socket.gethostname()}\n{own}")
        if own is not None and all(text.endswith(f"\n{own}") for text in failed):
            raise own  # the same everywhere
        for index, text in enumerate(failed):
            if text:
                host, _, line = text.partition("\n")
                raise FailedOnWorker(f"{worker_name(index, host)}: {line}")
        return result


class FailedOnWorker(EdgeEffnetError):
    """What one worker of a group met, as all of them say it."""

    def __init__(self, line: str) -> None:
        what, _, fix = line.partition("; to fix: ")
        super().__init__(what, fix=fix or "look at the log of that worker")


class WorkerLost(EdgeEffnetError):
    """A worker of the group no longer answers."""


ALONE = Group()


def worker_name(index: int, host: str) -> str:
    return f"worker {index} on {host}" + (" (the chief)" if index == 0 else "")


def _nothing() -> Any:
    return None
