"""The costliest layers as a plot: a dot for each on a logarithmic axis, the worst on top."""

from __future__ import annotations

from converters.analysis.layer_error import LayerErrors, operator_name
from edge_effnet import plots
from edge_effnet.plurals import counted, plural

ROWS = 40
_LOWEST_PERCENT = 1e-4
_X_NAME = "energy of the answer's error, % of the answer's, with this layer alone in 8 bits"


def layer_error_plot(errors: LayerErrors, title: str, suffix: str) -> bytes:
    """The costliest layers, and what the others come to, as ``.svg`` or ``.png``.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    layers, rest = errors.layers[:ROWS], errors.layers[ROWS:]
    rows = []
    for layer in layers:
        hint = f"{layer.tensor}: {layer.codes_used_percent:.0f} % of the codes, "
        hint += f"{layer.alone_flipped} of {counted(errors.images, 'answer')} changed"
        dot = (max(layer.alone_percent, _LOWEST_PERCENT), int(layer.alone_flipped > 0), hint)
        note = f"{layer.alone_percent:.3f} %   SNR {layer.snr_db:.1f} dB"
        rows.append(plots.DotRow(f"{layer.name} ({operator_name(layer)})", (dot,), note))
    together = sum(layer.alone_percent for layer in rest)
    figure = plots.dots(
        rows,
        title,
        _X_NAME,
        legend=(("no answer changed", 0), ("some answer changed", 1)),
        logarithmic=True,
        note=f"{counted(len(rest), 'layer')} more {plural(len(rest), 'comes', 'come')} to "
        f"{together:.3f} % together (--json lists them)"
        if rest
        else "",
    )
    return plots.as_file(figure, suffix, title)
