"""V4L2 cameras, USB webcams above all, through OpenCV."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from edge_effnet.camera.sources.base import CameraRequest, FrameSource, SourceLost, opencv_source
from edge_effnet.data.labels import listed
from edge_effnet.errors import DataError
from edge_effnet.files.native_names import native_name
from edge_effnet.system.cpu import ROOT, read_text


def open_device(device: Path, request: CameraRequest) -> FrameSource:
    """Open a V4L2 camera.

    Raises:
        DataError: no such device, no permission, in use, or no camera after all.
    """
    refuse_device(device)
    capture = cv2.VideoCapture(native_name(device, DataError), cv2.CAP_V4L2)
    properties = (
        (cv2.CAP_PROP_FRAME_WIDTH, request.width),
        (cv2.CAP_PROP_FRAME_HEIGHT, request.height),
        (cv2.CAP_PROP_FPS, request.fps),
        (cv2.CAP_PROP_BUFFERSIZE, 1),  # else old frames wait in the driver
    )
    for setting, value in properties:
        if value is not None and capture.isOpened():
            capture.set(setting, value)
    if not capture.isOpened() or not capture.grab():
        capture.release()
        raise _unusable(device)
    return opencv_source(
        capture,
        str(device),
        live=True,
        gone=lambda: SourceLost(
            "the camera was unplugged" if not device.exists() else "no frame came"
        ),
    )


def first_usb_camera(root: Path = ROOT) -> Path | None:
    """The USB camera with the lowest number: other devices of these names decode video, or hold
    the metadata of a camera.

    Args:
        root: of the files in which Linux describes the machine.
    """
    entries = (root / "sys/class/video4linux").glob("video[0-9]*")
    for entry in sorted(entries, key=lambda path: int(path.name.removeprefix("video"))):
        if read_text(entry / "index") == "0" and "/usb" in os.path.realpath(entry / "device"):
            return Path("/dev") / entry.name
    return None


def refuse_device(device: Path) -> None:
    """Raise DataError where a device is not there or may not be opened."""
    if not device.exists():
        others = sorted(str(path) for path in device.parent.glob("video[0-9]*"))
        raise DataError(
            f"there is no camera at {device}",
            found=", ".join(others[:4]) if others else "no video device at all",
            fix="plug a camera in and give its number with --source, which also takes a folder of "
            "photos or a video; for a CSI camera, sudo apt install python3-picamera2",
        )
    if not os.access(device, os.R_OK | os.W_OK):
        raise DataError(
            f"{device} may not be opened by this user",
            found="no permission",
            expected="membership in the group video",
            fix="sudo usermod -aG video $USER, then log in again",
        )


def _unusable(device: Path) -> DataError:
    users = holders(device)
    if users:
        return DataError(
            f"{device} is busy",
            found=f"in use by {listed(users, 4)}",
            fix="stop that program",
        )
    return DataError(
        f"{device} gives no frames",
        found="no V4L2 camera, or one that another user's program holds",
        fix="try the other /dev/video numbers; a CSI camera needs --source picamera2",
    )


def holders(device: Path, proc: Path = Path("/proc")) -> list[str]:
    """Other processes that have a file open, as ``name (pid)``; only those we may look into."""
    found = []
    for process in proc.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        try:
            if any(os.path.realpath(link) == str(device) for link in process.glob("fd/*")):
                name = (process / "comm").read_text().strip()
                found.append(f"{name} ({process.name})")
        except OSError:  # gone meanwhile, or not ours
            continue
    return found
