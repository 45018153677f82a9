"""``teach`` on a network that sees three colours: what it writes, and what it refuses."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.teaching.backbone import open_backbone
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel, write_image


def test_what_it_taught_is_answered(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mine.tflite"
    code, told, _ = cli("teach", colour_folder, "--base", base, "--out", out)
    assert code == 0
    assert f"written to {out}" in told
    code, told, _ = cli("evaluate", out, "--data", colour_folder, "--json", "-")
    assert (code, json.loads(told)["top1"]) == (0, 100)


def test_a_file_is_run_as_it_was_taught(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    """Its card says what --preprocess said, not what the base's does."""
    out = tmp_path / "mine.tflite"
    told = ("--preprocess", "fit=squash,resize=linear")
    assert cli("teach", colour_folder, "--base", base, *told, "--out", out)[0] == 0
    card, of_base = read_artifact(out).card, read_artifact(base).card
    assert card is not None
    assert of_base is not None
    wanted = replace(of_base.preprocess, fit="squash", crop=1.0, resize="linear")
    assert card.preprocess == wanted != of_base.preprocess


def test_the_same_photos_make_the_same_file(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    made = []
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        out = tmp_path / folder / "mine.tflite"
        assert cli("teach", colour_folder, "--base", base, "--out", out)[0] == 0
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_a_taught_file_is_a_base_as_good_as_its_own(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    one, other, third = (tmp_path / f"{name}.tflite" for name in ("one", "other", "third"))
    assert cli("teach", colour_folder, "--base", base, "--out", one)[0] == 0
    shutil.rmtree(colour_folder / "green")
    assert cli("teach", colour_folder, "--base", one, "--out", other)[0] == 0
    assert cli("teach", colour_folder, "--base", other, "--out", third)[0] == 0
    files = [open_backbone(path) for path in (base, one, other, third)]
    assert len({file.sha256 for file in files}) == 1
    assert len(files[3].model) == len(files[2].model) <= len(files[1].model)
    card = read_artifact(other).card
    assert card is not None
    assert card.labels == ("blue", "red")
    assert [step["step"] for step in card.steps].count("taught") == 1


def test_one_photo_a_class_works_and_says_what_it_is_worth(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    for path in colour_folder.rglob("*.png"):
        if path.stem != "0":
            path.unlink()
    code, told, _ = cli("teach", colour_folder, "--base", base, "--out", tmp_path / "mine.tflite")
    assert code == 0
    assert "how right it is cannot be told" in told


def test_one_photo_under_two_names_is_one(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    for folder in colour_folder.iterdir():
        for path in folder.glob("*.png"):
            if path.stem != "0":
                path.write_bytes((folder / "0.png").read_bytes())
    code, told, _ = cli("teach", colour_folder, "--base", base, "--out", tmp_path / "mine.tflite")
    assert code == 0
    assert "no class has two different photos" in told


def test_one_photo_in_two_classes_is_named(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    wrong = colour_folder / "blue" / "wrong.png"
    shutil.copy(colour_folder / "red" / "0.png", wrong)
    code, _, told = cli("teach", colour_folder, "--base", base, "--out", tmp_path / "mine.tflite")
    assert code == 0
    assert "one photo in two classes" in told
    assert str(wrong) in told


def test_of_frames_of_one_clip_it_says_what_they_do_not_tell(
    cli: Cli, base: Path, tmp_path: Path
) -> None:
    random = np.random.default_rng(5)
    for name in ("one", "other"):
        scene = cv2.resize(random.integers(0, 255, (6, 8, 3), dtype=np.uint8), (160, 120))
        for number in range(8):
            frame = np.clip(scene.astype(int) + random.integers(-2, 3, scene.shape), 0, 255)
            write_image(tmp_path / "clips" / name / f"{number}.png", frame.astype(np.uint8))
    code, _, told = cli(
        "teach", tmp_path / "clips", "--base", base, "--out", tmp_path / "mine.tflite"
    )
    assert code == 0
    assert "note: most photos of 'one', 'other' look the same" in told


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("one class", "one class only"),
        ("one photo", "one class only"),
        ("no photos", "holds no images"),
        ("unreadable", "none of the 30 images can be read"),
        ("a class unreadable", "no image of 'red'"),
        ("no model", "is a text file, not a model"),
        ("cut-off base", "damaged or cut off"),
        ("base of unknown pixels", "does not say how pixels become its input"),
    ],
)
def test_bad_input_is_one_clear_line(
    cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path, case: str, message: str
) -> None:
    base, out = colour_model("base.tflite"), tmp_path / "mine.tflite"
    if case in {"one class", "one photo", "no photos"}:
        shutil.rmtree(colour_folder / "red")
        shutil.rmtree(colour_folder / "blue")
        photos = sorted(colour_folder.rglob("*.png"))
        for path in photos[: {"one class": 0, "one photo": -1}.get(case, len(photos))]:
            path.unlink()
    elif "unreadable" in case:
        for path in (colour_folder / "red" if "class" in case else colour_folder).rglob("*.png"):
            path.write_text("no photo")
    elif case == "no model":
        base.write_text("not a model at all")
    elif case == "cut-off base":
        base.write_bytes(base.read_bytes()[:300])
    else:
        base = colour_model("unknown.tflite", labels=None)
    code, told, err = cli("teach", colour_folder, "--base", base, "--out", out, "--json", "-")
    assert (code, told) == (1, "")
    assert message in err
    assert "to fix: " in err
    assert err.count("error: ") == 1
    assert "Traceback" not in err
    assert not out.exists()


@pytest.mark.parametrize("after_s", [0.4, 0.8, 1.2])
def test_killed_at_any_moment_it_leaves_nothing_half_written(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path, after_s: float
) -> None:
    out = tmp_path / "out" / "mine.tflite"
    out.parent.mkdir()
    command = ["-m", "edge_effnet", "teach", colour_folder, "--base", base, "--out", out]
    running = subprocess.Popen(
        [sys.executable, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(after_s)
    running.send_signal(signal.SIGKILL)
    running.wait()
    if not out.exists():
        assert cli("teach", colour_folder, "--base", base, "--out", out)[0] == 0
    assert list(out.parent.glob("*.tflite")) == [out]
    assert cli("classify", out, colour_folder / "red" / "0.png")[0] == 0
