"""Video files and images."""

from __future__ import annotations

import os
from pathlib import Path

import cv2

from edge_effnet.camera.sources.base import (
    CapturedFrame,
    FrameSource,
    SourceEnded,
    opencv_source,
)
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.listing import load_images
from edge_effnet.errors import DataError
from edge_effnet.files.native_names import native_name
from edge_effnet.image.kinds import decodable, kind_of_file
from edge_effnet.image.reading import IMAGE_SUFFIXES, read_image


def is_image(path: Path) -> bool:
    """Whether a file is one image, by its content; a GIF plays as a clip."""
    if not path.is_file():
        return False
    kind = kind_of_file(path)
    if kind is None:
        return path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}
    return kind.name != "GIF"


def open_video(path: Path) -> FrameSource:
    """Open a video file.

    Raises:
        DataError: it cannot be read, has no name that OpenCV can open, or holds no video.
    """
    if not os.access(path, os.R_OK):
        raise DataError(
            f"{path} cannot be read", found="no permission", fix="change the file's permissions"
        )
    capture = cv2.VideoCapture(native_name(path, DataError))
    if not capture.isOpened():
        raise DataError(
            f"{path} is no video that can be read",
            found=f"{path.stat().st_size} bytes without a video stream",
            expected="MP4, AVI, MKV or another format FFmpeg reads",
            fix="convert it: ffmpeg -i FILE -c:v libx264 clip.mp4",
        )

    def ended() -> Exception:
        return SourceEnded(path.name)

    return opencv_source(capture, path.name, live=False, gone=ended)


def open_images(path: Path) -> FrameSource:
    """Open a folder of images (folders per class too), or one image.

    Raises:
        DataError: there are none, or the one is of a kind that OpenCV does not decode.
    """
    if path.is_dir():
        listed = load_images(path, part=None)
    else:
        listed = Dataset((Sample(path, None),), (), str(path))
        kind = kind_of_file(path)
        if kind is not None and not decodable(kind):
            read_image(path)  # says what it is, and the remedy
    paths = iter([sample.path for sample in listed.samples])
    unreadable: dict[Path, str] = {}

    def following() -> Path:
        try:
            return next(paths)
        except StopIteration:
            raise SourceEnded(path.name) from None

    def read() -> CapturedFrame | None:
        file = following()
        try:
            return CapturedFrame(read_image(file), file)
        except DataError as error:
            unreadable[file] = str(error)
            return None

    return FrameSource(
        name=path.name,
        live=False,
        fps=None,
        read=read,
        skip=following,
        close=lambda: None,
        left_out=listed.left_out,
        unreadable=unreadable,
    )
