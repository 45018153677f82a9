"""What ``compare --layers`` shows: a table, and a picture of every layer."""

from __future__ import annotations

import math
from xml.sax.saxutils import escape

from rich.table import Table

from converters.fidelity import Fidelity, Layer
from edge_effnet.commands.options import console

ROWS = 15


def print_fidelity(fidelity: Fidelity) -> None:
    """Print the costliest layers and what the columns mean."""
    out = console()
    layers = fidelity.layers
    out.print(
        f"{len(layers)} layers on {fidelity.pictures} pictures, the costliest first", style="bold"
    )
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("layer", overflow="fold")
    table.add_column("made by")
    for heading in ("alone", "flips", "left float", "SNR", "codes used", "clipped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for layer in layers[:ROWS]:
        change = layer.left_float_percent
        table.add_row(
            layer.name,
            layer.operator.lower().replace("_2d", "").replace("depthwise_conv", "depthwise"),
            f"{layer.alone_percent:.3f} %",
            str(layer.alone_flipped),
            "–" if change is None else f"{change:+.0f} %",
            f"{layer.snr_db:.1f} dB",
            f"{layer.codes_used_percent:.0f} %",
            f"{layer.clipped_percent:.2f} %",
        )
    out.print(table)
    if len(layers) > ROWS:
        out.print(f"… and {len(layers) - ROWS} more (all of them with --json)", style="dim")
    together = sum(layer.alone_percent for layer in layers)
    out.print(
        f"the answer's error is {fidelity.answer_percent:.2f} % of its energy; the layers one by "
        f"one come to {together:.2f} %"
    )
    out.print(
        "alone: the answer's error when only this layer's values are stored in 8 bits, and the "
        "pictures whose answer turns; left float: change of the whole model's error when only they "
        "are not; SNR: its values against float's, all errors before it included",
        style="dim",
    )


_ROW, _LEFT, _PLOT, _RIGHT, _TOP, _BOTTOM = 14, 230, 420, 60, 58, 40
_LOWEST_PERCENT = 1e-4
# Okabe and Ito's blue, and their vermilion for layers that turn an answer by themselves.
_QUIET, _LOUD = "#0072B2", "#D55E00"


def fidelity_svg(fidelity: Fidelity, title: str) -> str:
    """An SVG document: a bar for each layer on a logarithmic axis, the costliest on top."""
    layers = fidelity.layers
    top = max([layer.alone_percent for layer in layers] + [10 * _LOWEST_PERCENT])
    decades = range(round(math.log10(_LOWEST_PERCENT)), math.ceil(math.log10(top)) + 1)

    def across(percent: float) -> float:
        place = math.log10(max(percent, _LOWEST_PERCENT)) - decades[0]
        return _LEFT + _PLOT * place / max(len(decades) - 1, 1)

    width, bottom = _LEFT + _PLOT + _RIGHT, _TOP + _ROW * len(layers)
    height = bottom + _BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="22" font-size="15">{escape(title)}</text>',
        f'<text x="12" y="42">error of the answer when this layer alone is stored in 8 bits '
        f'(<tspan fill="{_LOUD}">some answer turns</tspan>)</text>',
    ]
    for decade in decades:
        x = across(10.0**decade)
        parts.append(f'<path d="M{x:.1f} {_TOP - 4}V{bottom}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{10.0**decade:g} %</text>'
        )
    for row, layer in enumerate(layers):
        parts += _bar(layer, _TOP + _ROW * row, across(layer.alone_percent))
    return "\n".join([*parts, "</svg>", ""])


def _bar(layer: Layer, y: int, end: float) -> list[str]:
    color = _LOUD if layer.alone_flipped else _QUIET
    return [
        f'<text x="{_LEFT - 8}" y="{y + 10}" text-anchor="end">{escape(layer.name)}</text>',
        f'<rect x="{_LEFT}" y="{y + 2}" width="{max(end - _LEFT, 1):.1f}" height="{_ROW - 4}" '
        f'fill="{color}"><title>{escape(layer.tensor)}: {layer.alone_percent:.4f} %, '
        f"{layer.snr_db:.1f} dB, {layer.codes_used_percent:.0f} % of the codes</title></rect>",
    ]
