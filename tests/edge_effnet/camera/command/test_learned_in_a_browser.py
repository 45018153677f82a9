"""A thing that the model has never seen: held up, recorded, learned, known, in Chromium."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from edge_effnet.artifact import read_artifact
from tests.edge_effnet.camera.command.paged import buttons, running, told, until
from tests.edge_effnet.camera.conftest import MakeClip
from tests.edge_effnet.camera.outputs.page.browser import DESKTOP, PHONE, browser

pytestmark = pytest.mark.slow


def text(page: Chrome, name: str) -> str:
    return str(page.find_element(By.ID, name).text)


def recorded(page: Chrome, label: str) -> tuple[int, int]:
    """Photos, and presses that they are of."""
    found = re.search(rf"{label} (\d+) photos? in (\d+) press", text(page, "recorded"))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def record(page: Chrome, label: str) -> None:
    """Hold a class until two photos of it are recorded."""
    photos, presses = recorded(page, label)
    buttons(page)[label].click()
    until(page, lambda: recorded(page, label) >= (photos + 2, presses + 1))
    buttons(page)[label].click()


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_an_unknown_thing_is_learned_on_the_page(
    recorded_model: Path, clip: MakeClip, tmp_path: Path, size: tuple[int, int]
) -> None:
    video, kept = clip(["blue"] * 60), tmp_path / "kept"
    options = ("--model", recorded_model, "--source", video, "--loop", "--collect", kept)
    document = tmp_path / "run.json"
    with (
        browser(size) as page,
        running(*options, "--serve", "127.0.0.1:0", "--json", document) as (_, url),
    ):
        page.get(url)
        until(page, lambda: text(page, "answer") == "unknown")
        buttons(page)
        page.find_element(By.ID, "new-name").send_keys("blue")
        page.find_element(By.CSS_SELECTOR, "#new button").click()
        until(page, lambda: "blue" in buttons(page))
        record(page, "blue")
        record(page, "blue")
        page.find_element(By.ID, "learn-now").click()  # the seventh tap
        until(page, lambda: text(page, "answer") == "blue")
        until(page, lambda: "blue: not enough different views yet" in text(page, "learned-lines"))

        until(page, lambda: page.find_element(By.ID, "back").is_enabled())
        page.find_element(By.ID, "back").click()
        until(page, lambda: text(page, "answer") == "unknown")
        page.find_element(By.ID, "back").click()
        until(page, lambda: text(page, "answer") == "blue")
    assert read_artifact(recorded_model).labels == ("green", "red", "blue")
    run = json.loads(document.read_text())
    assert len(run["earlier_models"]) == 3
    assert len(list(kept.glob("photos/blue/*.jpg"))) >= 4


def test_strangers_are_a_class_of_their_own(
    recorded_model: Path, clip: MakeClip, tmp_path: Path
) -> None:
    video, kept = clip(["blue"] * 60), tmp_path / "kept"
    options = ("--model", recorded_model, "--source", video, "--loop", "--collect", kept)
    with browser(PHONE) as page, running(*options, "--serve", "127.0.0.1:0") as (_, url):
        page.get(url)
        record(page, "none")
        until(page, lambda: "none" in told(page))
    assert len(list(kept.glob("photos/none/*.jpg"))) >= 2


def test_kept_frames_are_labelled_many_at_once(
    recorded_model: Path, clip: MakeClip, tmp_path: Path
) -> None:
    video, kept = clip(["blue"] * 30 + ["red"] * 10), tmp_path / "kept"
    options = ("--model", recorded_model, "--source", video, "--loop", "--collect", kept)
    with browser(DESKTOP) as page, running(*options, "--serve", "127.0.0.1:0") as (_, url):
        page.get(url)
        until(page, lambda: page.find_element(By.ID, "label-kept").is_displayed())
        page.find_element(By.ID, "label-kept").click()
        until(page, lambda: bool(page.find_elements(By.CSS_SELECTOR, ".grid button")))
        waiting = len(page.find_elements(By.CSS_SELECTOR, ".grid button"))
        page.find_element(By.ID, "new-name").send_keys("blue")
        page.find_element(By.CSS_SELECTOR, "#new button").click()
        until(page, lambda: "blue" in buttons(page))
        page.find_element(By.ID, "all").click()
        buttons(page)["blue"].click()
        until(page, lambda: len(list(kept.glob("photos/blue/*.jpg"))) >= waiting)
        until(page, lambda: page.find_element(By.ID, "undo").is_enabled())
        page.find_element(By.ID, "undo").click()
        until(page, lambda: not list(kept.glob("photos/blue/*.jpg")))
        until(page, lambda: bool(page.find_elements(By.CSS_SELECTOR, ".grid button")))
        page.find_element(By.CSS_SELECTOR, ".grid button").click()
        page.find_element(By.ID, "discard").click()
        until(page, lambda: len(list(kept.glob("discarded/*.jpg"))) == 1)
