"""One self-contained page: inline style and SVG, no script, nothing fetched."""

from __future__ import annotations

from datetime import UTC, datetime
from html import escape

from benchmarks.report import conversions as judged
from benchmarks.report import feed, sections
from benchmarks.report.sources import Sources
from benchmarks.report.style import STYLE
from edge_effnet import __version__

FLIPS = 24
MAPS = 24


def render(sources: Sources, *, title: str, flips: int = FLIPS, maps: int = MAPS) -> str:
    """Make the page.

    Args:
        flips: images shown for each comparison at most.
        maps: of them, how many get maps of what the models looked at; an inference each, or
            fifty of a network that has no class-activation map.
    """
    parts = []
    for result in sources.results:
        name = f" · {result.made[:16].replace('T', ' ')}" if len(sources.results) > 1 else ""
        parts += [
            sections.section(f"Models{name}", sections.overview(result)),
            sections.section(
                "Latency",
                sections.latencies(result),
                "One inference, all samples; the lines mark the median and 95 %.",
                half=True,
            ),
            sections.section(
                "Accuracy against time",
                sections.front(result),
                "Up and left is better. Ringed: no other is both faster and as accurate.",
                half=True,
            ),
            sections.section("Heat and clock", sections.heat(result)),
            sections.section("Operators", sections.operators(result)),
        ]
    for document in sources.conversions:
        parts.append(sections.section("Conversion", judged.conversion(document)))
    for run in sources.feeds:
        parts += [
            sections.section(feed.title(run), feed.figures(run), half=True),
            sections.section(
                "Time of a frame",
                feed.times(run),
                "The latest frames; the lines mark the median and 95 %.",
                half=True,
            ),
        ]
    for document in sources.comparisons:
        parts += [
            sections.section(judged.comparison_title(document), judged.proof(document), half=True),
            sections.section(
                "Change by class",
                judged.class_changes(document),
                "Recall of the second model less that of the first.",
                half=True,
            ),
            sections.section(
                "Confusion",
                judged.confusions(document),
                "Rows are true classes, columns answers; shades are shares of a row.",
            ),
            sections.section(
                "Flipped images",
                judged.flips(document, flips, maps),
                "Orange: the class-activation map of the model's own answer; of a network without "
                "one, where hiding the picture lowers that score most.",
            ),
        ]
    for result in sources.results:
        parts.append(sections.section("Machine and verdict", sections.machine(result)))
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>{sections.headline(sources.results)}</header>"
        f"<main>{''.join(parts)}</main>"
        f"<footer>edge-effnet {escape(__version__)}, {made}</footer></body></html>\n"
    )
