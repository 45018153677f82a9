"""A search before its first trial: the points, the images, the plan."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from edge_effnet.architecture.files import find_variant, write_variant
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.errors import UsageProblem
from edge_effnet.files.write import write_together
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.search.halving import Stage, epochs_in_all, stages, trials_in_all
from edge_effnet.search.images import IMAGE_FILES, SearchImages, divide_images, reopen_images
from edge_effnet.search.points.grid import grid
from edge_effnet.search.points.latency import (
    Measure,
    family_within,
    first_family,
    match_in_time,
)
from edge_effnet.search.points.matching import Family, Point, baseline, distinct, family_of, match
from edge_effnet.search.trial import variant_file
from edge_effnet.stages import StartStage

RESULT_FILE, FOUND_FILE, STEPS_FILE = "result.json", "found.json", "trials.json"
PLOT_FILES = ("accuracy-macs.png", "accuracy-size.png", "accuracy-latency.png")
RUN_FILES = (
    CONFIG_FILE.name, FOUND_FILE, RESULT_FILE, *PLOT_FILES, *IMAGE_FILES,
    "variants/*.json", "trials/*/*", STEPS_FILE,
)  # fmt: skip
_TRAINING_FACTOR = 3  # forward, and twice as much backward
_MACS_PER_SECOND = 6e9  # of one core in training, roughly: an x86-64 core did 3 to 12
# Measured for B0 with 32 images a step: 1.8 GB at 96 px, 4.3 GB at 224 px; more activations for the
# same multiply-adds, as wide images have, take up to half as much again.
_BYTES_TO_START, _BYTES_PER_MAC = 1.2e9, 0.4
_SECONDS_TO_START = 25.0  # a process with TensorFlow, building and tracing a network


@dataclass(frozen=True)
class Ground:
    """What a search stands on, before its points are known.

    Attributes:
        base: the network of phi 0.
    """

    config: SearchConfig
    folder: Path
    images: SearchImages
    base: VariantSpec

    def write(self) -> None:
        """Write down the settings, and what every image is for.

        Raises:
            OutputError: the folder cannot be written.
        """
        CONFIG_FILE.write(self.folder, self.config)
        paths = {self.folder / name: text for name, text in self.images.files.items()}
        write_together(paths, overwrite=True)


Fitted: TypeAlias = tuple[Family, list[Point], list[str]]
"""The points that have a network, the baseline first, and what is said of the others."""


@dataclass(frozen=True)
class Plan:
    """Everything that is known before the first trial.

    Attributes:
        points: the baseline first.
        left_out: coefficients without a network of this cost, in sentences.
        stages: of successive halving.
    """

    config: SearchConfig
    folder: Path
    images: SearchImages
    family: Family
    points: tuple[Point, ...]
    left_out: tuple[str, ...]
    stages: list[Stage]

    @property
    def trials(self) -> int:
        return trials_in_all(self.stages, self.config.seeds)

    @property
    def epochs(self) -> int:
        """Of all trials together."""
        return epochs_in_all(self.stages, self.config.seeds)

    @property
    def parts(self) -> int:
        """How often a training begins or goes on, which takes its time too."""
        return sum(stage.points + 1 for stage in self.stages) + self.trials - len(self.points)

    @property
    def training_bytes(self) -> float:
        """Memory that one training takes at most, roughly."""
        macs = max(point.total.macs for point in self.points)
        return _BYTES_TO_START + _BYTES_PER_MAC * macs * self.config.batch_size

    def estimated_seconds(self, at_once: int) -> float:
        """Before anything was measured: from multiply-adds, rough by a factor of two.

        Args:
            at_once: trainings at a time, each on one core.
        """
        steps = self.points[0].total.macs * self.images.train * self.epochs
        training = _TRAINING_FACTOR * steps / _MACS_PER_SECOND
        return (training + self.parts * _SECONDS_TO_START) / at_once

    def write(self) -> None:
        """Write the variant of each point.

        Raises:
            OutputError: the folder cannot be written.
        """
        (self.folder / "variants").mkdir(exist_ok=True)
        for point in self.points:
            write_variant(variant_file(self.folder, point.name), point.spec, overwrite=True)


def base_of(config: SearchConfig) -> VariantSpec:
    """The network of phi 0.

    Raises:
        UsageProblem: no such variant, or one with explicit widths.
    """
    base = find_variant(config.base_variant)
    if base.blocks is not None:
        raise UsageProblem(
            f"{base.name} cannot be scaled",
            found="a width for each block, as prune writes them",
            expected="a variant of stages with multipliers",
            fix="give the variant it was pruned from as --base-variant",
        )
    return base if config.resolution is None else replace(base, resolution=config.resolution)


def open_ground(config: SearchConfig, folder: Path, *, resume: bool, stage: StartStage) -> Ground:
    """Look at the images and the base; nothing is written yet.

    Raises:
        UsageProblem: as ``base_of``, or budgets or a phi that no network keeps.
        DataError: as ``images.divide_images``.
    """
    base = base_of(config)
    known = resume and all((folder / name).exists() for name in IMAGE_FILES)
    images = reopen_images(config, folder) if known else divide_images(config, folder, stage)
    if config.budget_latency_ms is not None:  # refused before minutes are spent on measuring
        first_family(base, config.chosen_phi, config.budgets, images.classes)
    return Ground(config, folder, images, base)


def counted_points(ground: Ground) -> Fitted:
    """The points whose cost is counted.

    Raises:
        UsageProblem: budgets or a phi that no network keeps.
    """
    config = ground.config
    family = family_of(ground.base, config.chosen_phi, config.budgets, ground.images.classes)
    found = {name: match(family, name, one) for name, one in grid(config.grid).items()}
    return family, *distinct(baseline(family), found)


def timed_points(ground: Ground, limit_ms: float, measure: Measure) -> Fitted:
    """The points whose int8 latency is measured.

    Raises:
        UsageProblem: no network keeps the budgets.
    """
    config, classes = ground.config, ground.images.classes
    family, first = family_within(
        ground.base, config.chosen_phi, config.budgets, classes, limit_ms, measure
    )
    assert first.latency_ms is not None  # noqa: S101 (just measured)
    found = {
        name: match_in_time(family, name, one, first.latency_ms, measure)
        for name, one in grid(config.grid).items()
    }
    return family, *distinct(first, found)


def plan_of(ground: Ground, fitted: Fitted) -> Plan:
    """What will be trained.

    Raises:
        UsageProblem: there is no point besides the baseline.
    """
    family, points, left_out = fitted
    config = ground.config
    if len(points) == 1:
        raise UsageProblem(
            "no point of the grid can be brought to the cost of B0's coefficients",
            found=f"phi {family.phi:g} at {points[0].spec.resolution} px",
            expected="one at least",
            fix="give a finer --grid, another --phi or a larger --resolution",
        )
    return Plan(
        config,
        ground.folder,
        ground.images,
        family,
        tuple(points),
        tuple(left_out),
        stages(config.epochs, len(points) - 1, config.finalists),
    )
