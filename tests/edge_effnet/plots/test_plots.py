"""Every kind of plot: any numbers, the same bytes twice, words as text, no Matplotlib."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from math import inf, nan
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from edge_effnet import plots
from edge_effnet.errors import MissingExtra
from edge_effnet.plots.style import PAGE_COLORS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = ([1.0], [0.5, 0.5], [1e-3, 1e3], [5.0] * 100, [0.0, 0.0])
MARKS = (
    [plots.Mark("one", 1.0, 50.0)],
    [plots.Mark("a", 1.0, 100.0, (0.9, 1.1), (99.0, 100.0), True), plots.Mark("b", 2.0, 100.0)],
    [plots.Mark("$a", 0.1, 0.0, front=True), plots.Mark("名", 90.0, 99.0, front=True, color=7)],
)
FIGURES: dict[str, Callable[[], Figure]] = {
    **{
        f"distributions {samples[:2]}": lambda samples=samples: plots.distributions(
            [plots.Distribution("a & b", samples, samples[0], samples[-1])] * 2, "ms"
        )
        for samples in SAMPLES
    },
    **{
        f"scatter {marks[0].title}": lambda marks=marks: plots.scatter(marks, "ms", "%")
        for marks in MARKS
    },
    "changes": lambda: plots.changes([("x", -0.5, "9 → 4 of 10"), ("y", 0.0, "")]),
    "matrix": lambda: plots.matrix([(0, 0, 3), (0, 1, 2)], ["a", "b"]),
    "large matrix": lambda: plots.matrix([(0, 29, 3)], [f"class {i}" for i in range(30)]),
    "lines": lambda: plots.lines([plots.Panel("°C", [("", [0, 1], [40.0, 40.0])])], "minutes"),
    "nothing finite": lambda: plots.lines(
        [plots.Panel("loss", [("", [], [])]), plots.Panel("loss", [("", [0, 1], [inf, nan])])],
        "epoch",
    ),
    "precision_recall": lambda: plots.precision_recall(
        [
            plots.RecallCurve(
                "$stop", [0.5, 1.0], [1.0, 0.8],
                [plots.RecallPoint("at 0.5", 0.9, 1.0, (0.7, 0.98), (0.8, 1.0))],
            ),
            *(plots.RecallCurve(f"名{i}", [1.0], [0.1]) for i in range(7)),
        ]
    ),
    "dots": lambda: plots.dots([plots.DotRow("a", [(0.5, 0, "half")], "x")], "t", "%"),
    "logarithmic": lambda: plots.dots(
        [plots.DotRow("a", [(1e-4, 0, "h"), (10.0, 1, "h")])], "t", "%", logarithmic=True,
        legend=[("quiet", 0), ("loud", 1)], note="3 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_every_plot_is_the_same_bytes_twice(name: str) -> None:
    svg, again = (plots.as_svg(FIGURES[name](), name) for _ in range(2))
    assert svg == again
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    assert root.get("aria-label") == name
    assert next(root.iter("{http://www.w3.org/2000/svg}text"), None) is not None
    image = cv2.imdecode(np.frombuffer(plots.as_png(FIGURES[name]()), np.uint8), 1)
    assert image is not None
    assert image.std() > 1


def test_words_stay_words_and_have_hints() -> None:
    svg = plots.as_svg(plots.scatter(MARKS[2], "median, ms", "top-1, %"), "x")
    root = ElementTree.fromstring(svg)  # noqa: S314 (our own)
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"$a", "名", "median, ms", "top-1, %"} <= set(words)
    assert "<title>$a: 0.1, 0</title>" in svg


def test_a_plot_in_a_page_takes_its_colours_and_its_width() -> None:
    figure = plots.changes([("x", -0.5, ""), ("y", 0.5, "")])
    svg = plots.as_svg(figure, "x", inline=True)
    assert not any(color in svg for color, _ in PAGE_COLORS.values())
    assert {"var(--good)", "var(--bad)", "var(--ink)"} <= set(re.findall(r"var\(--\w+\)", svg))
    assert not re.search(r"https?:|xlink|DejaVu", svg)
    root = ElementTree.fromstring(svg)  # noqa: S314
    assert root.get("width") is None
    assert root.get("viewBox")
    assert not [group for group in root.iter("g") if group.get("id")]


def test_no_matplotlib_is_one_line_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'edge-effnet\[report\]'"):
        plots.changes([("x", 0.1, "")])


def test_names_beside_points_cover_no_bar_and_no_other_name() -> None:
    def near(title: str, x: float) -> plots.Mark:
        return plots.Mark(title, x, 88.0, (x - 0.2, x + 0.2), (84.0, 92.0), front=True)

    alone = plots.Mark("alone", 4.0, 86.0, (3.9, 4.1), (82.0, 90.0), front=True)
    close = [near(f"a long name {number}", 8.0 + 0.05 * number) for number in range(4)]
    figure = plots.scatter([alone, *close], "ms", "%")
    figure.draw_without_rendering()
    axes = figure.axes[0]
    names = {text.get_text(): text.get_window_extent() for text in axes.texts}
    assert "alone" in names
    assert len(names) < 5
    boxes = list(names.values())
    assert not any(
        one.overlaps(other) for index, one in enumerate(boxes) for other in boxes[:index]
    )
    for mark in (alone, *close):
        for value in (82.0, 84.0, 86.0, 88.0, 90.0, 92.0):
            if mark.y_interval and mark.y_interval[0] <= value <= mark.y_interval[1]:
                x, y = axes.transData.transform((mark.x, value))
                assert not any(box.contains(x, y) for box in boxes)
