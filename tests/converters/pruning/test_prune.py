"""``edge-effnet prune`` from end to end, on a tiny network and generated photos."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.files import find_variant, write_variant
from edge_effnet.artifact import read_artifact
from edge_effnet.network.weights.checkpoint import describe, peek, save_checkpoint
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, SIDE, TINY, TinyModel

QUICK = ("--importance-images", 32, "--epochs", 2, "--steps", 1, "--threads", 2)


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
    """A run that was interrupted after its first cut and gone on with."""
    folder = tmp_path_factory.mktemp("pruned")
    command = [
        str(Path(sys.executable).with_name("edge-effnet")), "prune",
        "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--data", photos, "--target-macs", "0.7", "--run", folder / "run", *QUICK,
    ]  # fmt: skip
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        while running.poll() is None and not (folder / "run" / "step-1" / "cut.h5").exists():
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=800)
    assert running.returncode == 130, said
    assert f"edge-effnet prune --resume {shlex.quote(str(folder / 'run'))}" in said

    done = edge_effnet(
        "prune", "--resume", folder / "run", "--threads", 2, "--json", folder / "result.json"
    )
    assert done.returncode == 0, done.stderr
    assert "step 1 was sliced already" in done.stderr
    assert "of the unpruned" in done.stdout
    assert "edge-effnet convert --variant" in done.stdout
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
    assert [step["step"] for step in steps] == ["trained", "pruned", "recovered"]
    assert steps[1]["reached"] <= steps[1]["limit"]
    assert all(0 < share < 1 for share in steps[1]["kept_shares"].values())
    assert metadata["labels"] == [f"class{index}" for index in range(CLASSES)]


@pytest.mark.slow
def test_weights_go_to_zero_while_the_network_learns(
    trained: Path, photos: Path, edge_effnet: RunCommand, tmp_path: Path
) -> None:
    done = edge_effnet(
        "prune", "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--data", photos, "--unstructured", "0.8", "--run", tmp_path / "run", *QUICK,
        "--json", tmp_path / "result.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "of the unpruned one; it takes" in done.stdout
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["format"] == "edge-effnet sparsified"
    before, after = result["networks"]
    assert before["zero_share"] < 0.01
    assert after["zero_share"] == pytest.approx(0.8, abs=0.02)
    assert after["compressed_bytes"] < before["compressed_bytes"]
    metadata = peek(Path(result["weights"])).metadata
    assert metadata is not None
    assert metadata["steps"][-1]["zeros"] == pytest.approx(after["zero_share"], abs=0.001)


def test_a_finished_run_is_not_written_over(
    pruned: Path, trained: Path, photos: Path, edge_effnet: RunCommand
) -> None:
    done = edge_effnet(
        "prune", "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--data", photos, "--target-macs", "0.5", "--run", pruned / "run",
    )  # fmt: skip
    assert done.returncode == 1
    assert "already holds a run" in done.stderr
    assert "--resume" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--variant", "resnet50", "--data", "x", "--target-macs", "0.7"), "no variant 'resnet50'"),
        (("--variant", "b0", "--data", "x"), "prune takes one target"),
        (
            ("--variant", "b0", "--data", "x", "--target-macs", "0.7", "--target-size", "3MB"),
            "--target-macs and --target-size",
        ),
        (
            ("--variant", "b0", "--data", "x", "--unstructured", "0.8", "--target-macs", "0.7"),
            "--target-macs and --unstructured",
        ),
        (
            ("--variant", "b0", "--data", "x", "--sensitivity", "--target-macs", "0.7"),
            "prunes nothing and takes no target",
        ),
        (
            ("--variant", "b0", "--data", "x", "--target-macs", "0.7", "--plot", "b0.svg"),
            "found no --sensitivity",
        ),
        (
            ("--variant", "b0", "--data", "signs", "--val", "x", "--target-macs", "0.7"),
            "--val is for photos",
        ),
        (("--variant", "b0", "--data", "x", "--target-macs", "1.2"), "a share below 1"),
        (("--variant", "b0", "--data", "x", "--target-latency", "10"), "found '10'"),
        (("--variant", "b0", "--data", "x", "--unstructured", "1.5"), "--unstructured is a share"),
        (("--model", "int8.tflite", "--data", "x", "--variant", "b0"), "int8.tflite cannot be"),
        (
            ("--weights", "int8.tflite", "--variant", "b0", "--data", "x", "--target-macs", "0.7"),
            "a .tflite is a converted network",
        ),
        (("--model", "mine.keras", "--data", "x", "--variant", "b0"), "no variant of ours"),
        (
            ("--variant", "b0", "--data", "x", "--target-macs", "0.7", "--pictures=3"),
            "--importance-images is out of range",  # the old spelling is understood
        ),
        (("--resume", "nowhere"), "nowhere is not a pruning config"),
    ],
)
def test_what_cannot_be_pruned_is_refused_in_one_line(
    arguments: tuple[str, ...], line: str
) -> None:
    from click.testing import CliRunner

    from converters.commands.prune import command
    from edge_effnet.errors import EdgeEffnetError

    result = CliRunner().invoke(command, arguments)
    assert isinstance(result.exception, EdgeEffnetError)
    assert line in str(result.exception)
    assert "to fix:" in str(result.exception)


@pytest.mark.slow
def test_pruning_and_int8_in_one_command(
    trained: Path, photos: Path, edge_effnet: RunCommand, tmp_path: Path
) -> None:
    """The end of the chain is judged against the float network before it was pruned."""
    done = edge_effnet(
        "convert", "--variant", trained / "tiny.json", "--weights", trained / "best.h5",
        "--prune", "0.3", "--int8", "--calibration", photos, "--data", photos,
        "--out", tmp_path / "out", "--runs", tmp_path / "runs", "--json", tmp_path / "result.json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = {path.name for path in (tmp_path / "out").glob("*.tflite")}
    name = f"{TINY.name}-macs70"
    made = shlex.quote(str(tmp_path / "out" / f"{name}-int8.tflite"))
    assert f"edge-effnet classify {made} {photos}/" in done.stdout  # one that is there
    assert files == {
        f"{TINY.name}-float32.tflite",
        f"{name}-float32.tflite",
        f"{name}-int8.tflite",
    }
    models = json.loads((tmp_path / "result.json").read_text())["models"]
    assert [model["recipe"] for model in models] == ["unpruned", "float32", "int8"]
    assert models[2]["comparison"]["n"] == models[1]["comparison"]["n"]
    card = read_artifact(tmp_path / "out" / f"{name}-int8.tflite").card
    assert card is not None
    steps = [step["step"] for step in card.steps]
    assert steps == ["trained", *["pruned", "recovered"] * 2, "exported", "quantized"]
