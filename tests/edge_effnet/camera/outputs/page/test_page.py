"""The page itself: its files, and what it shows in Chromium where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from tests.edge_effnet.camera.outputs.page.conftest import get, serving, watch_stream


def test_the_page_loads_nothing_from_elsewhere() -> None:
    with serving() as (server, _):
        status, headers, page = get(server, "/")
        assert status == 200
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        for path in ("/page.css", "/page.js"):
            assert get(server, path)[0] == 200
            page += get(server, path)[2]
        assert not re.search(rb"https?://", page)
        for path in ("/nothing", "/../server.py", "/page.html", "/%2e%2e/server.py"):
            assert get(server, path)[0] == 404


@pytest.fixture(scope="module")
def chromium() -> str:
    found = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if found is None:
        pytest.skip("no Chromium here: the page is not tried in a browser")
    return found


def dom_of(browser: str, url: str, profile: Path, size: str = "390,844") -> str:
    """The page's elements after some seconds of its own time."""
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", f"--window-size={size}"),
            *("--virtual-time-budget=4000", "--dump-dom", url),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_the_page_in_a_browser(chromium: str, tmp_path: Path) -> None:
    with serving("0.0.0.0") as (server, _):  # noqa: S104
        local = f"http://127.0.0.1:{server.port}/"
        doms = [""] * 2

        def look(viewer: int) -> None:
            url = f"{local}?token={server.token}"
            doms[viewer] = dom_of(chromium, url, tmp_path / f"profile{viewer}")

        with watch_stream(server, f"?token={server.token}"):  # takes nothing
            viewers = [threading.Thread(target=look, args=(number,)) for number in range(2)]
            for viewer in viewers:
                viewer.start()
            for viewer in viewers:
                viewer.join(150)
        for dom in doms:  # both viewers, beside one that takes nothing
            shown = re.search(r'data-frames="(\d+)"', dom)
            assert shown
            assert int(shown[1]) >= 3  # the frame changes
            assert 'src="blob:' in dom
            for text in ("no-entry", "roundabout", "97.3 %", "94.1 to 98.8", "14.9", ">62<"):
                assert text in dom
            assert "&lt;b&gt;stop" in dom  # a label is text, never markup
            assert 'd="M0.0 ' in dom  # the curve
            assert ">live<" in dom
        assert "403" in dom_of(chromium, local, tmp_path / "stranger")
