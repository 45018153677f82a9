"""What --source can name: files, devices, CSI cameras, network streams, and none of these."""

from __future__ import annotations

import base64
import importlib.machinery
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from edge_effnet.camera.sources.base import (
    CameraRequest,
    CapturedFrame,
    FrameSource,
    SourceEnded,
    SourceLost,
)
from edge_effnet.camera.sources.kinds import default_source, open_source
from edge_effnet.camera.sources.mjpeg import open_mjpeg, without_password
from edge_effnet.camera.sources.v4l2 import holders, open_device
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import MakeClip, Serve, jpeg, plain, send_stream
from tests.edge_effnet.conftest import write_image


def all_of(source: FrameSource) -> list[CapturedFrame | None]:
    frames = []
    try:
        while True:
            frames.append(source.read())
    except SourceEnded:
        source.close()
        return frames


def test_a_video_file(clip: MakeClip) -> None:
    path = clip(["red"] * 5 + ["blue"] * 5, fps=20)
    source = open_source(str(path))
    assert (source.live, source.fps, source.name) == (False, 20.0, "clip.mp4")
    source.skip()
    frames = all_of(source)
    assert len(frames) == 9
    assert frames[0] is not None
    assert frames[-1] is not None
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels.mean(axis=(0, 1)).argmax() == 0  # RGB, not BGR
    assert frames[-1].pixels.mean(axis=(0, 1)).argmax() == 2


def test_images_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, colour in (("b/2.png", "blue"), ("a/1.png", "red"), ("a/3.png", "green")):
        write_image(tmp_path / "set" / name, plain(colour))
    (tmp_path / "set/a/0.jpg").write_text("no image")
    frames = all_of(open_source(str(tmp_path / "set")))
    assert frames[0] is None
    assert [frame.path.name for frame in frames[1:] if frame and frame.path] == [
        *("1.png", "3.png", "2.png")
    ]
    one = all_of(open_source(str(tmp_path / "set/b/2.png")))
    assert len(one) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nowhere.mp4", "is no source of images"),
        ("ftp://camera/x", "is no address of a camera"),
        ("http:///x", "is no address of a camera"),
        ("7", "there is no camera at /dev/video7"),
        ("/dev/video93", "there is no camera"),
        ("http://127.0.0.1:9/x", "cannot be reached"),
        ("picamera2", "Picamera2 cannot be imported"),
        (".", "holds no images"),
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


def test_garbage_for_a_video(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    with pytest.raises(DataError, match="no video that can be read"):
        open_source(str(path))


def test_a_cut_off_video_is_refused_or_ends_early(clip: MakeClip) -> None:
    path = clip(["red"] * 30)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DataError, match="no video that can be read"):
        open_source(str(path))  # an MP4 keeps its index at its end
    path = clip(["red", "blue"] * 200, name="clip.avi")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0 < len(all_of(open_source(str(path)))) < 400


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


def test_the_default_source(monkeypatch: pytest.MonkeyPatch) -> None:
    assert default_source() == "0"
    module = ModuleType("picamera2")
    module.__spec__ = importlib.machinery.ModuleSpec("picamera2", None)
    monkeypatch.setitem(sys.modules, "picamera2", module)
    assert default_source() == "picamera2"


def test_passwords_stay_off_the_screen() -> None:
    assert without_password("rtsp://me:se@cret@host/x") == "rtsp://host/x"
    assert without_password("http://host/x@y") == "http://host/x@y"
    with pytest.raises(DataError) as caught:
        open_source("http://me:secret@127.0.0.1:9/x")
    assert "secret" not in str(caught.value)


# A CSI camera: the calls Picamera2 documents, on a stand-in (no camera was at hand)


class FakePicamera2:
    cameras: ClassVar[list[dict[str, Any]]] = [{"Model": "imx708"}]
    calls: ClassVar[list[Any]] = []
    fails: ClassVar[bool] = False

    def __init__(self, number: int) -> None:
        if self.fails:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self.calls.append(("open", number))

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
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


# Streams


@pytest.mark.parametrize("length", [True, False])
def test_an_mjpeg_stream_is_decoded_as_its_frames_are(http_camera: Serve, length: bool) -> None:
    sent = [jpeg(plain(colour)) for colour in ("red", "green", "blue")]
    source = open_source(http_camera(lambda handler: send_stream(handler, sent, length=length)))
    assert source.live
    frames = [source.read() for _ in sent]
    from edge_effnet.image.reading import decode

    for frame, data in zip(frames, sent, strict=True):
        assert frame is not None
        assert np.array_equal(frame.pixels, decode(data, "x"))
    with pytest.raises(SourceLost, match="ended"):
        source.read()
    source.close()


def test_broken_frames_in_a_stream_are_none_and_the_next_is_fine(http_camera: Serve) -> None:
    good = jpeg(plain("red"))
    parts = [good, good[: len(good) // 2], b"not a jpeg", b"", jpeg(plain("red", 32, 16))]
    source = open_source(http_camera(lambda handler: send_stream(handler, parts)))
    frames = [source.read() for _ in parts]
    assert [frame is not None for frame in frames] == [True, False, False, False, True]
    assert frames[4] is not None
    assert frames[4].pixels.shape == (16, 32, 3)  # the resolution changed in mid-stream
    source.close()


def test_a_stream_of_garbage(http_camera: Serve) -> None:
    noise = np.random.default_rng(5).integers(32, 120, 3 * 2**20, dtype=np.uint8).tobytes()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        handler.end_headers()
        handler.wfile.write(noise)

    source = open_source(http_camera(answer))
    with pytest.raises(SourceLost, match="no images"):
        source.read()
    source.close()


def test_a_silent_stream_is_lost_after_its_timeout(http_camera: Serve) -> None:
    over = threading.Event()

    def parts() -> Iterator[bytes]:
        yield jpeg(plain("red"))
        over.wait(60)

    address = http_camera(lambda handler: send_stream(handler, parts()))
    source = open_mjpeg(address, timeout_s=2)
    assert source is not None
    assert source.read() is not None
    with pytest.raises(SourceLost, match="nothing came"):
        source.read()
    over.set()
    source.close()


def test_user_and_password_of_an_address(http_camera: Serve) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        wanted = "Basic " + base64.b64encode(b"me:p@ss").decode()
        if handler.headers.get("Authorization") != wanted:
            handler.send_error(401)
            return
        send_stream(handler, [jpeg(plain("red"))])

    address = http_camera(answer)
    with pytest.raises(DataError, match="refuses; found HTTP 401") as caught:
        open_source(address)
    assert "user:password@" in str(caught.value)
    source = open_source(address.replace("//", "//me:p%40ss@"))
    assert source.read() is not None
    assert "p%40ss" not in source.name
    source.close()


def test_a_page_is_no_camera(http_camera: Serve) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(b"<html>log in</html>")

    with pytest.raises(DataError, match="a page of type text/html"):
        open_source(http_camera(answer))
