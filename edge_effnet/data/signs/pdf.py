"""A small PDF writer: vector shapes and lines of Helvetica, nothing else.

The same input gives the same bytes: no dates, no random identifiers, no compression.
Units are points (1/72 inch), y upwards from the lower edge, as PDF has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_effnet.data.signs.shapes import WHITE, Art, Color, Disc, Point, Stroke

POINTS_PER_MM = 72 / 25.4
# Handle length that makes four cubic Béziers a circle (within 0.03 % of the radius).
_CIRCLE = 0.5523


@dataclass(frozen=True)
class Page:
    """One page: its size and its drawing operators."""

    width_pt: float
    height_pt: float
    operators: tuple[str, ...]


def draw_art(art: Art, x_pt: float, y_pt: float, half_pt: float) -> tuple[str, ...]:
    """Operators that draw a sign around (x, y), ``half_pt`` from its middle to its edge."""
    lines = ["q", f"{_numbers(half_pt, 0, 0, -half_pt, x_pt, y_pt)} cm", "1 J 1 j"]
    for shape in art:
        if isinstance(shape, Disc):
            lines += [f"{_ink(shape.color)} rg", _circle(shape), "f"]
        elif isinstance(shape, Stroke):
            lines += [f"{_ink(shape.color)} RG {_numbers(shape.width)} w", _path(shape.points), "S"]
        else:
            lines += [f"{_ink(shape.color)} rg", _path(shape.points), "h f"]
    return (*lines, "Q")


def draw_text(
    text: str, x_pt: float, y_pt: float, size_pt: float, *, bold: bool = False, grey: float = 0.0
) -> str:
    """Operators for one line of text that starts at (x, y) on its base line.

    Characters outside Windows-1252 are replaced by a question mark.
    """
    octets = text.encode("cp1252", "replace")
    shown = "".join(
        f"\\{octet:03o}" if octet > 126 or octet < 32 or chr(octet) in "()\\" else chr(octet)
        for octet in octets
    )
    font = "/F2" if bold else "/F1"
    return (
        f"BT {_numbers(grey)} g {font} {_numbers(size_pt)} Tf "
        f"{_numbers(x_pt, y_pt)} Td ({shown}) Tj ET"
    )


def draw_dashed_box(left_pt: float, bottom_pt: float, width_pt: float, height_pt: float) -> str:
    """Operators for a thin grey dashed rectangle: where to cut."""
    box = _numbers(left_pt, bottom_pt, width_pt, height_pt)
    return f"q 0.6 G 0.5 w [4 3] 0 d {box} re S Q"


def pdf_bytes(pages: Sequence[Page], title: str) -> bytes:
    """A PDF 1.4 file with these pages."""
    first_page = 6  # objects 1–5: catalogue, page tree, two fonts, title
    page_ids = [first_page + 2 * number for number in range(len(pages))]
    kids = " ".join(f"{number} 0 R" for number in page_ids)
    safe_title = title.encode("ascii", "replace").decode().translate({40: None, 41: None, 92: None})
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        _font("Helvetica"),
        _font("Helvetica-Bold"),
        f"<< /Title ({safe_title}) /Producer (edge-effnet) >>".encode(),
    ]
    for number, page in zip(page_ids, pages, strict=True):
        size = _numbers(page.width_pt, page.height_pt)
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {size}] "
            f"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {number + 1} 0 R >>".encode()
        )
        stream = "\n".join(page.operators).encode("ascii")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    data = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")  # high bytes: "this is binary"
    offsets: list[int] = []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table_at = len(data)
    data += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for offset in offsets:
        data += b"%010d 00000 n \n" % offset
    data += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\n" % (len(objects) + 1)
    data += b"startxref\n%d\n%%%%EOF\n" % table_at
    return bytes(data)


def _font(name: str) -> bytes:
    return (
        f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()
    )


def _ink(color: Color) -> str:
    # A printer would screen our off-white; the paper itself is the better white.
    if color == WHITE:
        return "1 1 1"
    return _numbers(*(channel / 255 for channel in color))


def _path(points: Sequence[Point]) -> str:
    start, *rest = points
    return "\n".join([f"{_numbers(*start)} m", *(f"{_numbers(*point)} l" for point in rest)])


def _circle(disc: Disc) -> str:
    x, y, r, k = disc.x, disc.y, disc.radius, disc.radius * _CIRCLE
    curves = (
        (x + r, y + k, x + k, y + r, x, y + r),
        (x - k, y + r, x - r, y + k, x - r, y),
        (x - r, y - k, x - k, y - r, x, y - r),
        (x + k, y - r, x + r, y - k, x + r, y),
    )
    return "\n".join([f"{_numbers(x + r, y)} m", *(f"{_numbers(*curve)} c" for curve in curves)])


def _numbers(*values: float) -> str:
    # Four decimals in sign units are a hundredth of a millimetre on paper.
    return " ".join(f"{value:.4f}".rstrip("0").rstrip(".") for value in values)
