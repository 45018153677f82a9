"""``edge-effnet train`` as a user meets it: its output, and one line where it cannot go on."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from edge_effnet.architecture.spec import VariantSpec
from tests.conftest import Cli
from tests.edge_effnet.commands.train.runs import (
    SMALL,
    command,
    refused,
    train,
)
from tests.edge_effnet.training.conftest import colours, tiny, tiny_file

__all__ = ["colours", "tiny", "tiny_file", "train"]  # fixtures


def test_a_run_prints_its_table_and_goes_into_json(
    train: Cli, tmp_path: Path, colours: Path, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = f"runs/tiny-{colours.name}"
    code, out, err = train(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--json", tmp_path / "result.json")
    )
    assert code == 0
    line = (
        r"^epoch \d/2: right on \d+ of \d+ photos held out \(\d+\.\d %\), loss \d+\.\d+; "
        r"in training \d+\.\d %, loss \d+\.\d+; \d+ s$"
    )
    assert len(re.findall(line, err, re.MULTILINE)) == 2
    assert err.count("note:") == 1
    assert f"note: {colours}: 48 images, 3 classes: blue (16), green (16), red (16)" in err
    assert re.search(r"^ +in training: +held out: *\n *epoch +loss +right % ", out)
    assert re.search(r"^best: epoch \d, right on \d+ of \d+ photos held out \(", out, re.MULTILINE)
    assert f"{first}/best.h5" in out
    assert "edge-effnet convert --variant" in out
    document = json.loads((tmp_path / "result.json").read_text())
    assert [row["epoch"] for row in document["history"]] == [1, 2]
    assert document["labels"] == ["blue", "green", "red"]

    # its config makes the same run again, and options override it
    code, out, _ = train("--config", first, "--epochs", "1", "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["run"] == f"{first}-2"
    assert document["config"]["batch_size"] == 8
    assert len(document["history"]) == 1

    refused(train("--resume", first, "--seed", 3), 2, "seed was 0, now 3")
    refused(
        train("--config", first, "--run", first),
        1,
        "already holds a run",
    )
    refused(train("--resume", first, "--run", "x"), 2, "--run too")


def test_signs_are_drawn(train: Cli, tmp_path: Path, tiny_file: Path) -> None:
    code, out, _ = train(
        *("--data", "signs", "--variant", tiny_file, "--weights", "random", "--epochs", "1"),
        *("--signs-train", "64", "--signs-val", "16", "--resolution", "32"),
        *("--run", tmp_path / "run", "--json", "-"),
    )
    assert code == 0
    assert "left" in json.loads(out)["labels"]


def test_a_loss_that_is_no_number(
    train: Cli, tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    answer = train(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--run", tmp_path / "run"),
        *("--learning-rate", "1e6", "--warmup-epochs", "0", "--optimizer", "rmsprop"),
        *("--epochs", "30", "--patience", "0"),
    )
    refused(answer, 1, "training diverged", "at step", "--learning-rate than 1e+06")
    assert not (tmp_path / "run").exists()  # no epoch was finished: nothing to go on with


def test_what_trains_nothing_writes_nothing(
    train: Cli, tmp_path: Path, colours: Path, tiny_file: Path
) -> None:
    answer = train(
        *("--data", colours, "--variant", tiny_file, *SMALL, "--run", tmp_path / "runs" / "run"),
        *("--weights", "random", "--epochs", "0"),
    )
    refused(answer, 2, "nothing to train", "--epochs 0 from random weights")
    assert not (tmp_path / "runs").exists()


def test_nowhere_to_write(train: Cli, tmp_path: Path, colours: Path, tiny_file: Path) -> None:
    (tmp_path / "file").touch()
    how = ("--data", colours, "--variant", tiny_file, *SMALL, "--run")
    refused(train(*how, tmp_path / "file"), 1, "is a file")
    refused(train(*how, tmp_path / "file" / "run"), 1, "cannot be written")


def test_options_out_of_range(train: Cli) -> None:
    refused(train("--data", "signs", "--val-share", "2"), 2, "--val-share is a share; found '2'")
    refused(train("--data", "signs", "--val", "photos"), 2, "--val is for photos")
    refused(train("--resume", "nowhere"), 1, "is not a training config")


def test_a_variant_without_weights_says_what_to_do(
    train: Cli, tmp_path: Path, colours: Path, tiny: VariantSpec
) -> None:
    answer = train("--data", colours, "--variant", "lite3", "--run", tmp_path / "run")
    refused(answer, 1, "no official Keras weights for lite3", "--weights random")
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
