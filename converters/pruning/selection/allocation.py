"""Which width each group gets: the loss of narrowing it was measured, its saving is known.

Multiply-adds, parameters and bytes of a network follow from its variant
(``edge_effnet.architecture.cost``), so widths are searched without building anything: the group
narrowed next is always the one whose measured loss per unit saved is smallest, until the target
is met.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from converters.pruning.selection.groups import ChannelGroup, channel_groups, narrowed
from edge_effnet.architecture.cost import Cost, cost, exported_operators
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem

# Of a float file that the estimate of its size leaves out: names of tensors, and the model card.
CARD_BYTES = 16384
# budget -> what of the network's cost it limits
MEASURES: dict[str, Callable[[Cost], int]] = {
    "macs": lambda total: total.macs,
    "params": lambda total: total.parameters,
    "size": lambda total: total.float_bytes + CARD_BYTES,
}
MEASURE_NAMES = {"macs": "multiply-adds", "params": "parameters", "size": "bytes of the float file"}
LEAST_SHARE = 0.125  # of a group's channels; narrower layers run no faster and learn badly
# Time of one element of an operator's output, in multiply-adds (fit: docs/research/tried.md).
ELEMENT_MACS = 50
# Of the share that multiply-adds fall by, time has to fall by at least so much.
TIME_SHARE = 0.8
_NOTCHES = 32  # of a wide group, from its full width to nothing


@dataclass(frozen=True)
class SensitivityCurve:
    """Loss against width of one group.

    Attributes:
        widths: that were measured, descending, from the full group.
        losses: what the network loses at each; 0 for the first. Any unit, the same for all.
        removed: the summed importance of the ``n`` least important channels, for n from 0 to
            all of them. Between two measured widths the loss rises in proportion to it: in
            proportion to the width, half of all widths found would be measured ones.
    """

    widths: tuple[int, ...]
    losses: tuple[float, ...]
    removed: tuple[float, ...]

    def at(self, width: int) -> float:
        """The loss at any width; never less for a narrower group."""
        original, rising = self.widths[0], np.maximum.accumulate(self.losses)
        removed = [self.removed[original - measured] for measured in self.widths]
        return float(np.interp(self.removed[original - width], removed, rising))


@dataclass(frozen=True)
class Budget:
    """Attributes:
    measure: a key of ``MEASURES``.
    limit: at most so many of it.
    classes, resolution: of the network that is costed.
    time: measured widths also keep ``saving`` at most so large; None: it is as it comes.
    """

    measure: str
    limit: float
    classes: int
    resolution: int
    time: float | None = None

    def of(self, spec: VariantSpec) -> int:
        total = cost(spec, classes=self.classes, resolution=self.resolution)
        return MEASURES[self.measure](total)

    def keeps(self, spec: VariantSpec) -> bool:
        return self.of(spec) <= self.limit

    def pays(self, spec: VariantSpec) -> bool:
        return self.time is None or self.saving(spec) <= self.time

    def part(self, spec: VariantSpec, share: float) -> Budget:
        """The budget that is left of ``spec`` after this share of the steps, each of which takes
        as much of what the one before left."""
        if share == 1:
            return self  # to the last digit: the least network may be what was asked for
        original, time = self.of(spec), self.saving(spec)
        return replace(
            self,
            limit=original * (self.limit / original) ** share,
            time=None if self.time is None else time * (self.time / time) ** share,
        )

    def saving(self, spec: VariantSpec) -> float:
        """What narrowing is priced by: the measure itself, and where it is multiply-adds, the
        time they stand for: activations are read and written too."""
        if self.measure != "macs":
            return self.of(spec)
        ops = exported_operators(spec, classes=self.classes, resolution=self.resolution)
        return sum(op.macs + ELEMENT_MACS * op.elements for op in ops)


@dataclass(frozen=True)
class WidthLimits:
    """How narrow groups may become.

    Attributes:
        multiple: a narrowed group has a multiple of so many channels.
        original: widths of the unpruned network; ``LEAST_SHARE`` of them always stays.
    """

    multiple: int
    original: Mapping[str, int]

    def floor(self, group: ChannelGroup) -> int:
        """The smallest width allowed; the group's own where it cannot be narrowed."""
        share = LEAST_SHARE * self.original.get(group.name, group.width)
        return min(group.width, max(1, -int(-share // self.multiple)) * self.multiple)

    def narrower(self, group: ChannelGroup, width: int) -> int | None:
        """The next allowed width below ``width``, or None."""
        notch = max(1, round(group.width / _NOTCHES / self.multiple)) * self.multiple
        lower = max(self.floor(group), -(-(width - notch) // self.multiple) * self.multiple)
        return lower if lower < width else None


def measured_widths(
    spec: VariantSpec, curves: Mapping[str, SensitivityCurve], budget: Budget, limits: WidthLimits
) -> dict[str, int]:
    """Widths that keep the budget, narrowing where the measured loss per saving is smallest.

    A saving shrinks as neighbours become narrower, so a move's price only rises: prices are
    worked out anew only for the cheapest move known (lazy greedy). Groups without a curve are
    narrowed last, and then all the way with the others: only the least network keeps such a budget.

    Returns:
        The width of every group that becomes narrower.

    Raises:
        UsageProblem: the budget cannot be kept.
    """
    refuse_unreachable(spec, budget, limits)
    groups = channel_groups(spec)
    widths = {name: group.width for name, group in groups.items()}
    now = budget.saving(spec)

    def price(name: str) -> tuple[float, int] | None:
        lower = limits.narrower(groups[name], widths[name])
        if lower is None or name not in curves:
            return None
        saved = now - budget.saving(narrowed(spec, {**widths, name: lower}))
        if saved <= 0:
            return None
        lost = curves[name].at(lower) - curves[name].at(widths[name])
        return lost / saved, lower

    heap = [(found[0], name) for name in groups if (found := price(name))]
    heapq.heapify(heap)

    def done() -> bool:
        found = narrowed(spec, widths)
        return budget.keeps(found) and budget.pays(found)

    while heap and not done():
        _, name = heapq.heappop(heap)
        found = price(name)
        if found is None:
            continue
        if heap and found[0] > heap[0][0]:
            heapq.heappush(heap, (found[0], name))
            continue
        widths[name] = found[1]
        now = budget.saving(narrowed(spec, widths))
        if again := price(name):
            heapq.heappush(heap, (again[0], name))
    if not budget.keeps(narrowed(spec, widths)):
        widths = narrowest(spec, limits)
    return {name: width for name, width in widths.items() if width < groups[name].width}


def uniform_widths(spec: VariantSpec, budget: Budget, limits: WidthLimits) -> dict[str, int]:
    """The same share of every group but the squeezes, as large as the budget allows.

    Raises:
        UsageProblem: the budget cannot be kept.
    """
    refuse_unreachable(spec, budget, limits)
    groups = channel_groups(spec)

    def at(share: float) -> dict[str, int]:
        widths = {}
        for name, group in groups.items():
            rounded = round(share * group.width / limits.multiple) * limits.multiple
            if group.role != "squeeze":
                widths[name] = min(group.width, max(limits.floor(group), rounded))
        return widths

    shares = np.linspace(1, 0, 1001).tolist()
    found = next(
        (widths for share in shares if budget.keeps(narrowed(spec, widths := at(share)))),
        narrowest(spec, limits),
    )
    return {name: width for name, width in found.items() if width < groups[name].width}


def narrowest(spec: VariantSpec, limits: WidthLimits) -> dict[str, int]:
    """Every group at its floor."""
    groups = channel_groups(spec)
    return {name: limits.floor(group) for name, group in groups.items()}


def refuse_unreachable(spec: VariantSpec, budget: Budget, limits: WidthLimits) -> None:
    """Raise UsageProblem where even the narrowest network breaks the budget: says what is the
    best reachable, and which block it is that binds."""
    smallest = narrowed(spec, narrowest(spec, limits))
    least = budget.of(smallest)
    if least <= budget.limit:
        return
    original = budget.of(narrowed(spec, {}))
    name, part = largest_part(smallest, budget)
    raise UsageProblem(
        f"{spec.name} cannot be pruned to {budget.limit:,.0f} {MEASURE_NAMES[budget.measure]}",
        found=f"{least:,} ({least / original:.3f} of {original:,}) with every width at its least; "
        f"{name} binds, with {100 * part / least:.0f} % of them",
        expected=f"a target of at least {math.ceil(1000 * least / original) / 1000:.3f}",
        fix="raise the target, or prune a smaller variant",
    )


def largest_part(spec: VariantSpec, budget: Budget) -> tuple[str, int]:
    """The block (or stem, top, predictions) with most of what is limited, and how much."""
    parts: dict[str, int] = {}
    for op in exported_operators(spec, classes=budget.classes, resolution=budget.resolution):
        amount = op.macs
        if budget.measure != "macs":
            amount = (op.weights + op.biases) * (4 if budget.measure == "size" else 1)
        parts[op.part] = parts.get(op.part, 0) + amount
    name = max(parts, key=lambda part: parts[part])
    return name, parts[name]
