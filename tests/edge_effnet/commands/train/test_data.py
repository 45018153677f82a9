"""Data that nothing can be trained on, or only in part: named, skipped or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.commands.train.runs import (
    SMALL,
    refused,
    train,
)
from tests.edge_effnet.training.conftest import draw_colours, tiny, tiny_file

__all__ = ["tiny", "tiny_file", "train"]  # fixtures


def test_no_data(train: Cli) -> None:
    refused(train(), 2, "no --data")
    refused(train("--data", "nowhere", "--weights", "random"), 1, "nowhere is not a data set")


def test_one_class(train: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    for name in ("blue", "green"):
        shutil.rmtree(folder / name)
    refused(train("--data", folder, "--run", tmp_path / "run"), 1, "one class only")
    assert not (tmp_path / "run").exists()


def test_a_folder_named_signs_is_what_is_meant(
    train: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw_colours(tmp_path / "signs", 2)
    refused(train("--data", "signs", "--weights", "random"), 1, "signs has too few images")


def test_too_few_images(train: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    for number in range(4):
        (folder / "red" / f"{number}.png").unlink()
    answer = train("--data", folder, "--run", tmp_path / "run")
    refused(answer, 1, "too few images", "2 of 'red'", "at least 5 readable ones per class")


def test_an_empty_class_folder(train: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    (folder / "violet").mkdir()
    answer = train("--data", folder, "--run", tmp_path / "run")
    refused(answer, 1, "class folders without images", "'violet'")


def test_validation_must_not_be_the_training_data(train: Cli, tmp_path: Path) -> None:
    folder = draw_colours(tmp_path / "data", 6)
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "link").symlink_to(folder)
    where = ("--run", tmp_path / "run")
    for val in (folder, tmp_path / "copy", tmp_path / "link"):
        refused(train("--data", folder, "--val", val, *where), 1, "the same images")


def test_shared_images_leave_validation(train: Cli, tmp_path: Path, tiny_file: Path) -> None:
    folder, val = draw_colours(tmp_path / "data", 6), draw_colours(tmp_path / "val", 4, seed=9)
    shutil.copy(folder / "red" / "0.png", val / "red" / "copy.png")
    code, _, err = train(
        *("--data", folder, "--val", val, "--variant", tiny_file, *SMALL, "--epochs", "1"),
        *("--run", tmp_path / "run"),
    )
    assert code == 0
    assert "1 of 13 validation images stands in the training data too" in err


def test_classes_of_validation_that_training_lacks(train: Cli, tmp_path: Path) -> None:
    folder, val = draw_colours(tmp_path / "data", 6), draw_colours(tmp_path / "val", 4, seed=9)
    (val / "red").rename(val / "pink")
    refused(train("--data", folder, "--val", val, "--run", tmp_path / "run"), 1, "'pink'")


def test_unreadable_images_are_named_skipped_or_refused(
    train: Cli, tmp_path: Path, tiny_file: Path
) -> None:
    folder = draw_colours(tmp_path / "data", 8)
    (folder / "red" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    how = ("--data", folder, "--variant", tiny_file, *SMALL, "--epochs", "1", "--run")
    code, out, err = train(*how, tmp_path / "run", "--json", "-")
    assert code == 0
    assert "skipped 1 unreadable image" in err
    assert "red/3.png" in err
    (skipped,) = json.loads(out)["skipped"]
    assert skipped["file"].endswith("red/3.png")
    refused(train(*how, tmp_path / "strict", "--strict"), 1, "red/3.png")
