"""What a target means, and which are refused before anything is measured."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from converters.pruning.config import Measure, PruneConfig
from converters.pruning.context import PruningContext
from converters.pruning.finetuning.distillation import stored_state
from converters.pruning.report import beyond_target
from converters.pruning.run import final_name
from converters.pruning.run_files import store_target, stored_target
from converters.pruning.selection.allocation import CARD_BYTES, Budget, WidthLimits, uniform_widths
from converters.pruning.selection.groups import channel_groups
from converters.pruning.selection.targets import Latencies, find_budget
from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.measure.statistics import Ratio
from edge_effnet.training.run_folder.checkpointing import write_state
from edge_effnet.training.run_folder.trainer_state import TrainerState
from tests.converters.pruning.conftest import Tiny

B0 = VARIANTS["b0"]
LIMITS = WidthLimits(8, {name: group.width for name, group in channel_groups(B0).items()})
MS_PER_MAC = 1e-7


def macs(spec: VariantSpec) -> int:
    return Budget("macs", 0, 10, 96).of(spec)


def config(measure: Measure, target: float) -> PruneConfig:
    return PruneConfig("b0", "photos", measure, target)


def budget_for(measure: Measure, target: float) -> Budget:
    """On a machine whose time is in proportion to the multiply-adds."""

    def time_specs(specs: Sequence[VariantSpec]) -> Latencies:
        times = tuple(MS_PER_MAC * macs(spec) for spec in specs)
        share = times[-1] / times[0]
        return Latencies(times, Ratio(share, share, share), (0,) * len(times))

    return find_budget(
        config(measure, target),
        B0,
        classes=10,
        resolution=96,
        limits=LIMITS,
        widths_for=lambda budget: uniform_widths(B0, budget, LIMITS),
        time_specs=time_specs,
    )


def test_a_share_and_an_amount_are_budgets() -> None:
    assert budget_for("macs", 0.5).limit == 0.5 * macs(B0)
    assert budget_for("macs", 30e6).limit == 30e6
    assert budget_for("macs", 0.5).time == pytest.approx(
        0.6 * Budget("macs", 0, 10, 96).saving(B0)
    )  # four fifths of the share
    assert budget_for("params", 0.5).time is None
    assert budget_for("size", 0.5).limit == 0.5 * (
        CARD_BYTES + cost(B0, classes=10, resolution=96).float_bytes
    )


def test_more_than_was_asked_for_is_explained() -> None:
    said = beyond_target(config("macs", 0.7), 1000, 650)
    assert said is not None
    assert said.startswith("0.65 of the multiply-adds are left and not 0.70, so that time falls")
    assert beyond_target(config("macs", 0.7), 1000, 695) is None
    assert beyond_target(config("params", 0.7), 1000, 300) is None


def test_a_latency_becomes_as_many_multiply_adds_as_keep_it() -> None:
    found = budget_for("latency", 0.6 * MS_PER_MAC * macs(B0))
    assert found.measure == "macs"
    assert 0.5 < found.limit / macs(B0) <= 0.6


@pytest.mark.parametrize(
    ("measure", "target"), [("macs", 0.01), ("params", 1e4), ("size", 0.01), ("latency", 0.01)]
)
def test_an_unreachable_target_names_the_block_and_the_best(
    measure: Measure, target: float
) -> None:
    with pytest.raises(UsageProblem, match="b0 cannot be pruned to") as said:
        budget_for(measure, target)
    assert "binds, with" in str(said.value)
    best = re.search(r"a target of at least ([0-9.]+)", str(said.value))
    assert best is not None
    assert budget_for(measure, float(best[1])).limit > 0  # what it names can be reached


@pytest.mark.parametrize("measure", ["macs", "params", "size", "latency"])
def test_a_target_that_is_kept_already_is_refused(measure: Measure) -> None:
    with pytest.raises(UsageProblem, match="keeps the target already"):
        budget_for(measure, 1e9)


def test_the_name_says_the_target() -> None:
    assert final_name(B0, config("macs", 0.7)) == "b0-macs70"
    assert final_name(B0, config("macs", 150e6)) == "b0-macs150M"
    assert final_name(B0, config("size", 4.5e6)) == "b0-size4.5M"
    assert final_name(B0, config("latency", 10)) == "b0-latency10ms"


def test_a_stopped_recovery_does_not_go_on_with_other_pictures(
    tiny_of: Any, tmp_path: Path
) -> None:
    tiny: Tiny = tiny_of("b0")
    path = tmp_path / "step-1" / "last.state"
    path.parent.mkdir()
    assert stored_state(path, {"data": "these"}) is None
    tiny.network.compile(loss="mse")
    write_state(path, tiny.network, TrainerState(), {"data": "these"})
    assert stored_state(path, {"data": "these"}) is not None
    with pytest.raises(UsageProblem, match="found another data"):
        stored_state(path, {"data": "those"})


def test_a_stopped_run_keeps_its_budget_and_refuses_other_weights(tmp_path: Path) -> None:
    def context(sha256: str) -> PruningContext:
        origin = {"kind": "file", "file": "best.h5", "sha256": sha256}
        return cast("PruningContext", SimpleNamespace(folder=tmp_path, origin=origin))

    assert stored_target(context("1a")) is None
    budget = budget_for("macs", 0.5)
    store_target(context("1a"), budget)
    assert stored_target(context("1a")) == budget
    with pytest.raises(UsageProblem, match=r"found weights from best\.h5.* sha256 1a"):
        stored_target(context("2b"))
    stored = (tmp_path / "target.json").read_text()
    for damage in ("{", "[]", stored.replace('"macs"', "[]"), stored.replace('"limit": ', '"x": ')):
        (tmp_path / "target.json").write_text(damage)
        with pytest.raises(DataError, match="is damaged"):
            stored_target(context("1a"))
