"""``edge-effnet prune`` from end to end, on a tiny network and generated photos."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_effnet.cost import cost
from edge_effnet.network.checkpoint import describe, peek, save_checkpoint
from edge_effnet.variant_files import find_variant, write_variant
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TINY, TinyModel

QUICK = ("--pictures", 32, "--epochs", 2, "--threads", 2)


@pytest.fixture(scope="session")
def trained(tiny: TinyModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A row and a checkpoint, as scale and train leave them."""
    folder = tmp_path_factory.mktemp("trained")
    write_variant(folder / "tiny.json", TINY)
    labels = tuple(f"class{index}" for index in range(CLASSES))
    about = describe(TINY, resolution=SIDE, labels=labels, steps=[{"step": "trained"}])
    save_checkpoint(tiny.network, folder / "best.h5", about)
    return folder


@pytest.fixture(scope="session")
def pruned(
    trained: Path,
    photos: Path,
    edge_effnet: RunCommand,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("pruned")
    done = edge_effnet(
        "prune", "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--data", photos, "--target-macs", "0.7", *QUICK,
        "--run", folder / "run", "--json", folder / "result.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "of the whole" in done.stdout
    assert "next: edge-effnet convert --variant" in done.stdout
    return folder


def test_a_pruned_network_is_a_variant_with_fewer_multiply_adds(pruned: Path) -> None:
    result = json.loads((pruned / "result.json").read_text())
    spec = find_variant(result["variant"])
    whole, small = (cost(one, classes=CLASSES, resolution=SIDE).macs for one in (TINY, spec))
    assert spec.name == f"{TINY.name}-macs70"
    assert small <= 0.7 * whole
    assert [network["macs"] for network in result["networks"]] == [whole, small]
    for block in spec.blocks or ():
        assert block.width_expanded % 8 == 0


def test_the_checkpoint_says_what_was_done(pruned: Path) -> None:
    result = json.loads((pruned / "result.json").read_text())
    metadata = peek(Path(result["weights"])).metadata
    assert metadata is not None
    steps = metadata["steps"]
    assert [step["step"] for step in steps] == ["trained", *["pruned", "recovered"] * 2]
    assert steps[3]["reached"] <= steps[3]["limit"]
    assert all(0 < share < 1 for share in steps[3]["kept_shares"].values())
    assert metadata["labels"] == [f"class{index}" for index in range(CLASSES)]


def test_a_finished_run_is_not_written_over(
    pruned: Path, trained: Path, photos: Path, edge_effnet: RunCommand
) -> None:
    done = edge_effnet(
        "prune", "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--data", photos, "--target-macs", "0.5", "--run", pruned / "run",
    )  # fmt: skip
    assert done.returncode == 1
    assert "already holds a pruning run" in done.stderr
    assert "--resume" in done.stderr


def test_resuming_a_finished_run_changes_nothing(pruned: Path, edge_effnet: RunCommand) -> None:
    weights = pruned / "run" / "best.h5"
    before = peek(weights).metadata
    done = edge_effnet("prune", "--resume", pruned / "run", "--threads", 2)
    assert done.returncode == 0, done.stderr
    assert "step 2 was cut already" in done.stderr
    assert peek(weights).metadata == before
