"""Frames of a camera with a model's answers, as a loop in a program of your own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from os import PathLike, fspath
from pathlib import Path
from types import TracebackType

from edge_effnet.camera.answers import Smoother
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.settings import Pace
from edge_effnet.camera.sources.base import CameraRequest, FrameSource
from edge_effnet.camera.sources.kinds import default_source, open_source
from edge_effnet.camera.threads.capture import Capture, frame_queue
from edge_effnet.heads.unknown import is_unknown
from edge_effnet.runtime.answers import Answer, best_answers
from edge_effnet.runtime.model import Model, open_model

_LOG = logging.getLogger(__name__)


class Camera:
    """An open source of frames and the model that looks at them; ``open_camera`` makes one.

    Iterating gives ``(frame, answers)`` until a file or folder ends, a camera is closed, or for
    ever. A thread captures meanwhile and keeps the newest frame only, so that answers are never
    about old ones; a camera that went away is opened again.

    Attributes:
        name: of the source, without the password of an address.
        model: the model, with ``labels`` and ``card``.
    """

    def __init__(
        self,
        source: str,
        model: Model,
        *,
        request: CameraRequest,
        pace: Pace,
        top: int,
        smooth_s: float,
    ) -> None:
        def reopen() -> FrameSource:
            return open_source(source, request)

        opened = reopen()
        self.name, self.model = opened.name, model
        still = opened.fps is None and not opened.live  # images follow no time
        self._top = top
        self._scores, self._similarity = (Smoother(0.0 if still else smooth_s) for _ in range(2))
        pace = Pace(every_frame=pace.every_frame or still, loop=pace.loop)
        self._frames = frame_queue(pace)
        self._capture = Capture(opened, reopen, self._frames, pace, _LOG.warning)
        self._capture.start()

    @property
    def dropped(self) -> int:
        """Frames that were passed over so far, because a newer one was there."""
        return self._frames.dropped + self._capture.skipped

    def __iter__(self) -> Iterator[tuple[Frame, list[Answer]]]:
        """Go on from the newest frame.

        Raises:
            DataError: the source gives no images.
        """
        classifier = self.model.classifier
        while (frame := self._frames.take()) is not None:
            scores = self._scores.add(classifier.scores(frame.pixels), frame.time_s)
            similarity = self._similarity.add_number(classifier.similarity(), frame.time_s)
            yield (
                frame,
                best_answers(
                    scores,
                    classifier.labels,
                    classifier.head,
                    self._top,
                    unknown=is_unknown(classifier.unknown, similarity),
                ),
            )
        if self._capture.error is not None:
            raise self._capture.error

    def close(self) -> None:
        """Stop and give the device back; harmless a second time."""
        self._capture.end()

    def __enter__(self) -> Camera:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_camera(
    source: str | PathLike[str] | None = None,
    *,
    model: Model | str | PathLike[str],
    top: int = 5,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    every_frame: bool = False,
    loop: bool = False,
    smooth_s: float = 0.3,
) -> Camera:
    """Open a camera, stream, video file or image folder for a model. Needs no TensorFlow.

        with edge_effnet.open_camera(model="b0-int8.tflite") as camera:
            for frame, answers in camera:
                print(frame.number, answers[0].label, answers[0].probability)

    Args:
        source: as the option ``--source`` takes it: ``"picamera2"``, ``"0"``, ``/dev/video0``,
            an ``http://`` or ``rtsp://`` address, a video file, an image folder. None takes the
            first CSI camera, else the first USB camera.
        model: an open model, or the file to open.
        top: answers for each frame, see ``Model.classify``.
        size: width and height asked of a camera, which may give others.
        fps: frames a second asked of a camera.
        every_frame: answer every frame of a video file, as fast as it goes; else it runs at its
            own pace and frames that come too soon are passed over. Images are always all answered.
        loop: start a file or folder again when it ends.
        smooth_s: time constant over which scores are steadied, in seconds; 0 for none. Images
            are never smoothed.

    Raises:
        DataError: nothing there, not allowed, busy, or nothing that gives images.
        ModelError: see ``open_model``.
    """
    opened = model if isinstance(model, Model) else open_model(Path(model))
    width, height = size or (None, None)
    return Camera(
        default_source()[0] if source is None else fspath(source),
        opened,
        request=CameraRequest(width, height, fps),
        pace=Pace(every_frame=every_frame, loop=loop),
        top=top,
        smooth_s=smooth_s,
    )
