"""CSI cameras of a Raspberry Pi, through Picamera2 (from apt, never from pip)."""

from __future__ import annotations

import importlib
import os
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from edge_effnet.camera.sources.base import CameraRequest, CapturedFrame, FrameSource, SourceLost
from edge_effnet.errors import DataError

DEFAULT_WIDTH, DEFAULT_HEIGHT, DEFAULT_FPS = 640, 480, 30.0


def open_picamera(number: int, request: CameraRequest) -> FrameSource:
    """Start a CSI camera.

    Raises:
        DataError: Picamera2 is not installed, no such camera, or it is in use.
    """
    # libcamera writes a page to stderr on every start.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        module: Any = importlib.import_module("picamera2")
    except ImportError as error:
        raise DataError(
            "Picamera2 cannot be imported",
            found=str(error),
            fix="sudo apt install python3-picamera2, and make the environment with "
            "python3 -m venv --system-site-packages",
        ) from error
    kind = module.Picamera2
    camera: Any = None
    try:
        cameras = kind.global_camera_info()
        if number < len(cameras):
            camera = kind(number)
            _start(camera, request)
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
            found=f"{len(cameras)} cameras",
            fix="check the ribbon cable with the power off, then: rpicam-hello --list-cameras",
        )

    def read() -> CapturedFrame:
        try:
            pixels = camera.capture_array("main")
        except Exception as error:
            raise SourceLost(f"the camera failed ({type(error).__name__})") from error
        return CapturedFrame(np.ascontiguousarray(pixels[:, :, :3], dtype=np.uint8))

    name = f"CSI camera {number} ({cameras[number].get('Model', 'unknown model')})"
    return FrameSource(
        name, True, request.fps or DEFAULT_FPS, read, read, partial(_give_back, camera)
    )


def _give_back(camera: Any) -> None:
    """Stop and close; one that failed is closed as far as it lets us, and opened again later."""
    for end in (camera.stop, camera.close):
        with suppress(Exception):
            end()


def _start(camera: Any, request: CameraRequest) -> None:
    size = (request.width or DEFAULT_WIDTH, request.height or DEFAULT_HEIGHT)
    # libcamera names the channels by significance: its BGR888 lies in memory as R, G, B.
    frame = {"size": size, "format": "BGR888"}
    controls = {"FrameRate": request.fps or DEFAULT_FPS}
    camera.configure(camera.create_video_configuration(main=frame, controls=controls))
    camera.start()
