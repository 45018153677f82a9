"""Slow models, models that answer when a test says so, and sessions over a clip."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.run_status import RunStatus
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.files import open_video
from edge_effnet.heads.head import Head
from edge_effnet.heads.unknown import Unknown
from edge_effnet.image.preprocessing import Pixels, Preprocess
from edge_effnet.runtime.classifier import Classifier
from tests.edge_effnet.camera.conftest import plain


@dataclass(frozen=True)
class Slow:
    """A model that takes its time."""

    model: Classifier
    seconds: float

    @property
    def preprocess(self) -> Preprocess:
        return self.model.preprocess

    @property
    def head(self) -> Head:
        return self.model.head

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        return self.model.tensor(prepared)

    def scores_of_input(self, tensor: NDArray[Any]) -> NDArray[np.float32]:
        time.sleep(self.seconds)
        return self.model.scores_of_input(tensor)

    @property
    def unknown(self) -> Unknown | None:
        return self.model.unknown

    def similarity(self) -> float | None:
        return self.model.similarity()


class Gated:
    """A model that gives each answer when the test says so."""

    preprocess = Preprocess(4, 4)
    unknown = None

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def let_answer(self) -> None:
        self._turns.release()

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        return prepared

    def scores_of_input(self, _: NDArray[Any]) -> NDArray[np.float32]:
        assert self._turns.acquire(timeout=60)
        return np.array([1, 0, 0], np.float32)

    def similarity(self) -> None:
        return None


def frame_of(number: int) -> Frame:
    return Frame(plain("red"), number, number, 0.0, 0.0)


def stopped_clock() -> float:
    """With it a pipeline expects every answer at once, and takes its next frame at once."""
    return 0.0


def run_session(
    model: Any, path: Path, pace: Pace, reference: Any = None, **settings: Any
) -> RunStatus:
    classifier = model.model if isinstance(model, Slow) else model
    session = Session(
        FeedModels(
            SessionSettings(classifier.labels, "model", pace=pace, **settings), model, reference
        ),
        open_video(path),
        lambda: open_video(path),
    )
    return session.run()
