"""CSI cameras of a Raspberry Pi, through Picamera2 (from apt, never from pip)."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from functools import partial
from typing import Any

from edge_effnet.camera.sources.base import CameraRequest, CapturedFrame, FrameSource, SourceLost
from edge_effnet.camera.sources.pixel_formats import rgb_of
from edge_effnet.errors import DataError

DEFAULT_WIDTH, DEFAULT_HEIGHT, DEFAULT_FPS = 640, 480, 30.0


def open_picamera(number: int, request: CameraRequest) -> FrameSource:
    """Start a CSI camera.

    Raises:
        DataError: Picamera2 is not installed, no such camera, it is in use, or it gives frames of
            a format that is not known.
    """
    kind = _picamera2()
    camera: Any = None
    try:
        cameras = _csi(kind)
        if number < len(cameras):
            camera = kind(number)
            granted, colours = _start(camera, request)
    except Exception as error:  # its errors are RuntimeError, OSError and libcamera's own
        if camera is not None:
            _give_back(camera)
        raise DataError(
            f"CSI camera {number} does not start",
            found=" ".join(str(error).split()) or type(error).__name__,
            fix="stop the other program that uses it (rpicam-*, another edge-effnet)",
        ) from error
    if camera is None:
        raise DataError(
            f"there is no CSI camera {number}",
            found=f"{len(cameras)} CSI cameras",
            fix="check the ribbon cable with the power off, then: rpicam-hello --list-cameras; "
            "a USB camera is --source /dev/video0",
        )
    name = f"CSI camera {number} ({cameras[number].get('Model', 'unknown model')})"
    try:
        rgb = rgb_of(granted, name, full_range=_full_range(colours))
    except DataError:
        _give_back(camera)
        raise

    def read() -> CapturedFrame:
        try:
            return CapturedFrame(rgb(camera.capture_array("main")))
        except Exception as error:
            raise SourceLost(f"the camera failed ({type(error).__name__})") from error

    def skip() -> None:
        try:
            camera.capture_request().release()
        except Exception as error:
            raise SourceLost(f"the camera failed ({type(error).__name__})") from error

    fps, give_back = request.fps or DEFAULT_FPS, partial(_give_back, camera)
    return FrameSource(name, True, fps, read, skip, give_back, size=granted["size"])


def has_csi_camera() -> bool:
    """Whether Picamera2 is installed and has a CSI camera."""
    try:
        return bool(_csi(_picamera2()))
    except Exception:  # of libcamera, too: what is wrong is told when the camera is opened
        return False


def _picamera2() -> Any:
    # libcamera writes a page to stderr on every start.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        return importlib.import_module("picamera2").Picamera2
    except ImportError as error:
        raise DataError(
            "Picamera2 cannot be imported",
            found=str(error),
            fix="sudo apt install python3-picamera2, and make the environment with "
            "python3 -m venv --system-site-packages",
        ) from error


def _csi(kind: Any) -> list[dict[str, Any]]:
    """The CSI cameras in Picamera2's order, in which USB cameras come last."""
    return [camera for camera in kind.global_camera_info() if "/usb" not in camera.get("Id", "")]


def _give_back(camera: Any) -> None:
    """Stop and close; one that failed is closed as far as it lets us, and opened again later."""
    for end in (camera.stop, camera.close):
        with suppress(Exception):
            end()


def _start(camera: Any, request: CameraRequest) -> tuple[dict[str, Any], Any]:
    """Start it; the stream's configuration and the colour space as they were granted."""
    size = (request.width or DEFAULT_WIDTH, request.height or DEFAULT_HEIGHT)
    # libcamera names the channels by significance: its BGR888 lies in memory as R, G, B.
    frame = {"size": size, "format": "BGR888"}
    controls = {"FrameRate": request.fps or DEFAULT_FPS}
    colours = importlib.import_module("libcamera").ColorSpace.Smpte170m()  # BT.601, where YUV comes
    wanted = camera.create_video_configuration(main=frame, controls=controls, colour_space=colours)
    camera.configure(wanted)
    camera.start()
    granted = camera.camera_configuration()
    return dict(granted["main"]), granted.get("colour_space")


def _full_range(colours: Any) -> bool:
    """Whether a libcamera ``ColorSpace`` is of full range; None where it was not told."""
    return getattr(getattr(colours, "range", None), "name", "") == "Full"
