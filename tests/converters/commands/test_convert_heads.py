"""Converting networks of other heads: what the card keeps, what is compared, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters.comparing import on_generated, on_trained
from converters.tflite_graph.error_metrics import error_share, mirrored
from converters.tflite_graph.segments import sigmoid_answers
from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.metrics import Predictions, compare_predictions
from edge_effnet.tflite.metadata import METADATA_NAME
from edge_effnet.tflite.reader import parse_structure
from tests.conftest import RunCommand
from tests.converters.conftest import write_image
from tests.edge_effnet.conftest import model_bytes

COLOURS = ("red", "green", "blue")
HOW = Preprocess(4, 4)


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per colour, a CSV with several labels, and one with a value."""
    folder, random = tmp_path_factory.mktemp("colours"), np.random.default_rng(5)
    labels, values = ["file,red,green,blue"], ["file,value"]
    for number in range(90):
        colour = number % 3
        pixels = random.integers(0, 90, (8, 8, 3), dtype=np.uint8)
        pixels[:, :, colour] += np.uint8(120)
        name = f"photos/{COLOURS[colour]}/{number:02}.png"
        write_image(folder / name, pixels)
        labels.append(f"{name}," + ",".join(str(int(colour == index)) for index in range(3)))
        values.append(f"{name},{pixels[:, :, 0].mean():.3f}")
    (folder / "labels.csv").write_text("\n".join(labels) + "\n")
    (folder / "values.csv").write_text("\n".join(values) + "\n")
    return folder


def float_model(path: Path, weights: np.ndarray, end: str | None, names: tuple[str, ...]) -> Path:
    model = model_bytes(np.asarray(weights, np.float32), end)
    write_artifact(path, model, Card(path.stem, names, HOW), overwrite=True)
    return path


def convert(
    edge_effnet: RunCommand, model: Path, data: Path, *more: object
) -> tuple[int, str, str]:
    result = edge_effnet(
        *("convert", "--model", model, "--int8", "--data", data, "--out", model.parent / "out"),
        *("--json", "-", *more),
    )
    return result.returncode, result.stdout, result.stderr


def test_two_classes_of_one_score(edge_effnet: RunCommand, colours: Path, tmp_path: Path) -> None:
    two = tmp_path / "two"
    two.mkdir()
    for colour in ("green", "red"):
        (two / colour).symlink_to(colours / "photos" / colour)
    model = float_model(tmp_path / "m.tflite", [(0.1, -0.1, 0)], "LOGISTIC", ("green", "red"))
    code, out, err = convert(edge_effnet, model, two)
    assert code == 0, err
    comparison = json.loads(out)["models"][1]["comparison"]
    assert comparison["head"] == {"kind": "sigmoid", "outputs": 1, "threshold": 0.5}
    assert comparison["reference"]["top1"] == 100
    assert {entry["label"] for entry in comparison["reference"]["per_class"]} == {"green", "red"}
    written = read_artifact(tmp_path / "out" / "m-int8.tflite")
    assert written.card is not None
    assert written.card.head == Head("sigmoid", 1)
    assert written.card.measured is not None
    assert written.card.measured["candidate"]["top1"] >= 90
    # Two names for one score would make other readers of the metadata fail.
    assert b"labels.txt" not in written.structure.metadata[METADATA_NAME]


def test_several_labels_with_a_limit(
    edge_effnet: RunCommand, colours: Path, tmp_path: Path
) -> None:
    weights = (np.eye(3) * 3 - 1.2) * 0.05
    model = float_model(tmp_path / "tags.tflite", weights, "LOGISTIC", COLOURS)
    code, out, err = convert(
        edge_effnet, model, colours / "labels.csv", "--max-drop", 50, "--max-class-drop", 60
    )
    assert code == 0, err
    report = json.loads(out)
    checks = [found["name"] for found in report["ladder"]["rungs"][-1]["checks"]]
    assert checks[0] == "drop"
    assert checks[1].startswith("drop of '")
    comparison = report["models"][1]["comparison"]
    assert comparison["reference"]["exact_match"] == 100
    assert "top1" not in comparison["reference"]


def test_a_number_has_errors_and_no_limits(
    edge_effnet: RunCommand, colours: Path, tmp_path: Path
) -> None:
    model = float_model(tmp_path / "red.tflite", [(1, 0, 0)], None, ("value",))
    code, out, err = convert(edge_effnet, model, colours / "values.csv")
    assert code == 0, err
    comparison = json.loads(out)["models"][1]["comparison"]
    assert comparison["agreement"] is None
    assert comparison["candidate"]["r2"] > 0.9
    assert comparison["value_difference"]["mean_abs"] > 0
    code, _, err = convert(edge_effnet, model, colours / "values.csv", "--max-drop", 1, "--force")
    assert code == 2
    assert "answers a number, on which no limit can be set" in err


