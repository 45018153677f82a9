"""``edge-effnet`` with Picamera2 on libcamera's virtual camera, which has no raw stream, and whose
frames are in memory of its own instead of a Pi's."""

import sys
from typing import Any
from unittest.mock import MagicMock

# Screens and raw files: imported, and never used here.
sys.modules |= {name: MagicMock() for name in ("kms", "pidng", "pidng.core", "pidng.camdefs")}

import libcamera  # noqa: E402
import picamera2.picamera2  # noqa: E402
from picamera2.allocators import LibcameraAllocator  # noqa: E402


class VirtualCameraAllocator(LibcameraAllocator):  # type: ignore[misc]
    """Picamera2's own, for the only camera."""

    def __init__(self) -> None:
        super().__init__(None)

    def allocate(self, libcamera_config: Any, use_case: Any) -> None:
        (self.camera,) = libcamera.CameraManager.singleton().cameras
        super().allocate(libcamera_config, use_case)


def _raw_modes(_: Any) -> list[dict[str, Any]]:
    return [{"format": "NV12", "size": (1280, 720)}]


def _configuration(camera: Any) -> dict[str, Any]:
    """libcamera 0.7's virtual camera says Rec709 of limited range, whatever is asked; its pictures
    are the planes of JPEG files, which is sYCC: BT.601 of full range."""
    return {**camera.camera_config, "colour_space": libcamera.ColorSpace.Sycc()}


picamera2.Picamera2.camera_configuration = _configuration
picamera2.picamera2.DmaAllocator = VirtualCameraAllocator
picamera2.Picamera2._get_raw_modes = _raw_modes

if __name__ == "__main__":
    from edge_effnet.cli import main

    sys.argv[0] = "edge-effnet"
    main()
