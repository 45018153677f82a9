"""The pipeline's middle: a model in one thread, the reference model in another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.camera.frames import Answer, Clock, Frame, Handover, Limiter, Pair, Region
from edge_effnet.errors import ModelError
from edge_effnet.image import Pixels, Preprocess, preprocess

Result = Answer | Pair
WAITING_RESULTS = 4
"""Results, each with its picture, that wait for the caller before inference waits too."""


class Model(Protocol):
    """What the pipeline needs of a ``Classifier``; a test passes a slow one."""

    @property
    def how(self) -> Preprocess: ...

    def tensor(self, prepared: Pixels) -> NDArray[Any]: ...

    def scores_of_input(self, tensor: NDArray[Any]) -> NDArray[np.float32]: ...


class Pipeline:
    """Takes frames, gives results; ``results`` closes when the frames are finished.

    Args:
        reference: sees the same frames in its own thread.
        compare_every: offer it every Nth frame. Unless ``every_frame``, a frame that comes
            while it still works on another is not compared, so it never falls behind.

    Attributes:
        answered, compared: frames done by each model.
        error: what ended the pipeline, if it was an error.
    """

    def __init__(
        self,
        model: Model,
        reference: Model | None,
        frames: Handover[Frame],
        *,
        limiter: Limiter | None = None,
        region: Region | None = None,
        every_frame: bool = False,
        compare_every: int = 1,
        clock: Clock = time.monotonic,
    ) -> None:
        self.results: Handover[Result] = Handover(WAITING_RESULTS, wait=True)
        self.error: BaseException | None = None
        self.answered = self.compared = 0
        self._model, self._reference, self._frames = model, reference, frames
        self._limiter, self._region = limiter or Limiter(None), region or Region()
        self._every_frame, self._compare_every = every_frame, compare_every
        self._clock = clock
        self._to_compare: Handover[Answer] = Handover(2, wait=True)
        self._reference_busy = False
        self._infer_thread = self._thread(self._infer, "inference")
        self._compare_thread = self._thread(self._compare, "reference")

    def start(self) -> None:
        # One picture is small work: OpenCV's own threads would only take the models' cores.
        cv2.setNumThreads(1)
        self._infer_thread.start()
        if self._reference is not None:
            self._compare_thread.start()

    def end(self, timeout_s: float = 5.0) -> None:
        """Stop after the frame in work; results not taken yet are gone."""
        self._frames.close(discard=True)
        self._to_compare.close(discard=True)
        self.results.close(discard=True)
        for thread in (self._infer_thread, self._compare_thread):
            if thread.is_alive():
                thread.join(timeout_s)

    def _thread(self, work: Callable[[], None], name: str) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as error:  # the caller's thread raises it
                self.error = self.error or error
                self._frames.close(discard=True)
                self.results.close()

        return threading.Thread(target=guarded, name=name, daemon=True)

    def _infer(self) -> None:
        try:
            while True:
                self._limiter.turn()
                frame = self._frames.take()
                if frame is None:
                    break
                answer = self._answer(frame)
                self.results.put(answer)
                self.answered += 1
                if self._reference is not None and (self.answered - 1) % self._compare_every == 0:
                    self._hand_to_reference(answer)
        finally:
            self._to_compare.close()
            if self._compare_thread.is_alive():
                self._compare_thread.join()
            self.results.close()

    def _answer(self, frame: Frame) -> Answer:
        began = self._clock()
        prepared = preprocess(self._region.cut(frame.pixels), self._model.how)
        tensor = self._model.tensor(prepared)
        ready = self._clock()
        scores = self._model.scores_of_input(tensor)
        done = self._clock()
        if not np.isfinite(scores).all():
            raise ModelError(
                "the model gives scores that are not numbers",
                found=f"NaN or infinity for frame {frame.number}",
                fix="convert the model again",
            )
        return Answer(frame, scores, 1e3 * (ready - began), 1e3 * (done - ready), done)

    def _hand_to_reference(self, answer: Answer) -> None:
        if self._every_frame:
            self._to_compare.put(answer)
        elif not self._reference_busy:
            self._reference_busy = True
            self._to_compare.put(answer)

    def _compare(self) -> None:
        model = self._reference
        assert model is not None  # noqa: S101 (the thread starts only with one)
        while (answer := self._to_compare.take()) is not None:
            pixels = self._region.cut(answer.frame.pixels)
            tensor = model.tensor(preprocess(pixels, model.how))
            began = self._clock()
            scores = model.scores_of_input(tensor)
            taken_ms = 1e3 * (self._clock() - began)
            self._reference_busy = False
            self.compared += 1
            self.results.put(Pair(answer, scores, taken_ms))
