"""Which network to take for a board, and why: for ``variants --for`` and whatever asks for a base.

Only networks that anyone can have: ImageNet weights in a package, and operators that both CPUs
and the Edge TPU run in int8.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.architecture.cost import Cost
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.estimate import LONGEST, Latency, latency
from edge_effnet.boards.table import Board
from edge_effnet.boards.taught import taught_cost

CANDIDATES = ("lite0", "lite1", "lite2")
DEFAULT_BASE = "lite0"  # what ``teach`` begins with by itself
DEFAULT_FPS = 10.0
_CLASSES = 10


@dataclass(frozen=True)
class Recommendation:
    """A network for a board.

    Attributes:
        variant: a name of ``VARIANTS``, also of the network to teach.
        latency: of its int8 file with a taught last layer; None where nothing tells it.
        reason: one sentence or two, without the last full stop.
        base: the command that makes its int8 file; None where ``teach`` finds it by itself.
    """

    board: Board
    variant: str
    latency: Latency | None
    reason: str
    base: str | None

    @property
    def fps(self) -> float | None:
        """Answers a second, were the camera's own work free."""
        return 1000 / self.latency.latency_ms if self.latency else None


def recommend(board: Board, fps: float = DEFAULT_FPS) -> Recommendation:
    """The most accurate of ``CANDIDATES`` that answers so many times a second on a board, even if
    its latency is as long as the estimate's error allows.

    Args:
        fps: answers a second that are wanted, above 0.
    """
    timed = {name: latency(board, VARIANTS[name], "int8", _taught(name)) for name in CANDIDATES}
    known = {name: found for name, found in timed.items() if found is not None}
    if not known:
        reason = (
            "no latency is known for this CPU, and this is the smallest: measure it with "
            "edge-effnet bench, and take a larger one where there is time left"
        )
        return Recommendation(board, DEFAULT_BASE, None, reason, _base(DEFAULT_BASE, board))
    fast = [name for name, found in known.items() if found.longest_ms <= 1000 / fps]
    chosen = max(fast or [min(known, key=lambda name: known[name].latency_ms)], key=_int8_top1)
    if fast:
        reason = (
            f"the most accurate of {', '.join(CANDIDATES)} that is fast enough for {fps:g} answers "
            f"a second, also if it takes {LONGEST:g} times as long as estimated. Published for its "
            f"int8 file: {_int8_top1(chosen)} % top-1 on ImageNet, not on your photos"
        )
    else:
        reason = (
            f"the fastest of {', '.join(CANDIDATES)}; that it answers {fps:g} times a second is "
            "not sure"
        )
    return Recommendation(board, chosen, known[chosen], reason, _base(chosen, board))


def _taught(name: str) -> Cost:
    return taught_cost(VARIANTS[name], _CLASSES)


def _int8_top1(name: str) -> float:
    found = VARIANTS[name].published
    return (found.int8_top1 or 0.0) if found else 0.0


def _base(variant: str, board: Board) -> str | None:
    if board.accelerator:
        return (
            f"edge-effnet convert --variant {variant} --edgetpu --teachable --calibration photos/"
        )
    if variant == DEFAULT_BASE:
        return None
    return f"edge-effnet convert --variant {variant} --int8 --calibration photos/"
