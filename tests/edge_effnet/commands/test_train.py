"""``edge-effnet train`` as a user meets it: real processes, real kills, one clear line."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.cli import run
from edge_effnet.errors import DataError
from edge_effnet.training.checkpointing import read_state
from tests.edge_effnet.training.conftest import colours, draw_colours, tiny, tiny_file

__all__ = ["colours", "tiny", "tiny_file"]  # fixtures

Cli = Callable[..., tuple[int, str, str]]
SMALL = ("--weights", "random", "--epochs", "2", "--batch-size", "8", "--learning-rate", "0.01")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in ("train", *arguments)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def refused(answer: tuple[int, str, str], code: int, *parts: str) -> None:
    """One line, an exit code, no traceback."""
    got, out, err = answer
    line = err.strip().splitlines()[-1]
    assert got == code, err
    assert out == ""
    assert line.startswith("error: ")
    assert "to fix: " in line
    assert "Traceback" not in err
    for part in parts:
        assert part in line


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "edge_effnet", "train", *map(str, arguments)]


def start(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def wait_for_step(folder: Path, epoch: int, process: subprocess.Popen[str]) -> None:
    """Until a state of that epoch, in its middle, is stored."""
    for _ in range(9000):
        assert process.poll() is None, process.communicate()[1]
        try:
            progress = read_state(folder / "last.state").progress
            if progress.epoch >= epoch and progress.step > 0:
                return
        except DataError:
            pass
        time.sleep(0.01)
    pytest.fail("no state was stored")


def test_killed_and_resumed_is_the_same_as_never_killed(
    tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    how = ("--data", colours, "--variant", tiny_file, *SMALL, "--epochs", "16", "--patience", "0")
    how = (*how, "--mixup", "0.2", "--ema", "0.9", "--drop-connect", "0.3", "--save-every", "0")
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(*how, "--run", whole), check=True, capture_output=True)
    process = start(*how, "--run", killed)
    wait_for_step(killed, 3, process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    at = read_state(killed / "last.state").progress
    assert not at.finished
    again = subprocess.run(command("--resume", killed), check=True, capture_output=True, text=True)
    assert f"epoch {at.epoch}/16" in again.stderr
    assert f"epoch {at.epoch - 1}/16" not in again.stderr
    ours, theirs = read_state(whole / "last.state"), read_state(killed / "last.state")
    for part in ("model", "optimizer"):
        for one, other in zip(getattr(ours, part), getattr(theirs, part), strict=True):
            np.testing.assert_array_equal(one, other)
    assert [row.val_loss for row in ours.progress.rows] == [
        row.val_loss for row in theirs.progress.rows
    ]


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, colours: Path, tiny_file: Path) -> None:
    folder = tmp_path / "run"
    process = start(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--epochs", "5000"),
        *("--patience", "0", "--save-every", "0", "--run", folder),
    )
    wait_for_step(folder, 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"go on with: edge-effnet train --resume {shlex.quote(str(folder))}" in err
    assert "Traceback" not in err
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_a_run_prints_its_table_and_goes_into_json(
    cli: Cli, tmp_path: Path, colours: Path, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = f"runs/tiny-{colours.name}"
    code, out, err = cli(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--json", tmp_path / "result.json")
    )
    assert code == 0
    assert len(re.findall(r"^epoch \d/2: loss", err, re.MULTILINE)) == 2
    assert err.count("note:") == 1
    assert f"note: {colours}: 48 images, 3 classes: blue (16), green (16), red (16)" in err
    assert re.search(r"^epoch +loss +acc % +val loss +val acc % +gap +rate +seconds", out)
    assert f"{first}/best.h5" in out
    assert "edge-effnet convert --variant" in out
    document = json.loads((tmp_path / "result.json").read_text())
    assert [row["epoch"] for row in document["history"]] == [1, 2]
    assert document["labels"] == ["blue", "green", "red"]

    # its config makes the same run again, and options override it
    code, out, _ = cli("--config", first, "--epochs", "1", "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["run"] == f"{first}-2"
    assert document["config"]["batch_size"] == 8
    assert len(document["history"]) == 1

    refused(cli("--resume", first, "--seed", 3), 2, "seed was 0, now 3")
    refused(
        cli("--config", first, "--run", first),
        1,
        "already holds a run",
    )
    refused(cli("--resume", first, "--run", "x"), 2, "--run too")


def test_signs_are_drawn(cli: Cli, tmp_path: Path, tiny_file: Path) -> None:
    code, out, _ = cli(
        *("--data", "signs", "--variant", tiny_file, "--weights", "random", "--epochs", "1"),
        *("--signs-train", "64", "--signs-val", "16", "--resolution", "32"),
        *("--run", tmp_path / "run", "--json", "-"),
    )
    assert code == 0
    assert "left" in json.loads(out)["labels"]


def test_no_data(cli: Cli) -> None:
    refused(cli(), 2, "no --data")
    refused(cli("--data", "nowhere", "--weights", "random"), 1, "nowhere is not a data set")


def test_one_class(cli: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    for name in ("blue", "green"):
        shutil.rmtree(folder / name)
    refused(cli("--data", folder, "--run", tmp_path / "run"), 1, "one class only")
    assert not (tmp_path / "run").exists()


def test_a_folder_named_signs_is_what_is_meant(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_colours(tmp_path / "signs", 2)
    refused(cli("--data", "signs", "--weights", "random"), 1, "signs has too few images")


def test_too_few_images(cli: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    for number in range(4):
        (folder / "red" / f"{number}.png").unlink()
    answer = cli("--data", folder, "--run", tmp_path / "run")
    refused(answer, 1, "too few images", "2 of 'red'", "at least 5 readable ones per class")


def test_an_empty_class_folder(cli: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    (folder / "violet").mkdir()
    answer = cli("--data", folder, "--run", tmp_path / "run")
    refused(answer, 1, "class folders without images", "'violet'")


def test_validation_must_not_be_the_training_data(cli: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "link").symlink_to(folder)
    where = ("--run", tmp_path / "run")
    for val in (folder, tmp_path / "copy", tmp_path / "link"):
        refused(cli("--data", folder, "--val", val, *where), 1, "the same images")


def test_shared_images_leave_validation(cli: Cli, tmp_path: Path, tiny_file: Path) -> None:
    folder, val = draw_colours(tmp_path / "data", 6), draw_colours(tmp_path / "val", 4, seed=9)
    shutil.copy(folder / "red" / "0.png", val / "red" / "copy.png")
    code, _, err = cli(
        *("--data", folder, "--val", val, "--variant", tiny_file, *SMALL, "--epochs", "1"),
        *("--run", tmp_path / "run"),
    )
    assert code == 0
    assert "1 of 13 validation images stand in the training data too" in err


def test_classes_of_validation_that_training_lacks(cli: Cli, tmp_path: Path) -> None:
    folder, val = draw_colours(tmp_path / "data", 6), draw_colours(tmp_path / "val", 4, seed=9)
    (val / "red").rename(val / "pink")
    refused(cli("--data", folder, "--val", val, "--run", tmp_path / "run"), 1, "'pink'")


def test_unreadable_images_are_named_skipped_or_refused(
    cli: Cli, tmp_path: Path, tiny_file: Path
) -> None:
    folder = draw_colours(tmp_path / "data", 8)
    (folder / "red" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    how = ("--data", folder, "--variant", tiny_file, *SMALL, "--epochs", "1", "--run")
    code, out, err = cli(*how, tmp_path / "run", "--json", "-")
    assert code == 0
    assert "skipped 1 unreadable image" in err
    assert "red/3.png" in err
    (skipped,) = json.loads(out)["skipped"]
    assert skipped["file"].endswith("red/3.png")
    refused(cli(*how, tmp_path / "strict", "--strict"), 1, "red/3.png")


def test_a_loss_that_is_no_number(cli: Cli, tmp_path: Path, colours: Path, tiny_file: Path) -> None:
    answer = cli(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--run", tmp_path / "run"),
        *("--learning-rate", "1e6", "--warmup-epochs", "0", "--optimizer", "rmsprop"),
        *("--epochs", "30", "--patience", "0"),
    )
    refused(answer, 1, "training diverged", "at step", "--learning-rate than 1e+06")


def test_nowhere_to_write(cli: Cli, tmp_path: Path, colours: Path, tiny_file: Path) -> None:
    (tmp_path / "file").touch()
    how = ("--data", colours, "--variant", tiny_file, *SMALL, "--run")
    refused(cli(*how, tmp_path / "file"), 1, "is a file")
    refused(cli(*how, tmp_path / "file" / "run"), 1, "cannot be written")


def test_a_disk_that_fills_up_at_a_checkpoint(
    tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    """A limit on the size of files stands in for the disk: config.json fits, a state does not."""
    done = subprocess.run(
        [
            *("bash", "-c", 'ulimit -f 64; exec "$@"', "limited"),
            *command("--data", colours, "--variant", tiny_file, *SMALL),
            *("--run", str(tmp_path / "run")),
        ],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"EDGE_EFFNET_NATIVE_LOG": ""},
    )
    assert done.returncode == 1, done.stderr
    line = done.stderr.strip().splitlines()[-1]
    assert "cannot be written" in line
    assert "File too large" in line
    assert {path.name for path in (tmp_path / "run").iterdir()} == {"config.json"}


def test_options_out_of_range(cli: Cli) -> None:
    refused(cli("--data", "signs", "--val-share", "2"), 2, "--val-share is a share; found '2'")
    refused(cli("--data", "signs", "--val", "photos"), 2, "--val is for photos")
    refused(cli("--resume", "nowhere"), 1, "is not a training config")


def test_a_variant_without_weights_says_what_to_do(
    cli: Cli, tmp_path: Path, colours: Path, tiny: VariantSpec
) -> None:
    answer = cli("--data", colours, "--variant", "lite0", "--run", tmp_path / "run")
    refused(answer, 1, "no official Keras weights for lite0", "--weights random")
    assert not (tmp_path / "run").exists()
    assert tiny.official_weights is None


def test_help_needs_no_tensorflow(tmp_path: Path) -> None:
    (tmp_path / "tensorflow.py").write_text("raise ImportError('blocked')\n")
    (tmp_path / "keras.py").write_text("raise ImportError('blocked')\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command("--help"),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert "--resume" in done.stdout
    missing = subprocess.run(
        command("--data", "signs", "--weights", "random", "--run", tmp_path / "run"),
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert missing.returncode == 1
    assert "pip install 'edge-effnet[train]'" in missing.stderr
