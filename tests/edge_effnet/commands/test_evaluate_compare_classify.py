"""The commands as a user meets them: exit codes, what stands on stdout, what on stderr."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

MakeModel = Callable[..., Path]
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


Cli = Callable[..., tuple[int, str, str]]


def blue_is_red() -> np.ndarray:
    """Weights of a model that takes every blue image for a red one."""
    return np.array([[1, 0, 1.2], [0, 1, 0], [0, 0, 0]])


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


def test_a_pipe_gets_paths_whole_and_as_they_are(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    folder = colour_folder.rename(colour_folder.with_name("[red] :dog: é" + " and more" * 15))
    model = colour_model().rename(folder.with_name("[bold] " + "m" * 120 + ".tflite"))
    for arguments in (("evaluate", model), ("compare", model, model)):
        code, out, _ = cli(*arguments, "--data", folder)
        assert code == 0
        assert folder.name in out
        assert model.name in out


def test_evaluate_as_json(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    model = colour_model(weights=blue_is_red())
    code, out, _ = cli("evaluate", model, "--data", colour_folder, "--top", 2, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 30
    assert document["top1"] == pytest.approx(100 * 20 / 30)
    assert document["top2"] >= document["top1"]
    assert [2, 0, 10] in document["confusion"]
    assert document["size_bytes"] == model.stat().st_size
    assert "'blue' (0 of 10 images found)" in document["warnings"][0]


def test_compare_prints_what_is_proven(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    float32, int8 = colour_model("float.tflite"), colour_model("int8.tflite", blue_is_red())
    code, out, err = cli("compare", float32, int8, "--data", colour_folder)
    assert code == 0
    assert "agreement 66.7 % of the answers" in out
    assert "10 images lost, 0 gained" in out
    assert "proven: the candidate is less accurate" in out
    assert not CONTROL.search(out + err)
    code, out, _ = cli("compare", float32, float32, "--data", colour_folder)
    assert code == 0
    assert "not proven: that the two differ" in out
    assert "to prove a drop under 1 point" in out


def test_compare_as_json(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    float32, int8 = colour_model("float.tflite"), colour_model("int8.tflite", blue_is_red())
    code, out, _ = cli("compare", float32, int8, "--data", colour_folder, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 30
    assert document["reference"]["top1"] == 100
    assert document["candidate"]["top1"] == pytest.approx(66.667, abs=0.001)
    assert {"top5"} <= document["reference"].keys() & document["candidate"].keys()
    assert document["agreement"] == pytest.approx(66.667, abs=0.001)
    assert document["drop_points"] == pytest.approx(33.333, abs=0.001)
    assert document["mcnemar_p"] == pytest.approx(2 / 2**10)
    assert len(document["flipped"]) == 10
    # To a file, with the tables on stdout; a second time only with --force.
    report = tmp_path / "out" / "report.json"
    arguments = ("compare", float32, int8, "--data", colour_folder, "--json", report)
    code, out, _ = cli(*arguments)
    assert code == 0
    assert "agreement" in out
    assert json.loads(report.read_text()) == document
    report.write_text("mine")
    code, out, err = cli(*arguments)
    assert (code, out) == (1, "")
    assert "--force" in err
    assert report.read_text() == "mine"
    assert cli(*arguments, "--force")[0] == 0
    assert json.loads(report.read_text()) == document
    assert [path.name for path in report.parent.iterdir()] == ["report.json"]


def test_compare_without_classes(cli: Cli, colour_model: MakeModel, colour_folder: Path) -> None:
    float32, int8 = colour_model("float.tflite"), colour_model("int8.tflite", blue_is_red())
    flat = colour_folder / "blue"
    code, out, _ = cli("compare", float32, int8, "--data", flat, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["agreement"] == 0
    assert "drop_points" not in document
    code, out, _ = cli("compare", float32, int8, "--data", flat)
    assert code == 0
    assert "agreement 0.0 %" in out
    assert "top-1" not in out


def test_compare_refuses_other_labels(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    ours = colour_model()
    theirs = colour_model("other.tflite", labels=("red", "blue", "green"))
    code, out, err = cli("compare", ours, theirs, "--data", colour_folder)
    assert (code, out) == (1, "")
    assert "label 1 is 'green' and 'blue'" in err
    assert err.count("\n") == 1


def test_a_file_without_labels_takes_those_of_the_other(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    bare = colour_model("bare.tflite", labels=None)
    code, out, _ = cli(
        *("compare", colour_model(), bare, "--data", colour_folder),
        *("--preprocess", "mean=0,std=1", "--json", "-"),
    )
    assert code == 0
    assert json.loads(out)["labels"] == ["red", "green", "blue"]


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


@pytest.mark.parametrize("verb", ["evaluate", "compare"])
def test_corrupt_images_are_skipped_or_refused(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, verb: str
) -> None:
    (colour_folder / "red" / "text.jpg").write_text("renamed text")
    models = [colour_model()] * (2 if verb == "compare" else 1)
    code, out, _ = cli(verb, *models, "--data", colour_folder, "--json", "-")
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 30
    assert [Path(image["file"]).name for image in document["skipped"]] == ["text.jpg"]
    code, out, _ = cli(verb, *models, "--data", colour_folder)
    assert code == 0
    assert "skipped: 1 unreadable image" in out
    code, out, err = cli(verb, *models, "--data", colour_folder, "--strict")
    assert (code, out) == (1, "")
    assert "text.jpg is not a readable image" in err
    assert err.count("error:") == 1


def test_classify_prints_the_best_answers(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    image = colour_folder / "green" / "3.png"
    code, out, _ = cli("classify", colour_model(), image, "--top", 2)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == str(image)
    assert lines[1].endswith("green")
    assert len(lines) == 3


def test_classify_goes_on_after_an_unreadable_image(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    good = colour_folder / "blue" / "0.png"
    code, out, err = cli("classify", colour_model(), "nowhere.jpg", good, "--json", "-")
    first, second = json.loads(out)["images"]
    assert code == 1
    assert "nowhere.jpg cannot be read" in first["error"]
    assert second["answers"][0]["label"] == "blue"
    assert sum(answer["score"] for answer in second["answers"]) == pytest.approx(1)
    assert err.startswith("error: nowhere.jpg")


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("no such model", "cannot be read"),
        ("text for a model", "is a text file, not a model"),
        ("cut-off model", "damaged or cut off"),
        ("empty folder", "holds no images"),
        ("no such data", "nothing there"),
        ("one class only", "one class only"),
        ("label count", "2 labels"),
    ],
)
def test_bad_input_is_one_clear_line(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path, case: str, message: str
) -> None:
    model, data, more = colour_model(), colour_folder, []
    if case == "no such model":
        model = tmp_path / "nowhere.tflite"
    elif case == "text for a model":
        model = tmp_path / "text.tflite"
        model.write_text("not a model at all")
    elif case == "cut-off model":
        model.write_bytes(model.read_bytes()[:300])
    elif case == "empty folder":
        data = tmp_path / "empty"
        data.mkdir()
    elif case == "no such data":
        data = tmp_path / "nowhere"
    elif case == "one class only":
        shutil.rmtree(colour_folder / "green")
        shutil.rmtree(colour_folder / "blue")
    else:
        (tmp_path / "two.txt").write_text("red\ngreen\n")
        more = ["--labels", tmp_path / "two.txt"]
    for verb, models in (("evaluate", [model]), ("compare", [model, model])):
        code, out, err = cli(verb, *models, "--data", data, *more)
        assert (code, out) == (1, "")
        assert message in err
        assert "to fix: " in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("verb", ["evaluate", "compare", "classify"])
def test_usage_errors_end_with_2(cli: Cli, verb: str) -> None:
    assert cli(verb)[0] == 2
    assert cli(verb, "--no-such-option")[0] == 2
    code, out, _ = cli(verb, "--help")
    assert code == 0
    assert "Examples:" in out


def test_an_unwritable_report_is_refused_before_the_work(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    code, out, err = cli("evaluate", colour_model(), "--data", colour_folder, "--json", tmp_path)
    assert (code, out) == (1, "")
    assert "is a folder" in err
    assert err.count("\n") == 1


def test_a_thousand_classes_stay_on_a_page(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    labels = ("red", "green", "blue", *(f"[bold]no. {number}, never seen" for number in range(997)))
    weights = np.concatenate([blue_is_red(), np.zeros((997, 3))])
    ours = colour_model("float.tflite", np.concatenate([np.eye(3), np.zeros((997, 3))]), labels)
    theirs = colour_model("int8.tflite", weights, labels)
    for arguments in (("evaluate", theirs), ("compare", ours, theirs)):
        code, out, _ = cli(*arguments, "--data", colour_folder)
        assert code == 0
        assert len(out.splitlines()) < 60


def test_the_installed_command_speaks_only_json_on_stdout(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "edge_effnet", "evaluate", str(colour_model())),
            *("--data", str(colour_folder), "--json", "-"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["top1"] == 100
    assert not CONTROL.search(done.stderr)


def test_real_flowers(cli: Cli, reference: Path) -> None:
    model = reference / "models" / "lite0_flowers5_modelmaker_int8.tflite"
    code, out, _ = cli(
        "evaluate", model, "--data", reference / "images" / "flowers5", "--json", "-"
    )
    document = json.loads(out)
    assert code == 0
    assert document["n"] == 200
    assert document["top1"] >= 90
