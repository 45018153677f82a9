"""The signs as a PDF to print and hold before a real camera."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_effnet.data.signs.shapes import WHITE, Art, Disc, Polygon
from edge_effnet.data.signs.table import SIGNS, Sign
from edge_effnet.plots.style import styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS_PER_MM = 72 / 25.4
_FONT: Any = {
    "pdf.use14corefonts": True,
    "font.sans-serif": ["Helvetica"],
    "font.weight": "medium",
    "text.color": "black",
}


@dataclass(frozen=True)
class Paper:
    width_mm: float
    height_mm: float


PAPERS = {"a4": Paper(210, 297), "letter": Paper(215.9, 279.4)}
GRIDS = {1: (1, 1), 2: (1, 2), 4: (2, 2)}  # signs a page: (columns, rows)

MARGIN_PT = 36.0
CAPTION_PT = 58.0  # below each sign
QUIET = 1.12  # white around a sign, in half sides: where the cut lines run
# A Raspberry Pi camera sees about 0.9 of the distance on its short side, and a classifier
# keeps 0.9 of that. From 1.8 sides away a sign fills two thirds of it, from 3.6 a third.
NEAREST, FARTHEST = 1.8, 3.6


def printable() -> tuple[Sign, ...]:
    """The signs that have something to print."""
    return tuple(sign for sign in SIGNS if sign.art)


@styled()
def sheet_pdf(paper: str = "a4", *, per_page: int = 1, cut_lines: bool = False) -> bytes:
    """All signs as a vector PDF; the same bytes each time.

    Args:
        paper: a key of ``PAPERS``.
        per_page: signs a page, a key of ``GRIDS``.
        cut_lines: draw a dashed square around each sign.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_pdf import PdfPages

    signs = printable()
    groups = [signs[first : first + per_page] for first in range(0, len(signs), per_page)]
    file = io.BytesIO()
    about = {"Title": "edge-effnet signs", "CreationDate": None}
    with _without_font_warnings(), mpl.rc_context(_FONT), PdfPages(file, metadata=about) as pages:
        for number, group in enumerate(groups, 1):
            folio = f"{number} / {len(groups)}"
            pages.savefig(_page(group, PAPERS[paper], GRIDS[per_page], cut_lines, folio))
    return file.getvalue()


@contextmanager
def _without_font_warnings() -> Iterator[None]:
    """Matplotlib looks for a font file and warns of its weight; a PDF's Helvetica needs none."""
    logger = logging.getLogger("matplotlib.font_manager")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


def _page(
    signs: tuple[Sign, ...], paper: Paper, grid: tuple[int, int], cut_lines: bool, folio: str
) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    width, height = paper.width_mm * POINTS_PER_MM, paper.height_mm * POINTS_PER_MM
    figure = Figure((width / 72, height / 72))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(0, height))  # units are points
    axes.set_axis_off()
    columns, rows = grid
    cell_width = (width - 2 * MARGIN_PT) / columns
    cell_height = (height - 2 * MARGIN_PT) / rows
    half = min(cell_width, cell_height - CAPTION_PT) / 2 / QUIET
    for number, sign in enumerate(signs):
        row, column = divmod(number, columns)
        x = MARGIN_PT + (column + 0.5) * cell_width
        y = height - MARGIN_PT - row * cell_height - (cell_height - CAPTION_PT) / 2
        _draw(axes, sign.art, x, y, half)
        if cut_lines:
            reach = half * QUIET
            corner, side = (x - reach, y - reach), 2 * reach
            dashes = (0, (8, 6))  # widths of the line: 4 and 3 points
            axes.add_patch(Rectangle(corner, side, side, fill=False, ec="0.6", lw=0.5, ls=dashes))
        _caption(axes, sign, x - half, y - half * QUIET - 24, half)
    axes.text(MARGIN_PT, 20, f"edge-effnet signs   {folio}", size=8, color="0.45")
    return figure


def _draw(axes: Axes, art: Art, x: float, y: float, half: float) -> None:
    """A sign around (x, y), ``half`` from its middle to its edge."""
    from matplotlib import patches

    for shape in art:
        # A printer would screen our off-white; the paper itself is the better white.
        color = "white" if shape.color == WHITE else [channel / 255 for channel in shape.color]
        if isinstance(shape, Disc):
            middle = (x + half * shape.x, y - half * shape.y)
            axes.add_patch(patches.Circle(middle, half * shape.radius, color=color, lw=0))
            continue
        points = [(x + half * right, y - half * down) for right, down in shape.points]
        if isinstance(shape, Polygon):
            axes.add_patch(patches.Polygon(points, color=color, lw=0))
        else:
            axes.plot(
                *zip(*points, strict=True),
                color=color,
                lw=half * shape.width,
                solid_capstyle="round",
                solid_joinstyle="round",
            )


def _caption(axes: Axes, sign: Sign, x: float, y: float, half: float) -> None:
    side_cm = 2 * half / POINTS_PER_MM / 10
    near, far = (max(5, round(side_cm * share / 5) * 5) for share in (NEAREST, FARTHEST))
    instruction = f"Hold it upright, {near}–{far} cm from the camera, in even light."
    axes.text(x, y, sign.name, size=20, weight="bold")
    axes.text(x, y - 15, f"{sign.meaning[0].upper()}{sign.meaning[1:]}.", size=10)
    axes.text(x, y - 28, instruction, size=10, color="0.35")
