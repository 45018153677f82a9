"""A source that is not there, not permitted or in use is refused in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_effnet.camera.sources.base import CameraRequest
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.camera.sources.v4l2 import holders, open_device
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import MakeClip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.mp4", "is no source of images"),
        ("ftp://camera/x", "is no address of a camera"),
        ("http:///x", "is no address of a camera"),
        ("rtsp://camera/\udcff", "is no address of a camera"),
        ("http://camera/a\nb", "is no address of a camera"),
        ("7", "there is no camera at /dev/video7"),
        ("/dev/video93", "there is no camera"),
        ("http://127.0.0.1:9/x", "cannot be reached"),
        ("picamera2", "Picamera2 cannot be imported"),
        (".", "holds no images"),
        ("me:pass@camera/x?" + 300 * "a", "^… is no source of images"),
    ],
)
def test_nothing_there(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        open_source(text)
    assert "to fix: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pipe_is_named(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(DataError, match=f"{pipe} is no file; found a pipe"):
        open_source(str(pipe))


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clip: MakeClip) -> None:
    device, file = tmp_path / "video0", clip(["red"])
    device.touch()
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(DataError, match="may not be opened by this user") as caught:
        open_device(device, CameraRequest())
    assert "usermod -aG video" in str(caught.value)
    with pytest.raises(DataError, match="no permission"):
        open_source(str(file))


def test_a_busy_camera_names_who_has_it(tmp_path: Path) -> None:
    device = tmp_path / "video0"
    device.touch()
    script = f"import time; f = open({str(device)!r}); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            assert holders(device)[0].endswith(f"({other.pid})")
            with pytest.raises(DataError, match=rf"is busy; found in use by .*\({other.pid}\)"):
                open_device(device, CameraRequest())
        finally:
            other.kill()
    with pytest.raises(DataError, match="gives no frames"):
        open_device(device, CameraRequest())
