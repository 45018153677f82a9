"""From a target to the budget that widths are searched for; latencies are measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from converters.pruning.config import PruneConfig
from converters.pruning.selection.allocation import (
    TIME_SHARE,
    Budget,
    WidthLimits,
    largest_part,
    narrowest,
    refuse_unreachable,
)
from converters.pruning.selection.groups import narrowed
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.errors import UsageProblem
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.measure.statistics import Ratio, paired_ratio
from edge_effnet.measure.timing import time_files

if TYPE_CHECKING:
    import keras

TRIES = 4  # networks built and timed in search of a latency


@dataclass(frozen=True)
class Latencies:
    """Float networks timed in turn on one core of this machine.

    Attributes:
        medians_ms: the unpruned network's first.
        ratio: the last network's time as a share of the first one's, with its interval.
        sizes: of the files, bytes.
        doubts: why the times are not to be trusted, in sentences.
    """

    medians_ms: tuple[float, ...]
    ratio: Ratio
    sizes: tuple[int, ...]
    doubts: tuple[str, ...] = ()


def time_networks(
    networks: Sequence[tuple[VariantSpec, keras.Model]], *, seconds: float = 2.0
) -> Latencies:
    """Export networks to float ``.tflite`` and time them in turn."""
    from converters.float_model.export import export_network

    with scratch_folder() as folder:
        paths, sizes = [], []
        for index, (spec, network) in enumerate(networks):
            height, width = network.input_shape[1:3]
            classes = int(network.output_shape[-1])
            path = folder / f"{index}.tflite"
            card = Card(
                name=spec.name,
                labels=tuple(map(str, range(classes))),
                preprocess=Preprocess(height, width),
                variant=None,
                weights={},
                steps=(),
                tool={},
            )
            model = export_network(network, spec)
            write_artifact(path, model, card)
            paths.append(path)
            sizes.append(len(model))
        timing = time_files(paths, seconds=seconds, min_rounds=30)
    original, *_, last = timing.latencies
    return Latencies(
        medians_ms=timing.medians_ms,
        ratio=paired_ratio(last.samples_ms, original.samples_ms),
        sizes=tuple(sizes),
        doubts=timing.doubts,
    )


def find_budget(
    config: PruneConfig,
    spec: VariantSpec,
    *,
    classes: int,
    resolution: int,
    limits: WidthLimits,
    widths_for: Callable[[Budget], dict[str, int]],
    time_specs: Callable[[Sequence[VariantSpec]], Latencies],
) -> Budget:
    """The budget that a target means.

    Macs, parameters and bytes are counted; with macs goes the time that has to follow
    (``TIME_SHARE``). A latency is found by bisection over the share of
    multiply-adds: each try is the network that the widths for this share make, exported and
    timed beside the unpruned one. Its weights do not matter for that.

    Args:
        widths_for: needs measurements that take a minute, so it is asked only after the target
            has proved to be reachable.

    Raises:
        UsageProblem: a target that not even the narrowest network reaches, or that the original
            one keeps already.
    """
    if config.measure != "latency":
        unlimited = Budget(config.measure, 0, classes, resolution)
        original = unlimited.of(spec)
        limit = config.target * original if config.relative else config.target
        if limit >= original:
            raise UsageProblem(
                f"{spec.name} keeps the target already",
                found=f"{original:,}",
                expected=f"a target below that, not {limit:,.0f}",
                fix="give a share below 1, such as 0.7, or a smaller amount",
            )
        budget = replace(unlimited, limit=limit)
        refuse_unreachable(spec, budget, limits)
        if config.measure == "macs":
            share = 1 - TIME_SHARE * (1 - limit / original)
            budget = replace(budget, time=share * budget.saving(spec))
        return budget
    unlimited = Budget("macs", 0, classes, resolution)
    least = narrowed(spec, narrowest(spec, limits))
    timed = time_specs([spec, least])
    original_ms, least_ms = timed.medians_ms
    if config.target >= original_ms:
        raise UsageProblem(
            f"{spec.name} keeps the target already",
            found=f"{original_ms:.2f} ms measured here, in float on one core",
            expected=f"a target below that, not {config.target:g} ms",
            fix="give a smaller latency",
        )
    if config.target < least_ms:
        name, part = largest_part(least, unlimited)
        raise UsageProblem(
            f"{spec.name} cannot be pruned to {config.target:g} ms here",
            found=f"{least_ms:.2f} ms with every width at its least ({original_ms:.2f} ms "
            f"unpruned); {name} binds, with {100 * part / unlimited.of(least):.0f} % of the "
            "multiply-adds",
            expected=f"a target of at least {math.ceil(100 * least_ms) / 100:.2f} ms",
            fix="raise the target, or prune a smaller variant or resolution",
        )
    macs = unlimited.of(spec)
    low, high = unlimited.of(least) / macs, 1.0
    for _ in range(TRIES):
        middle = (low + high) / 2
        budget = replace(unlimited, limit=middle * macs)
        timed = time_specs([spec, narrowed(spec, widths_for(budget))])
        # In shares of the unpruned network's time in the same run: the machine's speed drifts.
        if timed.ratio.value <= config.target / original_ms:
            low = middle
        else:
            high = middle
    return replace(unlimited, limit=low * macs)
