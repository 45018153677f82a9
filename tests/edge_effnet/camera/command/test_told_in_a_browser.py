"""The installed command's page in Chromium: classes are told by presses and keys, and undone."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.edge_effnet.camera.command.paged import buttons, running, told, until
from tests.edge_effnet.camera.conftest import MakeClip
from tests.edge_effnet.camera.outputs.page.browser import DESKTOP, PHONE, browser
from tests.edge_effnet.conftest import BLUE_IS_RED, MakeModel

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_live_accuracy_of_both_models_by_presses(
    colour_model: MakeModel, clip: MakeClip, tmp_path: Path, size: tuple[int, int]
) -> None:
    video, document = clip(["blue"] * 40), tmp_path / "run.json"
    model, reference = colour_model("int8.tflite", BLUE_IS_RED), colour_model("float.tflite")
    options = ("--model", model, "--compare", reference, "--source", video, "--loop")
    with (
        browser(size) as page,
        running(*options, "--serve", "127.0.0.1:0", "--json", document) as (_, url),
    ):
        page.get(url)
        blue = buttons(page)["blue"]
        blue.click()
        until(page, lambda: "held" in str(blue.get_attribute("class")))
        until(page, lambda: int(told(page)["blue"][0].split(" of ")[1]) >= 5)
        assert told(page)["blue"][0].startswith("0 of ")  # the model calls blue red
        blue.click()
        until(page, lambda: "held" not in str(blue.get_attribute("class")))
        assert "100.0 %" in page.find_element(By.ID, "truth").text  # of the reference

        red = buttons(page)["red"]  # a slip, by a press that lasts
        ActionChains(page).click_and_hold(red).pause(0.8).release().perform()
        until(page, lambda: "red" in told(page))
        time.sleep(1.5)
        assert "held" not in str(red.get_attribute("class"))
        page.find_element(By.ID, "undo").click()
        until(page, lambda: "red" not in told(page))

        page.find_element(By.TAG_NAME, "body").send_keys("2")  # the second class, by its key
        until(page, lambda: "green" in told(page))
        page.find_element(By.TAG_NAME, "body").send_keys("2u")
        until(page, lambda: "green" not in told(page))
        page.find_element(By.ID, "one").click()
        before = told(page)["blue"][0]
        buttons(page)["blue"].click()
        until(page, lambda: told(page)["blue"][0] != before)
    result = json.loads(document.read_text())["camera"]["told"]
    (row,) = result["by_class"]
    assert row["label"] == "blue"
    assert (row["right"], result["right"]) == (0, 0)
    assert row["frames"] == result["frames"] > 5
    assert row["reference_right"] == row["reference_frames"] > 0


def test_two_viewers_behind_a_token(colour_model: MakeModel, clip: MakeClip) -> None:
    video = clip(["red"] * 40)
    options = ("--model", colour_model("one.tflite"), "--source", video, "--loop")
    with (
        browser(PHONE) as page,
        browser(PHONE) as other,
        running(*options, "--serve", "0.0.0.0:0") as (_, url),
    ):
        local = re.sub(r"//[^/]*:", "//127.0.0.1:", url)
        for viewer in (page, other):
            viewer.get(local)
        buttons(page)["red"].click()
        until(other, lambda: "held" in str(buttons(other)["red"].get_attribute("class")))
        buttons(other)["blue"].click()  # the newest wins
        until(page, lambda: "held" in str(buttons(page)["blue"].get_attribute("class")))
        until(page, lambda: {"red", "blue"} <= told(page).keys())
