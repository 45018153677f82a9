"""Sensitivity as a plot: a row for each group, a dot for each width, agreement along the bottom."""

from __future__ import annotations

from collections.abc import Sequence

from converters.pruning.selection.sensitivity import SensitivityPoint
from edge_effnet import plots

_X_NAME = "answers unchanged, %, when this group alone is narrowed and nothing is fine-tuned"


def sensitivity_plot(points: Sequence[SensitivityPoint], title: str, suffix: str) -> bytes:
    """A file of the kind ``suffix``, ``.svg`` or ``.png``; groups in the network's order.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    shares = sorted({_share(point) for point in points}, reverse=True)
    rows = []
    for group in dict.fromkeys(point.group for point in points):
        dots = [
            (
                100 * point.agreement,
                shares.index(_share(point)),
                f"{group}: {point.width} of {point.whole} channels, {point.agreement:.1%}",
            )
            for point in points
            if point.group == group
        ]
        rows.append(plots.DotRow(group, dots))
    legend = [(f"{share:.0%} kept", place) for place, share in enumerate(shares)]
    return plots.as_file(plots.dots(rows, title, _X_NAME, legend=legend), suffix, title)


def _share(point: SensitivityPoint) -> float:
    """To the nearest quarter: a width is rounded to what kernels like."""
    return max(0.25, round(4 * point.width / point.whole) / 4)
