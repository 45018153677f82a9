"""Plots by Matplotlib (extra ``report``) in one style.

Every kind of plot answers with a figure, which ``as_svg``, ``as_png`` or ``as_file`` turns into
the same bytes for the same input. A figure is as wide as a phone's page, so that its text is
readable there and grows with it on a wider screen. Matplotlib is imported when the first plot is
drawn.
"""

from edge_effnet.plots.charts import (
    Curve,
    Distribution,
    DotRow,
    Panel,
    changes,
    distributions,
    dots,
    lines,
    matrix,
)
from edge_effnet.plots.curves import RecallCurve, RecallPoint, precision_recall
from edge_effnet.plots.points import Mark, scatter
from edge_effnet.plots.style import PAGE_COLORS, PALETTE, as_file, as_png, as_svg, missing_extra

__all__ = [
    "PAGE_COLORS",
    "PALETTE",
    "Curve",
    "Distribution",
    "DotRow",
    "Mark",
    "Panel",
    "RecallCurve",
    "RecallPoint",
    "as_file",
    "as_png",
    "as_svg",
    "changes",
    "distributions",
    "dots",
    "lines",
    "matrix",
    "missing_extra",
    "precision_recall",
    "scatter",
]
