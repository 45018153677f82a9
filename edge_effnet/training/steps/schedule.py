"""Numbers that change with the step: learning rate and moving-average decay."""

from __future__ import annotations

import math


def learning_rate(step: float, *, peak: float, total_steps: int, warmup_steps: int) -> float:
    """A straight rise to ``peak`` over the warm-up, then half a cosine down to almost nothing.

    The first step already moves and the last one still does: rate(0) = peak / warmup_steps,
    rate(total_steps - 1) > 0. Source of the cosine: arXiv:1608.03983.

    Args:
        step: from 0 to ``total_steps`` - 1; a part of one where images grow.
    """
    warmup_steps = min(warmup_steps, total_steps - 1)
    if step < warmup_steps:
        return peak * (step + 1) / warmup_steps
    share = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return peak * 0.5 * (1 + math.cos(math.pi * share))


def batch_norm_momentum(usual: float, steps_per_epoch: int) -> float:
    """The variant's momentum, or less where an epoch is short.

    With 0.99 the statistics remember a few hundred steps: after a short epoch, evaluation
    would still see the network of several epochs ago.
    """
    return min(usual, max(0.8, 1 - 8 / max(1, steps_per_epoch)))
