"""``edge-effnet convert`` as a user runs it: the installed command, from weights to proof."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from edge_effnet.artifact import read_artifact
from edge_effnet.data.signs.table import LABELS
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.reader import read_structure
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES


def test_files_are_named_after_variant_and_recipe(converted: tuple[Path, dict]) -> None:
    out, report = converted
    names = ["b0-phi-8-float32.tflite", "b0-phi-8-int8.tflite", "b0-phi-8-float16.tflite"]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)  # and nothing else
    assert [Path(model["file"]).name for model in report["models"]] == names


def test_the_card_tells_the_whole_story(converted: tuple[Path, dict]) -> None:
    out, _ = converted
    with zipfile.ZipFile(out / "b0-phi-8-int8.tflite") as archive:  # no tool of ours needed
        card = json.loads(archive.read("model_card.json"))
        assert archive.read("labels.txt").decode().split() == card["labels"]
    assert card["labels"] == [f"class{index}" for index in range(CLASSES)]
    assert card["weights"] == {"kind": "random"}
    exported, quantized = card["steps"]
    assert exported["step"] == "exported"
    assert quantized["recipe"]["name"] == "int8"
    assert quantized["calibration"]["kind"] == "images"
    assert quantized["calibration"]["count"] == 30
    assert len(quantized["calibration"]["sha256"]) == 64
    measured = card["measured"]
    assert measured["n"] == 50  # those of the 80 that did not calibrate
    assert 0 <= measured["agreement"] <= 100
    assert {"top1", "top5"} <= set(measured["candidate"])


def test_the_report_compares_each_file_with_float(converted: tuple[Path, dict]) -> None:
    _, report = converted
    reference, *small = report["models"]
    assert reference["comparison"] is None
    for model in small:
        comparison = model["comparison"]
        assert comparison["n"] == 50
        assert {"agreement", "drop_points", "mcnemar_p"} <= set(comparison)
        assert model["size_ratio"] < 0.8


def test_the_files_run_and_take_pixels_as_they_are(converted: tuple[Path, dict]) -> None:
    out, _ = converted
    classifier = open_classifier(out / "b0-phi-8-int8.tflite")
    assert classifier.input_format.dtype == "uint8"
    assert classifier.preprocess.passes_pixels
    assert read_structure(out / "b0-phi-8-int8.tflite").metadata["TFLITE_METADATA"]


def test_an_existing_file_is_not_replaced_unasked(
    converted: tuple[Path, dict], edge_effnet: RunCommand
) -> None:
    out, _ = converted
    source = out / "b0-phi-8-float32.tflite"
    before = (out / "b0-phi-8-int8.tflite").read_bytes()
    result = edge_effnet("convert", "--model", source, "--int8", "--out", out)
    assert result.returncode == 1
    assert "b0-phi-8-int8.tflite already exists" in result.stderr
    assert (out / "b0-phi-8-int8.tflite").read_bytes() == before


def test_a_float_tflite_becomes_int8_without_tensorflow(
    converted: tuple[Path, dict], photos: Path, tmp_path: Path
) -> None:
    source = converted[0] / "b0-phi-8-float32.tflite"
    script = (
        "import sys\n"
        "for name in ('tensorflow', 'keras', 'h5py'): sys.modules[name] = None\n"
        "from edge_effnet.cli import run\n"
        f"sys.exit(run(['convert', '--model', {str(source)!r}, '--int8', '--data', "
        f"{str(photos)!r}, '--out', {str(tmp_path)!r}, '--io', 'float32']))"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "agreement" in result.stdout
    card = read_artifact(tmp_path / "b0-phi-8-int8.tflite").card
    assert card is not None
    assert card.weights == {"kind": "random"}  # handed on from the float file's card
    assert [step["step"] for step in card.steps] == ["exported", "quantized"]


def test_drawn_signs_calibrate_and_evaluate(
    edge_effnet: RunCommand, variant: Path, tmp_path: Path
) -> None:
    """They exist only while the conversion runs; what is told of them afterwards still stands."""
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(LABELS))
    result = edge_effnet(
        *("convert", "--variant", variant, "--weights", "random", "--resolution", 64, "--int8"),
        *("--labels", labels, "--data", "signs", "--calibration-images", 20, "--eval-images", 20),
        *("--out", tmp_path, "--json", "-"),
    )
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["calibration"]["count"] == report["models"][1]["comparison"]["n"] == 20
    assert len(report["calibration"]["sha256"]) == 64


def test_without_images_it_says_what_that_is_worth(
    converted: tuple[Path, dict], edge_effnet: RunCommand, tmp_path: Path
) -> None:
    source = converted[0] / "b0-phi-8-float32.tflite"
    result = edge_effnet("convert", "--model", source, "--int8", "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "agreement on generated images is no evidence of accuracy" in result.stdout
    card = read_artifact(tmp_path / "b0-phi-8-int8.tflite").card
    assert card is not None
    assert card.steps[-1]["calibration"]["kind"] == "generated"
    assert card.measured is not None
    assert "no evidence of accuracy" in card.measured["data"]


def test_every_option_stands_under_a_heading() -> None:
    from converters.commands.convert import _GROUPS, command

    grouped = [flag for flags in _GROUPS.values() for flag in flags]
    assert len(grouped) == len(set(grouped))
    flags = {param.opts[0] for param in command.params}
    assert flags == set(grouped)
