"""The table that ``compare --layers`` prints."""

from __future__ import annotations

from converters.analysis.layer_error import LayerErrors, operator_name
from edge_effnet.plurals import counted
from edge_effnet.ui.console import console
from edge_effnet.ui.tables import table

ROWS = 15


def print_layer_errors(errors: LayerErrors) -> None:
    """Print the costliest layers and what the columns mean."""
    out = console()
    layers = errors.layers
    out.print(
        f"{counted(len(layers), 'layer')} on {counted(errors.images, 'image')}, the costliest "
        "first",
        style="bold",
    )
    headings = ("alone", "flips", "left float", "SNR", "codes used", "clipped")
    shown = table("layer", "made by", *headings, words=(1,))
    for layer in layers[:ROWS]:
        change = layer.left_float_percent
        shown.add_row(
            layer.name,
            operator_name(layer),
            f"{layer.alone_percent:.3f} %",
            str(layer.alone_flipped),
            "–" if change is None else f"{change:+.0f} %",
            f"{layer.snr_db:.1f} dB",
            f"{layer.codes_used_percent:.0f} %",
            f"{layer.clipped_percent:.2f} %",
        )
    out.print(shown)
    if len(layers) > ROWS:
        out.print(f"… and {len(layers) - ROWS} more (all of them with --json)", style="dim")
    together = sum(layer.alone_percent for layer in layers)
    out.print(
        f"the answer's error is {errors.answer_percent:.2f} % of its energy; the layers one by "
        f"one come to {together:.2f} %"
    )
    out.print(
        "alone: the answer's error when only this layer's values are stored in 8 bits, and the "
        "images whose answer turns; left float: change of the whole model's error when only they "
        "are not (–: not tried, or impossible: the file has layers of its own or float ones); "
        "SNR: its values against float's, all errors before it included",
        style="dim",
    )
