"""The installed command with its page, and what a viewer reads on it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait


@contextmanager
def running(*options: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A camera with its page, and the page's address; ended by Ctrl-C."""
    command = [sys.executable, "-m", "edge_effnet", "camera", *map(str, options)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        url = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
        yield process, url
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def buttons(page: Chrome) -> dict[str, WebElement]:
    WebDriverWait(page, 20).until(
        lambda page: page.find_elements(By.CSS_SELECTOR, "#classes button")
    )
    found = page.find_elements(By.CSS_SELECTOR, "#classes button")
    return {str(button.get_attribute("title")): button for button in found}


def told(page: Chrome) -> dict[str, list[str]]:
    """By class: the figures beside it. Read at once: the rows are made anew with each figure."""
    rows = page.execute_script(
        "return [...document.querySelectorAll('#by-class tr')]"
        ".map(row => [...row.cells].map(cell => cell.innerText))"
    )
    return {name: figures for name, *figures in rows}


def until(page: Chrome, holds: Callable[[], bool]) -> None:
    WebDriverWait(page, 20, ignored_exceptions=[Exception]).until(lambda _: holds())
