"""The network that a board is to run, and the files of ImageNet that are taught."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_effnet.boards.estimate import Latency
from edge_effnet.boards.recommend import DEFAULT_BASE, Recommendation, recommend
from edge_effnet.boards.table import Board
from edge_effnet.stages import StartStage
from edge_effnet.teaching.base import Kind, base_of, can_find_base, find_base


@dataclass(frozen=True)
class Network:
    """What is taught for a board.

    Attributes:
        recommended: for the board.
        variant: of the files: the recommended one, or the one that can be had here.
        small: its int8 file; for an Edge TPU the one whose last layer computes in float.
        reference: its float file; None where it can neither be found nor converted here.
    """

    recommended: Recommendation
    variant: str
    small: Path
    reference: Path | None

    @property
    def latency(self) -> Latency | None:
        """On the board, in int8; None where nothing is known, or of the other network alone."""
        same = self.variant == self.recommended.variant
        return self.recommended.latency if same else None

    def lines(self) -> list[str]:
        """Which network, and why, in sentences."""
        chosen = self.recommended
        if self.variant != chosen.variant:
            return [
                f"network: {self.variant}, for {chosen.variant}, which fits {chosen.board.title}, "
                "cannot be made here: pip install 'edge-effnet[train,imagenet-lite]' on a computer"
            ]
        about = f"network: {self.variant}, {chosen.reason}"
        if self.latency is None:
            return [about]
        return [
            about,
            f"expected there: {self.latency.latency_ms:.0f} ms for an image in int8, without the "
            f"camera's own work ({self.latency.kind}; from what: edge-effnet variants --for "
            f"{chosen.board.name})",
        ]


def choose_network(board: Board, fps: float, stage: StartStage) -> Network:
    """Find the files of the recommended network, or of the smallest where they cannot be had.

    Raises:
        ModelError: not even that one is on this machine, or all that converts it.
        OutputError: the cache cannot be written.
    """
    chosen = recommend(board, fps)
    variant = chosen.variant
    kind: Kind = "edgetpu" if board.accelerator else "int8"
    if not can_find_base(base_of(variant, kind)):
        variant, kind = DEFAULT_BASE, "int8"
    small = find_base(stage, base_of(variant, kind))
    floating = base_of(variant, "float32")
    reference = find_base(stage, floating) if can_find_base(floating) else None
    return Network(chosen, variant, small, reference)
