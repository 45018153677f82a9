"""The signs as a PDF to print and hold before a real camera."""

from __future__ import annotations

from dataclasses import dataclass

from edge_effnet.data.signs.pdf import (
    POINTS_PER_MM,
    Page,
    draw_art,
    draw_dashed_box,
    draw_text,
    pdf_bytes,
)
from edge_effnet.data.signs.table import SIGNS, Sign


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


def sheet_pdf(paper: str = "a4", *, per_page: int = 1, cut_lines: bool = False) -> bytes:
    """All signs as a vector PDF.

    Args:
        paper: a key of ``PAPERS``.
        per_page: signs a page, a key of ``GRIDS``.
        cut_lines: draw a dashed square around each sign.
    """
    signs = printable()
    groups = [signs[first : first + per_page] for first in range(0, len(signs), per_page)]
    pages = [
        _page(group, PAPERS[paper], GRIDS[per_page], cut_lines, f"{number} / {len(groups)}")
        for number, group in enumerate(groups, 1)
    ]
    return pdf_bytes(pages, "edge-effnet signs")


def _page(
    signs: tuple[Sign, ...], paper: Paper, grid: tuple[int, int], cut_lines: bool, folio: str
) -> Page:
    width, height = paper.width_mm * POINTS_PER_MM, paper.height_mm * POINTS_PER_MM
    columns, rows = grid
    cell_width = (width - 2 * MARGIN_PT) / columns
    cell_height = (height - 2 * MARGIN_PT) / rows
    half = min(cell_width, cell_height - CAPTION_PT) / 2 / QUIET
    operators: list[str] = []
    for number, sign in enumerate(signs):
        row, column = divmod(number, columns)
        left = MARGIN_PT + column * cell_width
        bottom = height - MARGIN_PT - (row + 1) * cell_height
        x = left + cell_width / 2
        y = bottom + CAPTION_PT + (cell_height - CAPTION_PT) / 2
        operators += draw_art(sign.art, x, y, half)
        if cut_lines:
            reach = half * QUIET
            operators.append(draw_dashed_box(x - reach, y - reach, 2 * reach, 2 * reach))
        operators += _caption(sign, x - half, y - half * QUIET - 24, half)
    operators.append(
        draw_text(f"edge-effnet signs   {folio}", MARGIN_PT, 20, 8, grey=0.45),
    )
    return Page(width, height, tuple(operators))


def _caption(sign: Sign, x_pt: float, y_pt: float, half_pt: float) -> list[str]:
    side_cm = 2 * half_pt / POINTS_PER_MM / 10
    near, far = (max(5, round(side_cm * share / 5) * 5) for share in (NEAREST, FARTHEST))
    how = f"Hold it upright, {near}–{far} cm from the camera, in even light."
    return [
        draw_text(sign.name, x_pt, y_pt, 20, bold=True),
        draw_text(f"{sign.meaning[0].upper()}{sign.meaning[1:]}.", x_pt, y_pt - 15, 10),
        draw_text(how, x_pt, y_pt - 28, 10, grey=0.35),
    ]
