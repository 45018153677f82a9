"""What evaluate, compare and classify refuse or skip, each told in one line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


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
    assert "found a folder" in err
    assert err.count("\n") == 1
