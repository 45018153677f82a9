"""The pipeline's middle: preparing, the model, and the reference model, a thread each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.camera.evaluation.scenes import Scenes
from edge_effnet.camera.frames import ComparedFrame, Frame, FrameScores, Region
from edge_effnet.camera.threads.queues import BoundedQueue, Clock, Limiter
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown
from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess
from edge_effnet.system.native_threads import NativeThread

Result = FrameScores | ComparedFrame
WAITING_RESULTS = 4
"""Results, each with its frame, that wait for the caller before inference waits too."""

EARLY_S = 0.002
"""A frame is prepared this much before the model is expected to need it."""


class FrameModel(Protocol):
    """What the pipeline needs of a ``Classifier``; a test passes a slow one."""

    @property
    def preprocess(self) -> Preprocess: ...

    @property
    def head(self) -> Head: ...

    @property
    def unknown(self) -> Unknown | None: ...

    def tensor(self, prepared: Pixels) -> NDArray[Any]: ...

    def scores_of_input(self, tensor: NDArray[Any]) -> Float32Array: ...

    def similarity(self) -> float | None: ...


@dataclass(frozen=True)
class _Prepared:
    frame: Frame
    pixels: Pixels
    tensor: NDArray[Any]
    taken_ms: float
    scene: int


class Pipeline:
    """Takes frames, gives results; ``results`` closes when the frames are finished.

    Args:
        reference: sees the same frames in its own thread.
        freshest_s: a frame that has waited longer when its turn comes is dropped, and the next one
            is awaited; None takes any.
        compare_every: offer it every Nth frame. Unless ``every_frame``, a frame that comes
            while it still works on another is not compared, so it never falls behind.

    Attributes:
        answered, compared: frames done by each model.
        error: what ended the pipeline, if it was an error.
    """

    def __init__(
        self,
        model: FrameModel,
        reference: FrameModel | None,
        frames: BoundedQueue[Frame],
        *,
        limiter: Limiter | None = None,
        region: Region | None = None,
        every_frame: bool = False,
        freshest_s: float | None = None,
        compare_every: int = 1,
        clock: Clock = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        self.results: BoundedQueue[Result] = BoundedQueue(WAITING_RESULTS, wait=True)
        self.error: BaseException | None = None
        self.answered = self.compared = 0
        self._model, self._reference, self._frames = model, reference, frames
        self._limiter, self._region = limiter or Limiter(None), region or Region()
        self._every_frame, self._compare_every = every_frame, compare_every
        self._freshest_s = freshest_s
        self._clock, self._scenes = clock, Scenes()
        self._prepared: BoundedQueue[_Prepared] = BoundedQueue(3 if every_frame else 1, wait=True)
        self._to_compare: BoundedQueue[tuple[FrameScores, Pixels]] = BoundedQueue(2, wait=True)
        self._stop, self._model_began = threading.Event(), threading.Event()
        self._wait = wait or self._stop.wait
        self._expected_s = self._preparing_s = 0.0
        self._reference_busy = False
        self._prepare_thread = self._thread(self._prepare, "prepare")
        self._infer_thread = self._thread(self._infer, "inference")
        self._compare_thread = self._thread(self._compare, "reference")

    def start(self) -> None:
        # One frame is small work: OpenCV's own threads would only take the models' cores.
        cv2.setNumThreads(1)
        self._prepare_thread.start()
        self._infer_thread.start()
        if self._reference is not None:
            self._compare_thread.start()

    def end(self, timeout_s: float = 5.0) -> None:
        """Stop after the frame in work; results not taken yet are gone."""
        self._stop.set()
        self._model_began.set()
        self._frames.close(discard=True)
        self._prepared.close(discard=True)
        self._to_compare.close(discard=True)
        self.results.close(discard=True)
        for thread in (self._prepare_thread, self._infer_thread, self._compare_thread):
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

        return NativeThread(guarded, name)

    def _prepare(self) -> None:
        """Crop and resize beside the model's work. Not too early: the frame is taken when the
        model is about to be done, so that it is the newest one then."""
        try:
            while True:
                self._limiter.turn()
                if not self._every_frame:
                    self._pause(self._expected_s - self._preparing_s - EARLY_S - self._clock())
                frame = self._take()
                if frame is None:
                    return
                began = self._clock()
                pixels = preprocess(self._region.cut(frame.pixels), self._model.preprocess)
                tensor = self._model.tensor(pixels)
                scene = self._scenes.number(pixels)
                self._preparing_s = self._clock() - began
                self._model_began.clear()
                self._prepared.put(_Prepared(frame, pixels, tensor, 1e3 * self._preparing_s, scene))
                if not self._every_frame:
                    self._model_began.wait()  # only now is it known when it will be done
        finally:
            self._prepared.close()

    def _take(self) -> Frame | None:
        turn_s = self._clock()
        while (frame := self._frames.take()) is not None and self._freshest_s is not None:
            if turn_s - frame.captured_s <= self._freshest_s:
                break
            self._frames.drop()  # of a camera that has gone since, most likely
        return frame

    def _pause(self, seconds: float) -> None:
        if seconds > 0:
            self._wait(min(seconds, 1.0))

    def _infer(self) -> None:
        infer_s = 0.0
        try:
            while (prepared := self._prepared.take()) is not None:
                began = self._clock()
                self._expected_s = began + infer_s
                self._model_began.set()
                scores = self._model.scores_of_input(prepared.tensor)
                similarity = self._model.similarity()
                done = self._clock()
                infer_s = done - began
                if not np.isfinite(scores).all():
                    raise ModelError(
                        "the model gives scores that are not numbers",
                        found=f"NaN or infinity for frame {prepared.frame.number}",
                        fix="convert the model again",
                    )
                taken_ms, scene = prepared.taken_ms, prepared.scene
                answer = FrameScores(
                    prepared.frame, scores, taken_ms, 1e3 * infer_s, done, scene, similarity
                )
                self.results.put(answer)
                self.answered += 1
                if self._reference is not None and (self.answered - 1) % self._compare_every == 0:
                    self._offer_to_reference(answer, prepared.pixels)
        finally:
            self._prepared.close(discard=True)
            self._model_began.set()
            self._to_compare.close()
            if self._compare_thread.is_alive():
                self._compare_thread.join()
            self.results.close()

    def _offer_to_reference(self, answer: FrameScores, pixels: Pixels) -> None:
        if self._every_frame or not self._reference_busy:
            self._reference_busy = True
            self._to_compare.put((answer, pixels))

    def _compare(self) -> None:
        model = self._reference
        assert model is not None  # noqa: S101 (the thread starts only with one)
        while (item := self._to_compare.take()) is not None:
            answer, pixels = item
            if model.preprocess.fitting != self._model.preprocess.fitting:
                pixels = preprocess(self._region.cut(answer.frame.pixels), model.preprocess)
            tensor = model.tensor(pixels)
            began = self._clock()
            scores, similarity = model.scores_of_input(tensor), model.similarity()
            taken_ms = 1e3 * (self._clock() - began)
            self._reference_busy = False
            self.compared += 1
            self.results.put(ComparedFrame(answer, scores, taken_ms, similarity))
