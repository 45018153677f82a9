"""What a search came to, as data, as JSON, and in one sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from edge_effnet.architecture.cost import Cost
from edge_effnet.search.config import SearchConfig
from edge_effnet.search.images import SearchImages
from edge_effnet.search.outcome.intervals import Estimate
from edge_effnet.search.points.grid import BASELINE_NAME
from edge_effnet.search.points.matching import Family, Point

FORMAT, VERSION = "edge-effnet/search", 1


@dataclass(frozen=True)
class PointResult:
    """A point and what its trainings came to.

    Attributes:
        epochs: that it was trained; fewer than the search's where it was stopped early.
        chosen_by: right answers among the images that choose, of the best epoch, over the seeds;
            they flatter, since that epoch was chosen on them.
        confirmed: among the images that nothing was chosen on; None where it was stopped early.
    """

    point: Point
    epochs: int
    chosen_by: Estimate
    confirmed: Estimate | None
    seconds: float
    diverged: bool = False

    @property
    def name(self) -> str:
        return self.point.name


@dataclass(frozen=True)
class SearchResult:
    """What a search came to.

    Attributes:
        points: the finalists first, those right most often on the images that choose before.
        found: the name of the point whose network is the result.
        challenger: the best point that is not the baseline; it is ``found`` unless B0's
            coefficients were right as often on the images that choose.
        gain: points by which the challenger is right more often than the baseline, on the images
            that nothing was chosen on, paired by image and seed.
        left_out: coefficients without a network of this cost, in sentences.
    """

    config: SearchConfig
    family: Family
    images: SearchImages
    points: tuple[PointResult, ...]
    found: str
    challenger: str
    gain: Estimate
    left_out: tuple[str, ...] = ()

    def of(self, name: str) -> PointResult:
        """The point of this name."""
        return next(one for one in self.points if one.name == name)

    @property
    def timed(self) -> bool:
        """Whether the points are of equal latency, which was measured."""
        return all(one.point.latency_ms is not None for one in self.points)

    @property
    def verdict(self) -> str:
        """Of the challenger: ``better``, ``worse`` or ``no difference shown``."""
        low, high = self.gain.interval
        return "better" if low > 0 else "worse" if high < 0 else "no difference shown"

    @property
    def sentence(self) -> str:
        """Whether the grid's best point beats B0's coefficients, as far as it is shown."""
        gain, point = self.gain, self.of(self.challenger).point
        low, high = gain.interval
        what = coefficients_text(point)
        more = f"{abs(gain.value):.1f} points {'more' if gain.value >= 0 else 'less'}"
        seeds = f"{gain.seeds} seeds" if gain.seeds > 1 else "one seed, so without its chance"
        start = (
            ""
            if self.found == self.challenger
            else (
                "B0's own coefficients were right as often or more on the images that choose, and "
                "are the result. "
            )
        )
        end = {
            "better": "it beats B0's coefficients",
            "worse": "B0's coefficients are better",
            "no difference shown": "no difference shown",
        }[self.verdict]
        return (
            f"{start}On the {gain.images} images that nothing was chosen on, {self.challenger} "
            f"({what}) is right {more} often than B0's coefficients at equal cost (95 % interval "
            f"{low:+.1f} to {high:+.1f}; {seeds}, paired): {end}."
        )


def coefficients_text(point: Point) -> str:
    """``alpha 1.20, beta 1.10, gamma 1.15``."""
    one = point.coefficients
    return f"alpha {one.alpha:.2f}, beta {one.beta:.2f}, gamma {one.gamma:.2f}"


def pareto_front(points: Mapping[str, tuple[float, float]]) -> set[str]:
    """The names of those (cost, accuracy) that no other one has at less or equal cost and more
    accuracy, or at less cost and as much."""

    def beaten(cost: float, accuracy: float) -> bool:
        return any(
            other <= cost and better >= accuracy and (other < cost or better > accuracy)
            for other, better in points.values()
        )

    return {name for name, pair in points.items() if not beaten(*pair)}


def result_json(result: SearchResult) -> dict[str, Any]:
    """The document of ``result.json`` and ``search --json``."""
    family, images = result.family, result.images
    return {
        "format": FORMAT,
        "version": VERSION,
        "settings": result.config.to_json(),
        "base": family.base.name,
        "phi": family.phi,
        "growth_from_phi": family.start,
        "limits": dict(family.limits),
        "images": {
            "classes": images.classes,
            "train": images.train,
            "choose": images.choose,
            "confirm": images.confirm,
        },
        "points": [_point_json(one) for one in result.points],
        "left_out": list(result.left_out),
        "baseline": BASELINE_NAME,
        "found": result.found,
        "challenger": result.challenger,
        "gain_points": result.gain.to_json(),
        "verdict": result.verdict,
        "conclusion": result.sentence,
    }


def _point_json(one: PointResult) -> dict[str, Any]:
    point = one.point
    return {
        "name": point.name,
        **asdict(point.coefficients),
        "constraint": point.coefficients.product,
        "depth": point.spec.depth,
        "width": point.spec.width,
        "resolution": point.spec.resolution,
        **_cost_json(point.total),
        "latency_ms": point.latency_ms,
        "used": point.used,
        "binds": point.binds,
        "epochs": one.epochs,
        "diverged": one.diverged,
        "seconds": one.seconds,
        "choose_percent": one.chosen_by.to_json(),
        "confirm_percent": one.confirmed.to_json() if one.confirmed else None,
    }


def _cost_json(total: Cost) -> dict[str, int]:
    return {
        "macs": total.macs,
        "parameters": total.parameters,
        "int8_bytes": total.int8_bytes,
        "peak_activation_bytes": total.peak_activations,
    }
