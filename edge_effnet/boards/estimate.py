"""How long a network takes on a board: what was published, else an estimate that says so.

The estimate is one proportion: a network takes as long as MobileNetV2 took on that board, times
its multiply-adds, divided by MobileNetV2's. How far off that is: ``published.CHECKS``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.boards.published import Precision, Source, published, reference
from edge_effnet.boards.table import Board

# For networks without dense convolutions, the time of a check lay between these shares of what is
# estimated: tests hold ``published.CHECKS`` to it.
SHORTEST, LONGEST = 0.65, 1.6
EDGETPU_MEMORY_BYTES = 8e6

Kind = Literal["published", "estimate", "estimate at most"]


@dataclass(frozen=True)
class Latency:
    """Of one inference on all cores, without the preparation of the image.

    Attributes:
        kind: ``estimate at most`` for networks with dense convolutions, which were up to three
            times as fast as the proportion says.
        source: of the figure itself, or of the one it is estimated from.
    """

    latency_ms: float
    kind: Kind
    source: Source

    @property
    def longest_ms(self) -> float:
        """What it can be, with the estimate's error."""
        return self.latency_ms * (LONGEST if self.kind == "estimate" else 1.0)


def latency(
    board: Board, spec: VariantSpec, precision: Precision, total: Cost | None = None
) -> Latency | None:
    """The latency of a network on a board; None where nothing is known to tell it from.

    Args:
        total: of the network, where its head is another than ImageNet's.
    """
    total = total or cost(spec)
    if board.figures_of is None:
        return None
    if found := published(board.name, spec.name, precision):
        return Latency(found.latency_ms, "published", found.source)
    known = reference(board.figures_of, precision)
    if known is None or (board.accelerator and not _fits_edgetpu(spec, total)):
        return None
    estimated_ms = known.latency_ms * board.slower * total.macs / known.macs
    dense = any(stage.kind == "fused" for stage in spec.stages)
    return Latency(estimated_ms, "estimate at most" if dense else "estimate", known.source)


def _fits_edgetpu(spec: VariantSpec, total: Cost) -> bool:
    """Whether an Edge TPU keeps its weights, and all its operators are known to map there."""
    return spec.activation != "swish" and total.int8_bytes <= EDGETPU_MEMORY_BYTES
