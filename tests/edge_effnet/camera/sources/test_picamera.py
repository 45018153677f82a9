"""A CSI camera: the calls Picamera2 documents, on a stand-in (no camera was at hand)."""

from __future__ import annotations

import importlib.machinery
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

from edge_effnet.camera.sources import kinds
from edge_effnet.camera.sources.base import CameraRequest, SourceLost
from edge_effnet.camera.sources.kinds import default_source, open_source
from edge_effnet.camera.sources.v4l2 import first_usb_camera
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import plain


class FakePicamera2:
    cameras: ClassVar[list[dict[str, Any]]] = [
        {"Model": "imx708", "Id": "/base/axi/pcie@120000/rp1/i2c@88000/imx708@1a", "Num": 1},
        {
            "Model": "C920",
            "Id": "/base/axi/pcie@120000/rp1/usb@200000-1:1.0-046d:082d",
            "Num": 0,
        },
    ]
    granted: ClassVar[str] = "BGR888"
    range: ClassVar[str] = "Limited"
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

    def camera_configuration(self) -> dict[str, Any]:
        size = (320, 240)
        main = {"size": size, "format": self.granted, "stride": 320, "framesize": 115200}
        colours = SimpleNamespace(range=SimpleNamespace(name=self.range))
        return {"main": main, "colour_space": colours}

    def start(self) -> None:
        self.calls.append("start")

    def capture_array(self, name: str) -> Any:
        assert name == "main"
        if len(self.calls) > 4:
            raise TimeoutError
        self.calls.append("capture")
        picture = np.ascontiguousarray(plain("red", 320, 240))
        if self.granted == "NV12":
            i420 = cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420)
            chroma = i420[240:].reshape(2, -1).T.reshape(120, 320)
            return np.concatenate([i420[:240], chroma])
        return picture

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
    module.__spec__ = importlib.machinery.ModuleSpec("picamera2", None)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    libcamera = ModuleType("libcamera")
    libcamera.ColorSpace = SimpleNamespace(Smpte170m=lambda: "BT.601")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "libcamera", libcamera)
    monkeypatch.setattr(FakePicamera2, "calls", [])
    return FakePicamera2


def test_a_csi_camera(picamera: type[FakePicamera2]) -> None:
    source = open_source("picamera2", CameraRequest(320, 240, 15.0))
    assert source.live
    assert "imx708" in source.name
    assert picamera.calls[1] == {
        "main": {"size": (320, 240), "format": "BGR888"},
        "controls": {"FrameRate": 15.0},
        "colour_space": "BT.601",
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
    with pytest.raises(DataError, match="no CSI camera 1; found 1 CSI cameras"):
        open_source("picamera2:1")  # Picamera2's second camera is a USB camera
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


def test_the_format_that_was_granted_is_used(
    picamera: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera, "granted", "NV12")
    frame = open_source("picamera2").read()
    assert frame is not None
    assert frame.pixels.shape == (240, 320, 3)
    assert frame.pixels.mean(axis=(0, 1)).argmax() == 0
    monkeypatch.setattr(picamera, "granted", "SRGGB10")
    with pytest.raises(DataError, match="format that is not known; found SRGGB10"):
        open_source("picamera2")
    assert picamera.calls[-2:] == ["stop", "close"]


def test_the_range_that_was_granted_is_used(
    picamera: type[FakePicamera2], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picamera, "granted", "NV12")
    limited = open_source("picamera2").read()
    picamera.calls.clear()
    monkeypatch.setattr(picamera, "range", "Full")
    full = open_source("picamera2").read()
    assert limited is not None
    assert full is not None
    assert full.pixels.max() < limited.pixels.max() - 10  # the planes are of limited range


def video_devices(root: Path, **devices: str) -> Path:
    """A machine's /sys with these cameras: name, and what they hang on."""
    for name, parent in devices.items():
        place = root / "sys/devices" / parent / "video4linux" / name
        place.mkdir(parents=True)
        (place / "device").symlink_to(root / "sys/devices" / parent)
        first = name != "video9"  # a camera's second device holds metadata
        (place / "index").write_text("0\n" if first else "1\n")
        entry = root / "sys/class/video4linux" / name
        entry.parent.mkdir(parents=True, exist_ok=True)
        entry.symlink_to(place)
    return root


def test_the_first_usb_camera_is_no_codec_and_no_metadata(tmp_path: Path) -> None:
    codec, usb = "platform/soc/fe00b840.mailbox", "platform/scb/pcie/usb1/1-1/1-1.3:1.0"
    codecs = dict.fromkeys(("video0", "video8", "video19"), codec)
    root = video_devices(tmp_path, **codecs, video9=usb, video10=usb)
    assert first_usb_camera(root) == Path("/dev/video10")
    assert first_usb_camera(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("cameras", "usb", "expected"),
    [
        (slice(0, 2), None, ("picamera2", "the first CSI camera is used")),
        (slice(0, 1), Path("/dev/video8"), ("picamera2", "the first CSI camera is used")),
        (slice(1, 2), Path("/dev/video8"), ("/dev/video8", "no CSI camera is there: /dev/video8")),
        (slice(0, 0), None, ("picamera2", "no USB camera is there")),
    ],
)
def test_the_default_source_on_a_pi(
    picamera: type[FakePicamera2],
    monkeypatch: pytest.MonkeyPatch,
    cameras: slice,
    usb: Path | None,
    expected: tuple[str, str],
) -> None:
    monkeypatch.setattr(picamera, "cameras", picamera.cameras[cameras])
    monkeypatch.setattr(kinds, "first_usb_camera", lambda: usb)
    source, why = default_source()
    assert source == expected[0]
    assert expected[1] in why


def test_the_default_source_without_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "first_usb_camera", lambda: None)
    assert default_source()[0] == "0"
    monkeypatch.setattr(kinds, "first_usb_camera", lambda: Path("/dev/video2"))
    assert default_source()[0] == "/dev/video2"
