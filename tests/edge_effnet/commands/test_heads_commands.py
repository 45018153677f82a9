"""The same commands for other answers: two classes of one score, several labels, a number."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel, write_image


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Images of one or two colours, listed with a column for each, several in a cell, and how
    much red there is."""
    random = np.random.default_rng(3)
    rows = []
    for number in range(24):
        on = [number % 3] if number % 2 else [number % 3, (number + 1) % 3]
        pixels = random.integers(0, 20, (8, 8, 3), dtype=np.uint8)
        pixels[:, :, on] += np.uint8(150)
        write_image(tmp_path / "mixed" / f"{number:02}.png", pixels)
        names = [("red", "green", "blue")[place] for place in on]
        rows.append((f"mixed/{number:02}.png", names, float(pixels[:, :, 0].mean())))
    with (tmp_path / "columns.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("file", "red", "green", "blue"))
        writer.writerows(
            (path, *(int(name in names) for name in ("red", "green", "blue")))
            for path, names, _ in rows
        )
    with (tmp_path / "cells.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("file", "label"), *((path, "|".join(names)) for path, names, _ in rows)]
        )
    with (tmp_path / "values.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [("file", "value"), *((path, f"{value:.3f}") for path, _, value in rows)]
        )
    return tmp_path


def tagger(colour_model: MakeModel, name: str = "tags.tflite", scale: float = 1.0) -> Path:
    """Sigmoids of each colour's brightness, less the others': over 0 where it is there."""
    weights = (np.eye(3) * 3 - 1) * scale
    return colour_model(name, weights=weights, end="LOGISTIC")


@pytest.mark.parametrize("listed", ["columns.csv", "cells.csv"])
def test_evaluate_several_labels(
    cli: Cli, colour_model: MakeModel, mixed: Path, listed: str
) -> None:
    code, out, _ = cli("evaluate", tagger(colour_model), "--data", mixed / listed)
    assert code == 0
    assert "exact match             100.0 %" in out
    assert "top-1" not in out
    assert "label, weakest first" in out


def test_a_threshold_moves_every_label(cli: Cli, colour_model: MakeModel, mixed: Path) -> None:
    model = tagger(colour_model)
    data = "--data", mixed / "columns.csv"
    _, out, _ = cli("evaluate", model, *data, "--threshold", "0.999999", "--json", "-")
    document = json.loads(out)
    assert document["head"] == {"kind": "multilabel", "outputs": 3, "threshold": 0.999999}
    assert document["exact_match"] == 0
    assert "answers no label on any image" in document["warnings"][0]
    assert "top1" not in document


def test_compare_a_model_that_never_says_yes(
    cli: Cli, colour_model: MakeModel, mixed: Path
) -> None:
    good = tagger(colour_model)
    silent = colour_model("silent.tflite", weights=-np.ones((3, 3)), end="LOGISTIC")
    code, out, _ = cli("compare", good, silent, "--data", mixed / "columns.csv")
    assert code == 0
    assert out.startswith("warning: silent.tflite loses 100.0 points of accuracy")
    assert "agreement 0.0 % of the sets of labels" in out
    assert "(none)" in out


def test_classify_shows_every_label_that_is_answered(
    cli: Cli, colour_model: MakeModel, mixed: Path
) -> None:
    model, image = tagger(colour_model), mixed / "mixed" / "00.png"  # red and green
    _, out, _ = cli("classify", model, image, "--top", 1, "--json", "-")
    (entry,) = json.loads(out)["images"]
    answered = {answer["label"] for answer in entry["answers"] if answer["answered"]}
    assert answered == {"red", "green"}  # both, though one best answer was asked for


def test_evaluate_a_number(cli: Cli, colour_model: MakeModel, mixed: Path) -> None:
    """The weights of the fixture are tenths of a 25.5th: this model says the mean red."""
    model = colour_model("red.tflite", weights=[(25.5, 0, 0)], labels=("red",), end=None)
    code, out, _ = cli("evaluate", model, "--data", mixed / "values.csv", "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["head"]["kind"] == "regression"
    assert document["mae"] < 2
    assert document["r2"] > 0.99
    assert {"top1", "per_class", "confusion"}.isdisjoint(document)
    code, out, _ = cli("classify", model, mixed / "mixed" / "00.png", "--json", "-")
    (answer,) = json.loads(out)["images"][0]["answers"]
    assert answer["value"] > 100


def test_compare_numbers_by_their_difference(
    cli: Cli, colour_model: MakeModel, mixed: Path
) -> None:
    models = [
        colour_model(f"{name}.tflite", weights=[(weight, 0, 0)], labels=("red",), end=None)
        for name, weight in (("whole", 25.5), ("half", 12.75))
    ]
    code, out, _ = cli("compare", *models, "--data", mixed / "values.csv")
    assert code == 0
    assert out.startswith("warning: half.tflite errs by")
    assert "difference of the values" in out
    assert "agreement" not in out


def test_data_of_another_kind_than_the_head_ends_in_one_line(
    cli: Cli, colour_model: MakeModel, mixed: Path, colour_folder: Path
) -> None:
    number = colour_model("red.tflite", weights=[(1, 0, 0)], labels=("red",), end=None)
    code, _, err = cli("evaluate", number, "--data", colour_folder)
    assert code == 1
    assert "has no values" in err
    code, _, err = cli("evaluate", colour_model(), "--data", mixed / "columns.csv")
    assert code == 1
    assert "several labels" in err
    assert "--head multilabel" in err


def test_two_classes_of_one_score(cli: Cli, colour_model: MakeModel, two: Path) -> None:
    weights = np.array([(1, -1, 0)])
    model = colour_model("two.tflite", weights=weights, labels=("green", "red"), end="LOGISTIC")
    other = colour_model("other.tflite", weights=-weights, labels=("green", "red"), end="LOGISTIC")
    code, out, _ = cli("evaluate", model, "--data", two, "--json", "-")
    document = json.loads(out)
    assert (code, document["top1"], document["top5"]) == (0, 100, None)
    assert sorted(document["confusion"]) == [[0, 0, 10], [1, 1, 10]]
    _, out, _ = cli("compare", model, other, "--data", two, "--json", "-")
    assert json.loads(out)["agreement"] == 0


@pytest.fixture
def two(tmp_path: Path, colour_folder: Path) -> Path:
    """The green and the red images alone."""
    for colour in ("green", "red"):
        (tmp_path / "two" / colour).mkdir(parents=True)
        for image in sorted((colour_folder / colour).iterdir()):
            (tmp_path / "two" / colour / image.name).write_bytes(image.read_bytes())
    return tmp_path / "two"


def test_classify_marks_the_one_of_two_classes_that_is_answered(
    cli: Cli, colour_model: MakeModel, two: Path
) -> None:
    weights = np.array([(0.01, -0.01, 0)])
    model = colour_model("two.tflite", weights=weights, labels=("green", "red"), end="LOGISTIC")
    asked = "classify", model, two / "red" / "0.png", "--threshold", "0.9"
    _, out, _ = cli(*asked, "--json", "-")
    first, second = json.loads(out)["images"][0]["answers"]
    assert (first["label"], first["answered"], second["answered"]) == ("green", True, False)
    assert first["score"] < second["score"] < 0.9
    _, out, _ = cli(*asked, "--top", 1)
    assert "green  ✓" in out
    assert "red" not in out.splitlines()[-1]


def test_a_threshold_that_decides_nothing_is_refused(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, mixed: Path
) -> None:
    code, _, err = cli("evaluate", colour_model(), "--data", colour_folder, "--threshold", "0.9")
    assert code == 2
    assert "--threshold decides nothing for" in err
    assert "whose highest score answers" in err
    number = colour_model("red.tflite", weights=[(1, 0, 0)], labels=("red",), end=None)
    code, _, err = cli("classify", number, mixed / "mixed" / "00.png", "--threshold", "0.9")
    assert code == 2
    assert "which answers a number" in err


def test_one_number_that_may_be_a_logit_is_told_how(
    cli: Cli, colour_model: MakeModel, two: Path, tmp_path: Path
) -> None:
    number = colour_model("one.tflite", weights=[(1, -1, 0)], labels=None, end=None)
    names = tmp_path / "names.txt"
    names.write_text("green\nred\n")
    asked = "evaluate", number, "--data", two, "--preprocess", "mean=0,std=1"
    for options in ((), ("--labels", names)):
        code, _, err = cli(*asked, *options)
        assert code == 1
        assert "--head logits" in err
    code, out, _ = cli(*asked, "--labels", names, "--head", "logits", "--json", "-")
    assert (code, json.loads(out)["top1"]) == (0, 100)


@pytest.mark.parametrize("true", ["", "red|blue"])
def test_images_of_the_same_labels_prove_nothing(
    cli: Cli, colour_model: MakeModel, mixed: Path, true: str
) -> None:
    with (mixed / "same.csv").open("w", newline="") as file:
        paths = sorted((mixed / "mixed").iterdir())
        csv.writer(file).writerows([("file", "labels"), *((path, true) for path in paths)])
    code, _, err = cli("evaluate", tagger(colour_model), "--data", mixed / "same.csv")
    assert code == 1
    assert "have the same labels, on which any accuracy is meaningless" in err
    assert (true.replace("|", ", ") or "no label") in err


def test_a_constant_value_and_a_single_one_prove_nothing(
    cli: Cli, colour_model: MakeModel, mixed: Path
) -> None:
    models = [
        colour_model(f"{name}.tflite", weights=[(weight, 0, 0)], labels=("red",), end=None)
        for name, weight in (("whole", 25.5), ("half", 12.75))
    ]
    (mixed / "one.csv").write_text("file,value\nmixed/00.png,150\n")
    code, out, err = cli("compare", *models, "--data", mixed / "one.csv")
    assert code == 0
    assert "errs by" not in out
    assert "has the value 150: whether the answers follow" in err


def test_what_to_do_about_a_loss_is_possible_for_a_number(
    cli: Cli, colour_model: MakeModel, mixed: Path
) -> None:
    models = [
        colour_model(f"{name}.tflite", weights=[(weight, 0, 0)], labels=("red",), end=None)
        for name, weight in (("whole", 25.5), ("half", 12.75), ("nearly", 25.4))
    ]
    data = "--data", mixed / "values.csv"
    _, out, _ = cli("compare", *models[:2], *data)
    assert out.startswith("warning: half.tflite errs by")
    assert "--max-drop" not in out  # no limit can be set on numbers
    _, out, _ = cli("compare", models[0], models[2], *data)
    assert "warning" not in out  # a fraction of a percent of what the values differ by
