"""``edge-effnet convert`` as a user runs it: the installed command, from weights to proof."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.artifact import read_artifact
from edge_effnet.data.signs.table import LABELS
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.reader import read_structure
from tests.conftest import RunCommand
from tests.converters.conftest import CLASSES, TINY


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("labels") / "labels.txt"
    path.write_text("".join(f"class{index}\n" for index in range(CLASSES)))
    return path


@pytest.fixture(scope="module")
def variant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variant") / "tiny.json"
    write_variant(path, TINY)
    return path


@pytest.fixture(scope="module")
def converted(
    edge_effnet: RunCommand,
    variant: Path,
    labels: Path,
    photos: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, dict]:
    """A tiny network with random weights, converted once: the folder and the JSON report."""
    out = tmp_path_factory.mktemp("out")
    result = edge_effnet(
        *("convert", "--variant", variant, "--weights", "random", "--resolution", 64),
        *("--int8", "--float16", "--labels", labels, "--data", photos, "--out", out),
        *("--calibration-images", 30, "--json", "-"),
    )
    assert result.returncode == 0, result.stderr
    assert "weights of b0-phi-8 are random" in result.stderr
    return out, json.loads(result.stdout)


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


# The command, stopped where its files are made and none is written yet.
HANGS_IN_TIMING = """
import time
from converters import pipeline
from edge_effnet.cli import main

def hang(*_, **__):
    print("timing", flush=True)
    time.sleep(600)

pipeline.time_files = hang
main()
"""


class TestBadInput:
    """One clear line, an exit code, no traceback, nothing left behind."""

    @pytest.fixture
    def refused(self, edge_effnet: RunCommand, tmp_path: Path):  # type: ignore[no-untyped-def]
        """Run convert, which must fail and leave ``out`` empty; returns the error line."""

        def run(*arguments: object, code: int = 1, env: dict[str, str] | None = None) -> str:
            out = tmp_path / "out"
            result = edge_effnet("convert", *arguments, "--out", out, env=env, cwd=tmp_path)
            assert result.returncode == code, result.stdout + result.stderr
            assert "Traceback" not in result.stderr
            lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
            assert len(lines) == 1
            assert not out.exists() or not list(out.iterdir())
            return lines[0]

        return run

    @pytest.fixture
    def source(self, converted: tuple[Path, dict]) -> Path:
        return converted[0] / "b0-phi-8-float32.tflite"

    def test_a_truncated_model(self, refused, source: Path, tmp_path: Path) -> None:
        cut = tmp_path / "cut.tflite"
        cut.write_bytes(source.read_bytes()[:40_000])
        assert "cut.tflite is damaged or cut off" in refused("--model", cut, "--int8")

    def test_an_empty_folder(self, refused, source: Path, tmp_path: Path) -> None:
        (tmp_path / "empty").mkdir()
        line = refused("--model", source, "--int8", "--data", tmp_path / "empty")
        assert "holds no images" in line

    def test_one_class_only(self, refused, source: Path, photos: Path, tmp_path: Path) -> None:
        (tmp_path / "one").mkdir()
        (tmp_path / "one" / "class0").symlink_to(photos / "class0")
        line = refused("--model", source, "--int8", "--data", tmp_path / "one")
        assert "one class only" in line

    def test_text_renamed_jpg_when_strict(
        self, refused, source: Path, photos: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "calibration").mkdir()
        (tmp_path / "calibration" / "text.jpg").write_text("not an image")
        (tmp_path / "calibration" / "a.png").write_bytes(next(photos.rglob("*.png")).read_bytes())
        line = refused(
            *("--model", source, "--int8", "--strict"),
            *("--calibration", tmp_path / "calibration"),
        )
        assert "text.jpg is not a readable image" in line

    def test_labels_that_do_not_fit(self, refused, source: Path, tmp_path: Path) -> None:
        (tmp_path / "short.txt").write_text("a\nb\n")
        line = refused("--model", source, "--int8", "--labels", tmp_path / "short.txt")
        assert "2 labels" in line
        assert "10" in line

    def test_classes_the_network_does_not_have(
        self, refused, source: Path, photos: Path, tmp_path: Path
    ) -> None:
        for name in ("class0", "zebra"):
            (tmp_path / "data" / name).mkdir(parents=True)
            image = next(photos.rglob("*.png")).read_bytes()
            (tmp_path / "data" / name / "a.png").write_bytes(image)
        line = refused("--model", source, "--int8", "--data", tmp_path / "data")
        assert "'zebra'" in line

    def test_an_already_quantized_model(
        self, refused, converted: tuple[Path, dict], photos: Path
    ) -> None:
        int8 = converted[0] / "b0-phi-8-int8.tflite"
        assert "quantized already" in refused("--model", int8, "--int8", "--data", photos)

    def test_an_unwritable_place(
        self, edge_effnet: RunCommand, source: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")
        result = edge_effnet(
            "convert", "--model", source, "--int8", "--out", tmp_path / "file" / "below"
        )
        assert result.returncode == 1
        assert "cannot be written" in result.stderr
        assert "Traceback" not in result.stderr

    def test_no_network_for_the_weights(self, refused, tmp_path: Path) -> None:
        closed = "http://127.0.0.1:9"  # discard: nothing listens there
        line = refused(
            *("--variant", "v2-b0", "--weights", "imagenet", "--int8"),
            env={
                "https_proxy": closed,
                "HTTPS_PROXY": closed,
                "EDGE_EFFNET_CACHE": str(tmp_path / "cache"),
            },
        )
        assert "efficientnetv2-b0" in line
        assert "--weights" in line

    def test_neither_variant_nor_model(self, refused) -> None:
        assert "one of a variant, a model and a baseline" in refused("--int8", code=2)

    def test_ctrl_c_leaves_nothing(
        self, converted: tuple[Path, dict], photos: Path, tmp_path: Path
    ) -> None:
        source, out = converted[0] / "b0-phi-8-float32.tflite", tmp_path / "out"
        command = [sys.executable, "-c", HANGS_IN_TIMING, "convert", "--int8"]
        process = subprocess.Popen(
            [*command, "--model", source, "--data", photos, "--out", out],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "timing\n"
        assert list(out.glob(".edge-effnet-*/*.tflite"))
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "interrupted" in error
        assert "Traceback" not in error
        assert list(out.iterdir()) == []


def test_every_option_stands_under_a_heading() -> None:
    from converters.commands.convert import _GROUPS, command

    grouped = [flag for flags in _GROUPS.values() for flag in flags]
    assert len(grouped) == len(set(grouped))
    flags = {param.opts[0] for param in command.params}
    assert flags - set(grouped) == {"--threads"}
    assert set(grouped) <= flags
