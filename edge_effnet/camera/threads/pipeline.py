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
class _Pair:
    """The models that frames are prepared for.

    Attributes:
        turn: how many pairs came before.
    """

    model: FrameModel
    reference: FrameModel | None
    turn: int = 0


@dataclass(frozen=True)
class _Prepared:
    pair: _Pair
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
        self._pair, self._frames = _Pair(model, reference), frames
        self._limiter, self._region = limiter or Limiter(None), region or Region()
        self._every_frame, self._compare_every = every_frame, compare_every
        self._freshest_s = freshest_s
        self._clock, self._scenes = clock, Scenes()
        self._prepared: BoundedQueue[_Prepared] = BoundedQueue(3 if every_frame else 1, wait=True)
        self._to_compare: BoundedQueue[tuple[_Pair, FrameScores, Pixels]] = BoundedQueue(
            2, wait=True
        )
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
        if self._pair.reference is not None:
            self._compare_thread.start()

    def take_over(self, model: FrameModel, reference: FrameModel | None) -> None:
        """Let other models answer, from the next frame on that is prepared: none is lost, and each
        is answered by the model that it was prepared for. Their results have the next ``turn``.

        Args:
            reference: None where there was none.
        """
        self._pair = _Pair(model, reference, self._pair.turn + 1)

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
                began, pair = self._clock(), self._pair
                pixels = preprocess(self._region.cut(frame.pixels), pair.model.preprocess)
                tensor = pair.model.tensor(pixels)
                scene = self._scenes.number(pixels)
                self._preparing_s = self._clock() - began
                self._model_began.clear()
                self._prepared.put(
                    _Prepared(pair, frame, pixels, tensor, 1e3 * self._preparing_s, scene)
                )
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
                began, pair = self._clock(), prepared.pair
                self._expected_s = began + infer_s
                self._model_began.set()
                scores = pair.model.scores_of_input(prepared.tensor)
                similarity = pair.model.similarity()
                done = self._clock()
                infer_s = done - began
                if not np.isfinite(scores).all():
                    raise ModelError(
                        "the model gives scores that are not numbers",
                        found=f"NaN or infinity for frame {prepared.frame.number}",
                        fix="convert the model again",
                    )
                answer = FrameScores(
                    prepared.frame,
                    scores,
                    prepared.taken_ms,
                    1e3 * infer_s,
                    done,
                    prepared.scene,
                    similarity,
                    pair.turn,
                )
                self.results.put(answer)
                self.answered += 1
                if pair.reference is not None and (self.answered - 1) % self._compare_every == 0:
                    self._offer_to_reference(pair, answer, prepared.pixels)
        finally:
            self._prepared.close(discard=True)
            self._model_began.set()
            self._to_compare.close()
            if self._compare_thread.is_alive():
                self._compare_thread.join()
            self.results.close()

    def _offer_to_reference(self, pair: _Pair, answer: FrameScores, pixels: Pixels) -> None:
        if self._every_frame or not self._reference_busy:
            self._reference_busy = True
            self._to_compare.put((pair, answer, pixels))

    def _compare(self) -> None:
        while (item := self._to_compare.take()) is not None:
            pair, answer, pixels = item
            model = pair.reference
            assert model is not None  # noqa: S101 (only then is a frame offered)
            if model.preprocess.fitting != pair.model.preprocess.fitting:
                pixels = preprocess(self._region.cut(answer.frame.pixels), model.preprocess)
            tensor = model.tensor(pixels)
            began = self._clock()
            scores, similarity = model.scores_of_input(tensor), model.similarity()
            taken_ms = 1e3 * (self._clock() - began)
            self._reference_busy = False
            self.compared += 1
            self.results.put(ComparedFrame(answer, scores, taken_ms, similarity))
