"""Which rows of a global batch, or of all images, each worker of a group computes."""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted


@dataclass(frozen=True)
class Share:
    """Rows ``start`` to ``stop`` (exclusive) of ``total``."""

    start: int
    stop: int
    total: int

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def rows(self) -> slice:
        return slice(self.start, self.stop)

    @property
    def part(self) -> float:
        """0 to 1."""
        return len(self) / self.total

    @property
    def is_all(self) -> bool:
        return len(self) == self.total


def share_of(total: int, index: int, count: int) -> Share:
    """The share of worker ``index`` of ``count``: the shares follow each other, cover everything,
    and differ by one row at most."""
    return Share(total * index // count, total * (index + 1) // count, total)


def refuse_idle_workers(batch_size: int, images: int, count: int) -> None:
    """Raise UsageProblem where a worker would have nothing to do.

    Args:
        images: that are learned from or validated on, the fewer of the two.
    """
    if images < count:
        raise UsageProblem(
            "there are more workers than images",
            found=f"{counted(images, 'image')} and {count} workers",
            fix="take fewer workers",
        )
    if batch_size < count:
        raise UsageProblem(
            "there are more workers than images per step",
            found=f"--batch-size {batch_size} and {count} workers",
            expected="at least one image per worker and step; 8 or more keep one busy",
            fix=f"give --batch-size {8 * count}, or take fewer workers",
        )
