"""From a class that a network lacks to a running camera that knows it: frames are collected on the
Pi, labelled on its page, fetched, learned from here, and the new file takes over there."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from selenium.webdriver.common.by import By

from tests.benchmarks.ssh.server import Pi
from tests.conftest import Cli
from tests.edge_effnet.camera.command.paged import buttons, running, until
from tests.edge_effnet.camera.outputs.page.browser import PHONE, browser
from tests.edge_effnet.training.conftest import tiny, tiny_file

__all__ = ["tiny", "tiny_file"]  # fixtures

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

COLOURS = ("blue", "green", "red")  # as OpenCV orders channels
SMALL = ("--weights", "random", "--epochs", "6", "--batch-size", "8", "--learning-rate", "0.02")


def edge_effnet(*arguments: object) -> str:
    """The command in a process of its own, as a user runs it."""
    command = [sys.executable, "-m", "edge_effnet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def draw(folder: Path, count: int, seed: int, colours: Sequence[str] = COLOURS) -> Path:
    """A folder for each colour: images of blotches, each another scene, in its tint."""
    random = np.random.default_rng(seed)
    for colour in colours:
        (folder / colour).mkdir(parents=True)
        for number in range(count):
            blotches = random.integers(0, 120, (4, 5, 1), dtype=np.uint8)
            grey = cv2.resize(blotches, (48, 40), interpolation=cv2.INTER_CUBIC)
            pixels = np.repeat(grey[:, :, None], 3, axis=2)
            pixels[:, :, COLOURS.index(colour)] += np.uint8(110)
            assert cv2.imwrite(str(folder / colour / f"{number}.png"), pixels)
    return folder


def film(images: Path, path: Path) -> Path:
    """A clip of images, each for three frames."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (48, 40))
    for image in sorted(images.iterdir()):
        for _ in range(3):
            writer.write(cv2.imread(str(image)))
    writer.release()
    return path


def accuracy(model: Path, data: Path) -> float:
    return float(json.loads(edge_effnet("evaluate", model, "--data", data, "--json", "-"))["top1"])


def test_a_class_that_the_network_lacks(
    pi: Pi, cli: Cli, tiny_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photos, others = draw(tmp_path / "photos", 24, 3, ("blue", "green")), tmp_path / "others"
    draw(others, 20, 9)
    edge_effnet("train", "--data", "photos", "--variant", tiny_file, *SMALL, "--run", "runs/old")
    edge_effnet(
        "convert", "--variant", tiny_file, "--weights", "runs/old/best.h5", "--data", "photos",
        "--int8", "--out", "old",
    )  # fmt: skip
    model = pi.home / "mine.tflite"
    shutil.copyfile(next(Path("old").glob("*-int8.tflite")), model)
    clip = film(others / "red", tmp_path / "clip.avi")

    there = ("--model", model, "--source", clip, "--loop", "--collect", pi.home / "kept")
    with browser(PHONE) as page, running(*there, "--serve", "127.0.0.1:0") as (_, url):
        page.get(url)
        until(page, lambda: len(list(pi.home.glob("kept/to-label/*.jpg"))) >= 15)
        page.get(f"{url}review")
        until(page, lambda: bool(page.find_elements(By.CSS_SELECTOR, ".grid button")))
        page.find_element(By.ID, "new-name").send_keys("red")
        page.find_element(By.CSS_SELECTOR, "#new button").click()
        until(page, lambda: "red" in buttons(page))
        page.find_element(By.ID, "all").click()
        buttons(page)["red"].click()  # the fifth tap
        until(page, lambda: len(list(pi.home.glob("kept/photos/red/*.jpg"))) >= 15)

        code, _, err = cli("collect", "pull", "pi@pi4:kept", "fetched")
        assert code == 0, err
        shutil.copytree("fetched/photos/red", photos / "red")
        edge_effnet("train", "--data", "photos", "--from", "runs/old", "--run", "runs/new")
        compared = json.loads(Path("runs/new/compared.json").read_text())
        assert compared["classes_new"] == ["red"]
        edge_effnet(
            "convert", "--variant", tiny_file, "--weights", "runs/new/best.h5", "--data", "photos",
            "--int8", "--out", "new",
        )  # fmt: skip
        new = next(Path("new").glob("*-int8.tflite"))
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
        assert code == 0, err
        page.get(url)
        until(page, lambda: page.find_element(By.ID, "answer").text == "red")
    assert accuracy(model, others) > 90
