"""``edge-effnet train --from`` as a user meets it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.commands.train.runs import SMALL, refused, train
from tests.edge_effnet.training.conftest import colours, draw_colours, tiny, tiny_file

__all__ = ["colours", "tiny", "tiny_file", "train"]  # fixtures


def test_a_new_class_later(
    train: Cli, tmp_path: Path, colours: Path, tiny_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photos = shutil.copytree(colours, tmp_path / "photos")
    shutil.rmtree(photos / "red")
    code, _, err = train("--data", "photos", "--variant", tiny_file, *SMALL, "--run", "runs/old")
    assert code == 0, err

    shutil.copytree(colours / "red", photos / "red")
    written = {path: path.read_bytes() for path in (tmp_path / "runs" / "old").iterdir()}
    code, out, err = train("--data", "photos", "--from", "runs/old", "--json", "result.json")
    assert code == 0, err
    assert "26 images that runs/old learned from are learned from again, 6 that it held out" in err
    assert "the classifier keeps its 2 classes; new: 'red'" in err
    assert "on the same 9 images, none of which either learned from" in out
    assert "of the 6 of classes that both know" in out
    assert "no class lost" in out
    assert "no gain is proven where the epoch was chosen on these images" in out
    assert {path: path.read_bytes() for path in written} == written
    document = json.loads((tmp_path / "result.json").read_text())
    assert document["run"] == "runs/tiny-photos"
    assert document["labels"] == ["blue", "green", "red"]
    assert document["before"]["run"] == "runs/old"
    assert document["before"]["classes_new"] == ["red"]
    assert document["before"]["epoch_chosen_on_these_images"] is True
    assert document["config"]["previous"] == "runs/old"
    assert document["config"]["epochs"] == 20

    # its config makes the same run again; another beginning is another run
    code, out, _ = train("--config", "runs/tiny-photos", "--epochs", "0", "--json", "-")
    assert code == 0
    assert json.loads(out)["before"]["classes_new"] == ["red"]
    answer = train("--resume", "runs/tiny-photos", "--from", "runs/tiny-photos-2")
    refused(answer, 2, "from was 'runs/old', now 'runs/tiny-photos-2'")
    answer = train("--config", "runs/old", "--from", "runs/old")
    refused(answer, 2, "--from takes the config of its run")
    refused(train("--data", "photos", "--from", "photos"), 1, "is not the folder of a training run")

    # what has no class, or several, is for no classifier of classes
    (tmp_path / "several.csv").write_text(
        "file,label\n" + "".join(f"photos/red/{n}.png,red|blue\n" for n in range(9))
    )
    answer = train("--data", "several.csv", "--from", "runs/old")
    refused(answer, 1, "several.csv")


def test_drawn_signs_have_no_images_to_keep_apart(
    cli: Cli, train: Cli, tmp_path: Path, tiny_file: Path
) -> None:
    how = ("--variant", tiny_file, "--weights", "random", "--epochs", "1", "--resolution", "32")
    small = ("--signs-train", "64", "--signs-val", "16")
    code, _, err = train("--data", "signs", *how, *small, "--run", tmp_path / "old")
    assert code == 0, err
    refused(train("--from", tmp_path / "old"), 2, "signs are drawn anew")
    photos = draw_colours(tmp_path / "photos", 6)
    answer = train("--data", photos, "--from", tmp_path / "old", "--run", tmp_path / "new")
    refused(answer, 1, "has no images of classes that", "'background'")
    assert cli("signs", "render", tmp_path / "files", "-n", "96", "--size", "40")[0] == 0
    how = ("--data", tmp_path / "files", "--from", tmp_path / "old", "--epochs", "1")
    code, out, err = train(*how, "--run", tmp_path / "new", "--json", "-")
    assert code == 0, err
    assert "old used none of these images: 80 to learn from, 16 to validate on" in err
    document = json.loads(out)
    assert document["before"]["images_of_known_classes"]["images"] == 16
    assert document["config"]["flip"] is False


def test_the_help_names_the_epochs_and_the_rate_of_a_run_that_goes_on(train: Cli) -> None:
    _, out, _ = train("--help")
    text = " ".join(out.split())
    assert "from random weights 30; --from a run that had begun with these 20]" in text
    assert "--from a run that had begun with these, 0.002]" in text
