"""The moving-camera clip as a video file and, beside it, its truth as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.data.signs.table import LABELS
from edge_effnet.data.signs.video import Truth, clip_frames
from edge_effnet.errors import OutputError, UsageProblem, cannot_write
from edge_effnet.files.native_names import native_name
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.files.write import refuse_existing, write_atomically

CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
COLUMNS = ("frame", "label", "x0", "y0", "x1", "y1")
MIN_SIDE_PX, MAX_SIDE_PX = 64, 3840


def truth_path(clip: Path) -> Path:
    """``clip.csv`` for ``clip.mp4``."""
    return clip.with_suffix(".csv")


def write_clip(
    path: Path,
    *,
    seconds: float,
    fps: float,
    size: tuple[int, int],
    seed: int,
    overwrite: bool = False,
    on_progress: Callable[[int], object] = lambda _done: None,
) -> list[Truth]:
    """Render a clip to PATH (.mp4 or .avi) and its truth to PATH with the suffix .csv.

    Args:
        seconds, fps: length and rate; the clip has round(seconds · fps) frames.
        size: width and height in pixels, even numbers from 64 to 3840.
        on_progress: called with the number of frames done.

    Returns:
        The truth of each frame.

    Raises:
        UsageProblem: an unknown suffix, a bad size, length or rate.
        OutputError: a file exists, cannot be written, or OpenCV lacks the codec.
    """
    frames = _check(path, seconds, fps, size, seed)
    for target in (path, truth_path(path)):
        refuse_existing(target, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(path.parent) as folder:
            # The codec writes to a name, not to a stream, and goes by its suffix.
            temporary = folder / f"clip{path.suffix.lower()}"
            truths = _encode(temporary, path, frames, fps, size, seed, on_progress)
            _check_readable(temporary, path, frames)
            write_atomically(truth_path(path), _csv(truths), overwrite=overwrite)
            temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    return truths


def _check(path: Path, seconds: float, fps: float, size: tuple[int, int], seed: int) -> int:
    if path.suffix.lower() not in CODECS:
        raise UsageProblem(
            f"{path} has no video suffix this command can write",
            found=path.suffix or "no suffix",
            expected=" or ".join(CODECS),
            fix="for example -o clip.mp4",
        )
    native_name(path.parent, OutputError)
    if any(side % 2 or not MIN_SIDE_PX <= side <= MAX_SIDE_PX for side in size):
        raise UsageProblem(
            "a clip cannot have this size",
            found=f"{size[0]}x{size[1]}",
            expected=f"even numbers from {MIN_SIDE_PX} to {MAX_SIDE_PX}",
            fix="for example --size 640x480",
        )
    frames = round(seconds * fps) if 0 < seconds < 86_400 and 0 < fps <= 240 else 0
    if frames < 1 or seed < 0:
        raise UsageProblem(
            "a clip needs at least one frame and a seed of 0 or more",
            found=f"{seconds:g} seconds at {fps:g} frames a second, seed {seed}",
            expected="up to a day, at up to 240 frames a second",
            fix="for example --seconds 20 --fps 15",
        )
    return frames


def _encode(
    temporary: Path,
    path: Path,
    frames: int,
    fps: float,
    size: tuple[int, int],
    seed: int,
    on_progress: Callable[[int], object],
) -> list[Truth]:
    codec = CODECS[temporary.suffix]
    writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter.fourcc(*codec), fps, size)
    if not writer.isOpened():
        raise _no_codec(path, codec)
    truths: list[Truth] = []
    try:
        for pixels, truth in clip_frames(frames, fps, *size, seed):
            writer.write(np.ascontiguousarray(pixels[..., ::-1]))
            truths.append(truth)
            on_progress(len(truths))
    finally:
        writer.release()
    return truths


def _check_readable(temporary: Path, path: Path, frames: int) -> None:
    """VideoWriter reports neither a full disk nor a broken codec: read the file back."""
    reader = cv2.VideoCapture(str(temporary))
    try:
        found = round(reader.get(cv2.CAP_PROP_FRAME_COUNT)) if reader.isOpened() else 0
        good, _ = reader.read()
    finally:
        reader.release()
    if not good or found != frames:
        raise OutputError(
            f"{path} could not be read back after writing",
            found=f"{found} frames",
            expected=f"{frames}",
            fix="free some disk space, or use the other format (.mp4 or .avi)",
        )


def _no_codec(path: Path, codec: str) -> OutputError:
    other = next(suffix for suffix in CODECS if suffix != path.suffix.lower())
    return OutputError(
        f"{path} cannot be written: this OpenCV has no {codec} encoder",
        fix=f"use -o {path.with_suffix(other).name}, or install opencv-python-headless from PyPI",
    )


def _csv(truths: list[Truth]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for frame, truth in enumerate(truths):
        box = [f"{value:.1f}" for value in truth.box] if truth.box else [""] * 4
        writer.writerow([frame, LABELS[truth.label], *box])
    return text.getvalue().encode()
