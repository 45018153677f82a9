"""``edge-effnet evaluate``: its report, its JSON, and the data sets and models it takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import BLUE_IS_RED, CONTROL, MakeModel


def test_evaluate_prints_a_report(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    code, out, err = cli("evaluate", colour_model(), "--data", colour_folder)
    assert code == 0
    assert "colours.tflite" in out
    assert "30 images" in out
    assert re.search(r"top-1 +100\.0 %", out)
    assert all(colour in out for colour in ("red", "green", "blue"))
    shown, progress = err.splitlines()  # where stderr is no terminal: one line, at the end
    assert shown.endswith("images: 30 images, 3 classes: red (10), green (10), blue (10)")
    assert progress.startswith("evaluating colours.tflite")
    assert not CONTROL.search(out + err)


def test_evaluate_as_json(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model(weights=BLUE_IS_RED)
    code, out, _ = cli("evaluate", model, "--data", colour_folder, "--top", 2, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 30
    assert document["top1"] == pytest.approx(100 * 20 / 30)
    assert document["top2"] >= document["top1"]
    assert [2, 0, 10] in document["confusion"]
    assert document["size_bytes"] == model.stat().st_size
    assert "'blue' (0 of 10 images found)" in document["warnings"][0]


def test_a_csv_is_a_data_set_too(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    lines = [
        f"{path.relative_to(colour_folder)},{path.parent.name}"
        for path in colour_folder.rglob("*.png")
    ]
    (colour_folder / "all.csv").write_text("\n".join(["file,label", *lines]))
    code, out, _ = cli(
        "evaluate", colour_model(), "--data", colour_folder / "all.csv", "--json", "-"
    )
    assert code == 0
    assert json.loads(out)["top1"] == 100


def test_labels_and_preprocessing_from_the_command_line(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    bare = colour_model("bare.tflite", labels=None)
    (tmp_path / "names.txt").write_text("red\ngreen\nblue\n")
    arguments = ("evaluate", bare, "--data", colour_folder, "--json", "-")
    named = ("--labels", tmp_path / "names.txt")
    code, out, err = cli(*arguments, *named)
    assert code == 0
    assert "found from trying the usual ways on 30 labelled photos" in err
    assert json.loads(out)["preprocess"] == ["raw,fit=squash"]
    photo = next((colour_folder / "red").iterdir())
    code, _, err = cli("classify", bare, photo, *named)
    assert code == 1
    assert "--preprocess raw is likely" in err
    code, out, err = cli(*arguments, "--preprocess", "mean=0,std=1")
    assert code == 0
    assert "in the order blue, green, red; --labels FILE says otherwise" in err
    assert json.loads(out)["top1"] < 100
    code, out, _ = cli(*arguments, *named, "--preprocess", "mean=0,std=1")
    assert code == 0
    assert json.loads(out)["top1"] == 100
    code, _, err = cli(*arguments, *named, "--preprocess", "sharpness=2")
    assert code == 2
    assert "mean" in err


def test_real_flowers(cli: Cli, reference: Path) -> None:
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    code, out, _ = cli(
        "evaluate", model, "--data", reference / "images" / "flowers5", "--json", "-"
    )
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 200
    assert document["top1"] >= 90
