"""A CSI camera: the calls Picamera2 documents, on a stand-in (no camera was at hand)."""

from __future__ import annotations

import importlib.machinery
import sys
from types import ModuleType
from typing import Any, ClassVar

import pytest

from edge_effnet.camera.sources.base import CameraRequest, SourceLost
from edge_effnet.camera.sources.kinds import default_source, open_source
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import plain


class FakePicamera2:
    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708"}]
    calls: ClassVar[list[Any]] = []
    fails: ClassVar[bool] = False
    sticks: ClassVar[bool] = False

    def __init__(self, number: int) -> None:
        if self.fails:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.calls.append(("open", number))

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        if cls.sticks:
            raise RuntimeError("the camera manager is gone")
        return cls.cameras

    def create_video_configuration(self, **settings: Any) -> dict[str, Any]:
        return settings

    def configure(self, settings: dict[str, Any]) -> None:
        self.calls.append(settings)

    def start(self) -> None:
        self.calls.append("start")

    def capture_array(self, name: str) -> Any:
        assert name == "main"
        if len(self.calls) > 4:
            raise TimeoutError
        self.calls.append("capture")
        return plain("red")

    def stop(self) -> None:
        self.calls.append("stop")
        if self.sticks:
            raise RuntimeError("it does not stop")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def picamera(monkeypatch: pytest.MonkeyPatch) -> type[FakePicamera2]:
    module = ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    monkeypatch.setattr(FakePicamera2, "calls", [])
    return FakePicamera2


def test_a_csi_camera(picamera: type[FakePicamera2]) -> None:
    source = open_source("picamera2", CameraRequest(320, 240, 15.0))
    assert source.live
    assert "imx708" in source.name
    assert picamera.calls[1] == {
        "main": {"size": (320, 240), "format": "BGR888"},
        "controls": {"FrameRate": 15.0},
    }
    frame = source.read()
    assert frame is not None
    assert frame.pixels.mean(axis=(0, 1)).argmax() == 0
    source.read()
    with pytest.raises(SourceLost, match="TimeoutError"):
        source.read()
    source.close()
    assert picamera.calls[-2:] == ["stop", "close"]


def test_no_csi_camera_and_a_busy_one(
    picamera: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="no CSI camera 1"):
        open_source("picamera2:1")
    monkeypatch.setattr(picamera, "fails", True)
    with pytest.raises(DataError, match="does not start; found Camera __init__"):
        open_source("picamera2")


def test_a_camera_that_fails_is_given_back_and_asked_again(
    picamera: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What libcamera raises must not end a run that opens its camera again."""
    source = open_source("picamera2")
    monkeypatch.setattr(picamera, "sticks", True)
    source.close()
    assert picamera.calls[-2:] == ["stop", "close"]
    with pytest.raises(DataError, match="does not start; found the camera manager is gone"):
        open_source("picamera2")


def test_the_default_source(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_source() == "0"
    module = ModuleType("picamera2")
    module.__spec__ = importlib.machinery.ModuleSpec("picamera2", None)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    assert default_source() == "picamera2"
