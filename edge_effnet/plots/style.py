"""The style of all plots, and how a figure becomes a file or a part of a page."""

from __future__ import annotations

import importlib.util
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from edge_effnet.errors import MissingExtra

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, darkened for white paper: told apart by people who see no red or green.
PALETTE = ("#0072b2", "#d55e00", "#008a63", "#b0588e", "#9a7200", "#3f8fc4")
DARK = ("#56b4e9", "#ff9248", "#34cfa0", "#e08fc2", "#e6c229", "#8ec9f0")  # the same, on black
INK, SOFT, FAINT, PAPER = "#1c2128", "#5b6572", "#d5dae1", "#ffffff"
GOOD, BAD = "#1a7f4b", "#b3261e"
# CSS variables of a page: colours by day and by night. A plot inside of it is drawn in them.
PAGE_COLORS = {
    "--ink": (INK, "#e8eaed"),
    "--soft": (SOFT, "#a3adb9"),
    "--paper": ("#f5f6f8", "#14171b"),
    "--card": (PAPER, "#1d2127"),
    "--line": (FAINT, "#3a424d"),
    "--good": (GOOD, "#4cc38a"),
    "--bad": (BAD, "#ff8078"),
    "--open": ("#8a5a00", "#e8b04a"),
    **{f"--c{index}": pair for index, pair in enumerate(zip(PALETTE, DARK, strict=True))},
}
HINT = "hint: "
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "edge-effnet",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": SOFT,
    "axes.edgecolor": FAINT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "grid.color": FAINT,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


def missing_extra() -> MissingExtra | None:
    """What stands in the way of drawing."""
    if importlib.util.find_spec("matplotlib") is None:
        return MissingExtra("matplotlib", "report", "drawing plots")
    return None


@contextmanager
def styled() -> Iterator[None]:
    """The style of everything drawn, and saved, inside.

    Raises:
        MissingExtra: Matplotlib is not installed.
    """
    if missing := missing_extra():
        raise missing
    import matplotlib as mpl

    with mpl.rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a browser has them
        yield


@styled()
def as_png(figure: Figure) -> bytes:
    """A PNG file, 200 pixels an inch."""
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=200)
    return data.getvalue()


@styled()
def as_svg(figure: Figure, name: str, *, inline: bool = False) -> str:
    """An SVG element with text that can be searched, and hints under the pointer.

    Args:
        name: what it shows, for screen readers.
        inline: for a page: without background, in the variables of the page's style.
    """
    data = io.BytesIO()
    figure.savefig(data, format="svg", transparent=inline, metadata={"Date": None, "Creator": None})
    root = ElementTree.fromstring(data.getvalue())  # noqa: S314 (Matplotlib's own)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if "}" in key]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))
        hint = element.get("id", "")
        if element.tag == "g" and hint:
            del element.attrib["id"]
        if hint.startswith(HINT):
            ElementTree.SubElement(element, "title").text = hint.removeprefix(HINT)
    for extra in (*root.findall("metadata"), *root.findall("defs[style]")):
        root.remove(extra)  # in a page, its style would be for all elements
    root.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    root.attrib |= {"role": "img", "aria-label": name}
    if inline:
        del root.attrib["width"], root.attrib["height"]
    else:
        root.set("xmlns", "http://www.w3.org/2000/svg")
    text = ElementTree.tostring(root, "unicode").replace("'DejaVu Sans'", "system-ui, sans-serif")
    for variable, (color, _) in PAGE_COLORS.items() if inline else ():
        text = text.replace(color, f"var({variable})")
    return text


def as_file(figure: Figure, suffix: str, name: str) -> bytes:
    """The bytes of a file of the kind ``suffix``, ``.svg`` or ``.png``."""
    return as_png(figure) if suffix.lower() == ".png" else as_svg(figure, name).encode() + b"\n"
