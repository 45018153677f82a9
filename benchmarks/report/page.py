"""Sources to one self-contained HTML page, by the templates of this package."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from benchmarks.report.camera_run import camera_run
from benchmarks.report.comparisons import comparison, conversion
from benchmarks.report.conclusion import conclusions
from benchmarks.report.evaluations import evaluation
from benchmarks.report.measurements import machine, measurement
from benchmarks.report.sources import Json, Sources, evaluation_source
from edge_effnet import __version__
from edge_effnet.errors import MissingExtra
from edge_effnet.plots import PAGE_COLORS, missing_extra

FLIPS = 24
MAPS = 24


def require_extra() -> Any:
    """Jinja, once Matplotlib is known to be there too.

    Raises:
        MissingExtra: one of them is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtra("jinja2", "report", "a page of results") from error
    if missing := missing_extra():
        raise missing
    return jinja2


def render(sources: Sources, *, title: str, flips: int = FLIPS, maps: int = MAPS) -> str:
    """Make the page.

    Args:
        flips: images shown for each comparison at most.
        maps: of them, how many get maps of what the models looked at; an inference each, or
            fifty of a network that has no class-activation map.

    Raises:
        MissingExtra: Jinja or Matplotlib is not installed.
    """
    jinja2 = require_extra()
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("benchmarks.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text: str = environment.get_template("page.html").render(
        title=title,
        colors=PAGE_COLORS,
        conclusions=conclusions(sources),
        measurements=[measurement(result) for result in sources.results],
        conversions=[conversion(document) for document in sources.conversions],
        camera_runs=[camera_run(document) for document in sources.camera_runs],
        evaluations=[evaluation(document) for document in sources.evaluations],
        comparisons=[comparison(document, flips, maps) for document in _once(sources.comparisons)],
        machines=[machine(result) for result in sources.results],
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )
    return text


def open_evaluation_page() -> Callable[[Mapping[str, Any], str], str]:
    """What draws the document of ``evaluate`` as a page with a title, once it is known that it can.

    Raises:
        MissingExtra: Jinja or Matplotlib is not installed.
    """
    require_extra()
    return lambda document, title: render(evaluation_source(document), title=title)


def _once(documents: Sequence[Json]) -> list[Json]:
    """``bench --data`` and ``compare`` of the same files and images say the same."""
    return [
        document
        for index, document in enumerate(documents)
        if not any(
            all(document[key] == earlier[key] for key in ("n", "reference", "candidate"))
            for earlier in documents[:index]
        )
    ]
