"""The running camera follows its model files: one that is replaced takes over, if it fits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import numpy as np

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.setup.models import FileStates
from edge_effnet.camera.threads.pipeline import FrameModel
from edge_effnet.data.labels import listed
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.system.native_threads import NativeThread

LOOK_EVERY_S = 0.25


class ModelFollower:
    """Looks at the files a few times a second, in its own thread, and opens them when they have
    changed and stayed so until the next look: a model and its reference may be replaced one after
    the other.

    Args:
        states: of the files now.
        opened: their states when ``current`` was opened.
        current: what answers now.
        reopen: opens the files again, or refuses them.
        say: tells the user something, from that thread.
    """

    def __init__(
        self,
        states: Callable[[], FileStates],
        opened: FileStates,
        current: FeedModels,
        reopen: Callable[[], FeedModels],
        say: Callable[[str], None],
    ) -> None:
        self._states, self._known, self._current = states, opened, current
        self._reopen, self._say = reopen, say
        self._opened: SimpleQueue[FeedModels] = SimpleQueue()
        self._stop = threading.Event()
        self._thread = NativeThread(self._run, "models")
        self._thread.start()

    def take(self) -> FeedModels | None:
        """Models that shall take over; None while there are none."""
        try:
            return self._opened.get_nowait()
        except Empty:
            return None

    def end(self) -> None:
        self._stop.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        before = self._known
        while not self._stop.wait(LOOK_EVERY_S):
            now = self._states()
            if now != self._known and now == before and None not in now:
                self._known = now
                self._open()
            before = now

    def _open(self) -> None:
        stays = "a model file was replaced, and the one before goes on answering"
        try:
            opened = self._reopen()
            if opened.files == self._current.files:
                return
            _refuse_other_kind(opened, self._current)
            for model in filter(None, (opened.model, opened.reference)):
                _refuse_no_numbers(model)
        except EdgeEffnetError as error:
            found = f" ({error.found})" if error.found else ""
            self._say(f"{stays}: {error.what}{found}")
            return
        except (OSError, ValueError, RuntimeError) as error:
            self._say(f"{stays}: {error}")
            return
        before, self._current = self._current, opened
        self._opened.put(opened)
        new = [
            file.path.name
            for file, old in zip(opened.files, before.files, strict=True)
            if file.sha256 != old.sha256
        ]
        were = "was replaced: the new file answers"
        if len(new) > 1:
            were = "were replaced: the new files answer"
        self._say(f"{' and '.join(new)} {were} now{_other_labels(opened, before)}")


def _other_labels(new: FeedModels, old: FeedModels) -> str:
    now, before = new.settings.labels, old.settings.labels
    parts = [
        f"{word} {listed(names)}"
        for word, names in (
            ("with", [label for label in now if label not in before]),
            ("without", [label for label in before if label not in now]),
        )
        if names
    ]
    return f", {' and '.join(parts)}" if parts else ""


def _refuse_other_kind(new: FeedModels, old: FeedModels) -> None:
    ours, theirs = new.model.head.kind, old.model.head.kind
    if ours != theirs:
        raise ModelError(
            "the new file gives another kind of answer",
            found=f"a {ours} head",
            expected=f"a {theirs} head",
            fix="start the camera again",
        )


def _refuse_no_numbers(model: FrameModel) -> None:
    settings = model.preprocess
    grey = np.full((settings.height, settings.width, 3), 128, np.uint8)
    scores = model.scores_of_input(model.tensor(preprocess(grey, settings)))
    if not np.isfinite(scores).all():
        raise ModelError(
            "the new file gives scores that are not numbers",
            found="NaN or infinity for a grey frame",
            fix="convert the model again",
        )
