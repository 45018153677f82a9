"""``--recall`` and ``--precision``: thresholds are found, kept in the card, shown, compared."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.data.division.trained_on import record
from edge_effnet.data.listing import load_dataset
from edge_effnet.heads.head import Head
from tests.conftest import Cli
from tests.edge_effnet.conftest import COLOURS, MakeModel, write_image

DULL_RED = ((0.5, 0, 0), (0, 1, 0), (0, 0, 1))


@pytest.fixture
def mixed_folder(tmp_path: Path) -> Path:
    """60 images of each colour, some of which look more like another: scores overlap."""
    random = np.random.default_rng(3)
    for place, colour in enumerate(COLOURS):
        for number in range(60):
            level = random.normal(110, 8, 3)
            level[place] += random.normal(14, 8)
            noise = random.normal(0, 40, (12, 12, 3))
            pixels = np.clip(level + noise, 0, 255).astype(np.uint8)
            write_image(tmp_path / "mixed" / colour / f"{number}.png", pixels)
    return tmp_path / "mixed"


def test_a_threshold_is_found_and_evaluated_on_the_other_half(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    report = tmp_path / "e.json"
    asked = ("--recall", "red=0.9", "--precision", "green=95%")
    code, out, _ = cli("evaluate", colour_model(), "--data", mixed_folder, *asked, "--json", report)
    assert code == 0
    assert "thresholds chosen on 90 images, evaluated on the other 90" in out
    assert "'red', recall of 90 %: from a score of" in out
    assert "of 30 images, 95 % interval" in out
    document = json.loads(report.read_text())["operating_points"]
    assert [curve["label"] for curve in document["curves"]] == ["red", "green"]
    red, green = document["points"]
    assert red["chosen_on"]["recall"] >= 0.9
    assert green["chosen_on"]["precision"] >= 0.95
    assert red["evaluated_on"]["of_class"] == 30
    assert red["evaluated_on"]["others"] == 60
    again = tmp_path / "again.json"
    cli(
        "evaluate",
        colour_model("colours.tflite.2"),
        "--data",
        mixed_folder,
        *asked,
        "--json",
        again,
    )
    assert json.loads(again.read_text())["operating_points"] == document


def test_thresholds_travel_in_the_card(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    model, kept = colour_model(), tmp_path / "kept.tflite"
    code, out, _ = cli(
        "evaluate", model, "--data", mixed_folder, "--recall", "red=0.9", "--out", kept
    )
    assert code == 0
    assert f"written to {kept}, with the thresholds in its card" in out
    before, after = (read_artifact(path).card for path in (model, kept))
    assert before is not None
    assert after is not None
    assert split_archive(model.read_bytes())[0] == split_archive(kept.read_bytes())[0]
    assert after.thresholds["red"].evaluated_on.of_class == 30
    said = cli("doctor", kept)[1]
    assert "thresholds chosen" in said
    assert re.search(r"red from 0\.\d+ on \(recall of 90 %, chosen with colours\)", said)
    # Another class joins it; the same one is replaced in the copy that is made.
    both = tmp_path / "both.tflite"
    again = ("--precision", "green=0.9", "--recall", "red=0.5", "--out", both)
    assert cli("evaluate", kept, "--data", mixed_folder, *again)[0] == 0
    card = read_artifact(both).card
    assert card is not None
    assert {name: one.share for name, one in card.thresholds.items()} == {"red": 0.5, "green": 0.9}


def test_classify_shows_whether_a_threshold_is_reached(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    kept, sure, violet = (tmp_path / name for name in ("kept.tflite", "sure.png", "violet.png"))
    assert cli("evaluate", colour_model(), "--data", mixed_folder, "--recall", "red=1",
               "--out", kept)[0] == 0  # fmt: skip
    write_image(sure, np.full((8, 8, 3), (90, 200, 90), np.uint8))
    write_image(violet, np.full((8, 8, 3), (112, 100, 114), np.uint8))
    code, out, _ = cli("classify", kept, sure, violet, "--json", "-", "--top", 1)
    assert code == 0
    green, both = (entry["answers"] for entry in json.loads(out)["images"])
    assert [answer["label"] for answer in green] == ["green"]
    assert "threshold" not in green[0]
    assert [answer["label"] for answer in both] == ["blue", "red"]  # though --top is 1
    assert both[1]["reached"] is True
    assert both[1]["score"] >= both[1]["threshold"]
    code, out, _ = cli("classify", kept, sure, violet)
    assert "red  under " in out
    assert "red  reaches " in out


def test_compare_at_thresholds_of_its_own(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    models = colour_model("float.tflite"), colour_model("dull.tflite", DULL_RED)
    report = tmp_path / "c.json"
    asked = ("--data", mixed_folder, "--recall", "red=0.9", "--json", report)
    code, out, _ = cli("compare", *models, *asked)
    assert code == 0
    assert "operating points on 90 images; thresholds chosen on the other 90 images with" in out
    assert "proven: dull.tflite does not keep it: recall falls by" in out
    (point,) = json.loads(report.read_text())["operating_points"]["points"]
    assert point["verdict"] == "lost"
    assert point["candidate"]["recall"] < point["reference"]["recall"]


def test_compare_at_the_thresholds_of_the_card(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, colour_folder: Path, tmp_path: Path
) -> None:
    model, kept, report = colour_model(), tmp_path / "kept.tflite", tmp_path / "c.json"
    given = ("--recall", "red=0.9", "--out", kept)
    assert cli("evaluate", model, "--data", mixed_folder, *given)[0] == 0
    code, out, _ = cli("compare", kept, model, "--data", mixed_folder, "--json", report)
    assert code == 0
    assert "operating points on 90 images; thresholds from the card of kept.tflite" in out
    assert "90 images that chose the thresholds were left out here" in out
    points = json.loads(report.read_text())["operating_points"]
    assert points["points"][0]["reference"] == points["points"][0]["candidate"]
    assert points["points"][0]["verdict"] == "open"
    _, out, _ = cli("compare", kept, model, "--data", colour_folder)
    assert "operating points on 30 images" in out  # none of which chose
    assert "left out here" not in out
    flat = tmp_path / "flat"
    flat.mkdir()
    next((mixed_folder / "red").iterdir()).rename(flat / "a.png")
    code, out, _ = cli("compare", kept, model, "--data", flat)
    assert code == 0
    assert "operating points" not in out
    code, _, err = cli("compare", kept, model, "--data", flat, "--recall", "red=0.9")
    assert code == 1
    assert "--recall needs images whose classes are known" in err


def test_thresholds_are_of_the_scores_that_the_card_describes(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    bare, model, kept = colour_model(end=None), tmp_path / "m.tflite", tmp_path / "kept.tflite"
    card = read_artifact(bare).card
    assert card is not None
    write_artifact(model, bare.read_bytes(), replace(card, head=Head("logits", 3)))
    given = ("--data", mixed_folder, "--recall", "red=0.9", "--out", kept)
    for other in (("--head", "softmax"), ("--preprocess", "unit")):
        code, _, err = cli("evaluate", model, *given, *other)
        assert code == 2
        assert f"another {other[0]} than the card's" in err
    assert cli("evaluate", model, *given)[0] == 0
    both = ("compare", kept, model, "--data", mixed_folder)
    assert "operating points" in cli(*both)[1]
    assert "operating points" not in cli(*both, "--head", "softmax")[1]


def test_several_labels_and_values(
    cli: Cli, colour_model: MakeModel, mixed_folder: Path, tmp_path: Path
) -> None:
    rows, values = ["file,red,green,blue"], ["file,value"]
    for path in sorted(mixed_folder.rglob("*.png")):
        name = path.relative_to(tmp_path)
        rows.append(f"{name}," + ",".join(str(int(path.parent.name == one)) for one in COLOURS))
        values.append(f"{name},{len(rows)}")
    tags, numbers = tmp_path / "tags.csv", tmp_path / "values.csv"
    tags.write_text("\n".join(rows))
    numbers.write_text("\n".join(values))
    model = colour_model(weights=np.eye(3) - 1 / 3, end="LOGISTIC")
    code, out, _ = cli("evaluate", model, "--data", tags, "--recall", "red=0.9")
    assert code == 0
    assert "'red', recall of 90 %: from a score of" in out
    assert "of 30 images, 95 % interval" in out
    value = colour_model("value.tflite", np.ones((1, 3)), ("value",), None)
    given = ("--head", "regression", "--data", numbers, "--recall", "value=0.9")
    code, _, err = cli("evaluate", value, *given)
    assert code == 1
    assert "--recall needs images whose classes are known" in err


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (("--recall", "redd=0.9"), 2, "there is no class 'redd'; did you mean red?"),
        (("--recall", "stop=0.9"), 2, "expected one of the 3 classes: red, green, blue"),
        (("--recall", "red"), 2, "expected a class and a share, CLASS=SHARE"),
        (("--recall", "=0.9"), 2, "expected a class and a share, CLASS=SHARE"),
        (("--recall", "red=much"), 2, "--recall is not understood; found 'much'"),
        (("--recall", "red=0"), 2, "expected more than 0 and at most 1"),
        (("--precision", "red=99"), 2, "to fix: --precision 99% or --precision 0.99"),
        (("--out", "kept.tflite"), 2, "found neither --recall nor --precision"),
        (
            ("--recall", "red=0.9", "--precision", "RED=0.9", "--out", "kept.tflite"),
            2,
            "found two targets for 'red'",
        ),
        (("--recall", "red=0.9", "--out", "colours.tflite"), 2, "colours.tflite"),
    ],
)
def test_bad_options_are_one_line(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    model = colour_model()
    monkeypatch.chdir(model.parent)
    got, _, err = cli("evaluate", model, "--data", colour_folder, *asked)
    assert got == code
    assert words in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("error: ")


def test_what_cannot_be_kept_is_refused(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    bare, out = colour_model("bare.tflite", labels=None), tmp_path / "kept.tflite"
    given = ("--data", colour_folder, "--recall", "red=0.9", "--out", out)
    code, _, err = cli("evaluate", bare, *given)
    assert code == 1
    assert "bare.tflite has no model card to keep thresholds in" in err
    blind = colour_model("blind.tflite", np.zeros((3, 3)))
    code, text, err = cli("evaluate", blind, *given)
    assert code == 1
    assert "it tells nothing apart" in text
    assert "nothing was written: 'red' has no threshold for a recall of 90 %" in err
    assert not out.exists()
    out.write_bytes(b"mine")
    code, _, err = cli("evaluate", colour_model(), *given)
    assert code == 1
    assert "already exists" in err
    assert out.read_bytes() == b"mine"


def test_images_that_were_learned_from_promise_nothing(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    model, trained = colour_model(), tmp_path / "trained.tflite"
    card = read_artifact(model).card
    assert card is not None
    images = record(load_dataset(colour_folder, labels=COLOURS, classes=3, task="classes"), None)
    step = {"step": "trained", "data": {"images": images}}
    write_artifact(trained, model.read_bytes(), replace(card, steps=(step,)))
    given = ("--data", colour_folder, "--recall", "red=0.9")
    code, out, _ = cli("evaluate", trained, *given)
    assert code == 0
    assert "nothing is proven: the network was trained on these images" in out
    code, _, err = cli("evaluate", trained, *given, "--out", tmp_path / "kept.tflite")
    assert code == 1
    assert "a threshold to keep needs images that the network was not trained on" in err


def test_a_class_with_one_image_has_none_to_choose_on(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    for path in sorted((colour_folder / "red").iterdir())[1:]:
        path.unlink()
    code, out, _ = cli("evaluate", colour_model(), "--data", colour_folder, "--recall", "red=0.9")
    assert code == 0
    assert "no threshold: no image of 'red' to choose it on" in out


def test_real_flowers(cli: Cli, reference: Path) -> None:
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    code, out, _ = cli(
        "evaluate", model, "--data", reference / "images" / "flowers5",
        "--recall", "daisy=0.9", "--precision", "dandelion=0.9", "--json", "-",
    )  # fmt: skip
    assert code == 0
    daisy, dandelion = json.loads(out)["operating_points"]["points"]
    assert daisy["evaluated_on"]["of_class"] == 20
    assert daisy["evaluated_on"]["recall"] >= 0.75
    assert dandelion["chosen_on"]["precision"] >= 0.9
    assert dandelion["outcome"] == "open"
