"""What passes along the pipeline: a frame, what the models say of it, and the region they see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge_effnet.arrays import Float32Array
from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import Pixels
from edge_effnet.spelling import read_share


@dataclass(frozen=True)
class Frame:
    """A frame with its place in time.

    Attributes:
        pixels: RGB, height x width x 3, as the source gave it.
        number: of the frames captured since the start, from 0, dropped ones included.
        position: in the file or folder, from 0; it starts again when a file loops.
        time_s: on the source's own clock: position over frame rate in a file, seconds since
            the start from a camera. Smoothing and recording follow it.
        captured_s: monotonic seconds when the frame was there; delay counts from here.
        path: of the frame in an image folder, None elsewhere.
    """

    pixels: Pixels
    number: int
    position: int
    time_s: float
    captured_s: float
    path: Path | None = None


@dataclass(frozen=True)
class FrameScores:
    """What the model said about a frame.

    Attributes:
        scores: float32, (classes,).
        scene: number of the scene the frame belongs to, see ``scenes``.
        prepare_ms, infer_ms: crop and resize; the model alone.
        done_s: monotonic.
        similarity: to the images that the model was taught, of a model that tells.
        turn: how many models answered before this one, see ``Pipeline.take_over``.
    """

    frame: Frame
    scores: Float32Array
    prepare_ms: float
    infer_ms: float
    done_s: float
    scene: int = 0
    similarity: float | None = None
    turn: int = 0

    @property
    def delay_ms(self) -> float:
        """From the frame being there to its answer."""
        return 1e3 * (self.done_s - self.frame.captured_s)


@dataclass(frozen=True)
class ComparedFrame:
    """A frame both models have seen."""

    answer: FrameScores
    reference_scores: Float32Array
    reference_ms: float
    reference_similarity: float | None = None


@dataclass(frozen=True)
class Region:
    """A part of the frame: left, top, width, height as shares of its sides, so that it
    means the same when the resolution changes."""

    left: float = 0.0
    top: float = 0.0
    width: float = 1.0
    height: float = 1.0

    def cut(self, pixels: Pixels) -> Pixels:
        """A view of the region, at least one pixel each way; nothing is copied."""
        rows, columns = pixels.shape[:2]
        top, left = (
            min(rows - 1, round(self.top * rows)),
            min(columns - 1, round(self.left * columns)),
        )
        bottom = max(top + 1, round((self.top + self.height) * rows))
        right = max(left + 1, round((self.left + self.width) * columns))
        return pixels[top:bottom, left:right]


def parse_region(text: str) -> Region:
    """Read ``--roi LEFT,TOP,WIDTH,HEIGHT``.

    Raises:
        UsageProblem: not four shares, or not inside the frame.
    """
    try:
        left, top, width, height = map(read_share, text.split(","))
        good = left >= 0 and top >= 0 and width > 0 and height > 0
        good = good and left + width <= 1.000001 and top + height <= 1.000001
    except ValueError:
        good = False
    if not good:
        raise UsageProblem(
            "--roi is not understood",
            found=repr(text),
            expected="left,top,width,height as shares of the frame (0.25 or 25%), inside it",
            fix="for example --roi 0.25,0.1,0.5,0.8",
        )
    return Region(left, top, width, height)
