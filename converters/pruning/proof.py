"""What the pictures that judge prove of a pruned network against the whole one."""

from __future__ import annotations

from typing import Any

from edge_effnet.metrics import Comparison
from edge_effnet.metrics.comparison.losses import losses_of


def loss_lines(name: str, found: Comparison) -> list[str]:
    """What a pruned network is proven to have lost, and what to do about it."""
    lost = losses_of(found.paired, found.agreement_interval_percent)
    if not lost:
        return []
    return [f"{name} {' and '.join(lost)}: try more --epochs, more pictures or a milder target"]


def comparison_json(found: Comparison) -> dict[str, Any]:
    """The figures of a comparison that prove something; percent and points."""
    document = found.to_json()
    kept = ("agreement", "agreement_interval", "drop_points", "drop_interval_points")
    return {key: document[key] for key in kept if key in document}


def proof_line(found: Comparison) -> str:
    """How many answers are the whole network's, and the drop with its interval."""
    line = f"{found.agreement_percent:.1f} % of the answers are the whole network's"
    if found.paired is None:
        return line
    low, high = found.paired.drop_interval_points
    return (
        f"{line}; drop {found.paired.drop_points:+.1f} points, 95 % interval {low:+.1f} to "
        f"{high:+.1f}"
    )