def test_a_number_of_any_size_is_not_cut_off(edge_effnet: RunCommand, tmp_path: Path) -> None:
    """Classes are told well by ranges that cut off what is rare; brightness is not."""
    rows, random = ["file,value"], np.random.default_rng(2)
    for number, level in enumerate(random.uniform(10, 245, 90)):
        pixels = np.clip(random.normal(level, 4, (8, 8, 3)), 0, 255).astype(np.uint8)
        write_image(tmp_path / f"{number:02}.png", pixels)
        rows.append(f"{number:02}.png,{level}")
    (tmp_path / "values.csv").write_text("\n".join(rows) + "\n")
    model = keras_brightness(tmp_path / "bright.keras")
    code, out, err = convert(edge_effnet, model, tmp_path / "values.csv")
    assert code == 0, err
    comparison = json.loads(out)["models"][1]["comparison"]
    assert comparison["value_difference"]["mean_abs"] < 2  # 16 with ranges by role
    card = read_artifact(tmp_path / "out" / "bright-int8.tflite").card
    assert card is not None
    assert card.steps[-1]["rung"]["ranges"] == card.steps[-1]["ranges"]["methods"] == "whole"


def test_what_generated_images_show_is_no_verdict() -> None:
    scores = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    paths = tuple(Path(str(number)) for number in range(40))
    ours, theirs = (Predictions(s, None, paths, ("a", "b")) for s in (scores, scores[::-1]))
    told = on_generated(compare_predictions(ours, theirs))
    assert told.warnings == told.losses
    assert "on generated images (agreement 0.0 %)" in told.losses[0]
    assert "do not use it" not in told.losses[0]
    same = compare_predictions(ours, ours)
    assert on_generated(same) is same
    (line,) = on_trained(compare_predictions(ours, theirs)).losses
    assert "on images that the network was trained on (agreement 0.0 %)" in line
    assert on_trained(same).losses == ()


def keras_brightness(path: Path) -> Path:
    """The mean of all pixels, by way of a convolution and a dense layer."""
    import keras

    inputs = keras.Input((4, 4, 3))
    seen = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer="ones")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(seen)
    answer = keras.layers.Dense(1, kernel_initializer="ones")(pooled)
    model = keras.Model(inputs, answer)
    model.layers[1].set_weights([np.full((3, 3, 3, 4), 1 / 108, np.float32), np.zeros(4)])
    model.save(path)
    return path


def test_a_threshold_travels_in_the_card(
    edge_effnet: RunCommand, colours: Path, tmp_path: Path
) -> None:
    model = float_model(tmp_path / "tags.tflite", np.eye(3) * 0.05, "LOGISTIC", COLOURS)
    code, _, err = convert(edge_effnet, model, colours / "labels.csv", "--threshold", "0.9")
    assert code == 0, err
    card = read_artifact(tmp_path / "out" / "tags-int8.tflite").card
    assert card is not None
    assert card.head == Head("multilabel", 3, threshold=0.9)


def test_thresholds_of_classes_travel_with_the_model_they_were_chosen_with(
    edge_effnet: RunCommand, colours: Path, tmp_path: Path
) -> None:
    model = float_model(tmp_path / "colours.tflite", np.eye(3) * 0.05, "SOFTMAX", COLOURS)
    kept = tmp_path / "kept.tflite"
    asked = ("--recall", "red=0.9", "--out", kept)
    chosen = edge_effnet("evaluate", model, "--data", colours / "photos", *asked)
    assert chosen.returncode == 0, chosen.stderr
    code, _, err = convert(edge_effnet, kept, colours / "photos")
    assert code == 0, err
    threshold = read_artifact(kept).card.thresholds["red"]  # type: ignore[union-attr]
    assert threshold.chosen_with == "colours"
    for name in ("kept-float32.tflite", "kept-int8.tflite"):
        card = read_artifact(tmp_path / "out" / name).card
        assert card is not None
        assert card.thresholds == {"red": threshold}
    both = (tmp_path / "out" / f"kept-{kind}.tflite" for kind in ("float32", "int8"))
    compared = edge_effnet("compare", *both, "--data", colours / "photos")
    assert "from the card of kept-float32.tflite, chosen with colours" in compared.stdout
    # Scores of other pixels are not those that chose.
    code, _, err = convert(edge_effnet, kept, colours / "photos", "--preprocess", "unit", "--force")
    assert code == 0, err
    card = read_artifact(tmp_path / "out" / "kept-int8.tflite").card
    assert card is not None
    assert card.thresholds == {}


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 5))
def test_a_shift_of_sigmoids_is_noise_and_one_of_softmax_is_not(seed: int, shift: float) -> None:
    logits = np.random.default_rng(seed).normal(0, 2, (8, 4)).astype(np.float32)
    moved = logits + np.float32(shift)
    assert error_share(logits, moved) < 1e-6
    assert error_share(mirrored(logits), mirrored(moved)) > 1e-3


def test_which_networks_have_answers_of_their_own() -> None:
    for end, outputs, expected in (
        ("SOFTMAX", 3, False), (None, 3, False), ("LOGISTIC", 3, True), (None, 1, True),
    ):  # fmt: skip
        model = model_bytes(np.ones((outputs, 3), np.float32), end)
        assert sigmoid_answers(parse_structure(model, "a model")) is expected
