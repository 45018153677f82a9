"""The running camera follows its model files: one that is replaced takes over, if it fits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue

from edge_effnet.camera.answering import FeedModels
from edge_effnet.data.labels import listed
from edge_effnet.errors import EdgeEffnetError, ModelError
from edge_effnet.system.native_threads import NativeThread

LOOK_EVERY_S = 0.25
_State = tuple[tuple[int, int, int] | None, ...]


class ModelFollower:
    """Looks at the files a few times a second, in its own thread, and opens them when they have
    changed and stayed so until the next look: a model and its reference may be replaced one after
    the other.

    Args:
        paths: of the model and of the reference.
        current: what answers now.
        reopen: opens the files again.
        say: tells the user something, from that thread.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        current: FeedModels,
        reopen: Callable[[], FeedModels],
        say: Callable[[str], None],
    ) -> None:
        self._paths, self._current, self._reopen, self._say = tuple(paths), current, reopen, say
        self._opened: SimpleQueue[FeedModels] = SimpleQueue()
        self._stop = threading.Event()
        self._known = self._state()
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
            now = self._state()
            if now != self._known and now == before and None not in now:
                self._known = now
                self._open()
            before = now

    def _state(self) -> _State:
        return tuple(map(_state_of, self._paths))

    def _open(self) -> None:
        name = self._paths[0].name
        try:
            opened = self._reopen()
            if opened.files == self._current.files:
                return
            refuse_unfit(opened, self._current)
        except EdgeEffnetError as error:
            found = f" ({error.found})" if error.found else ""
            self._say(
                f"{name} was replaced, and the one before goes on answering: {error.what}{found}"
            )
            return
        except (OSError, ValueError, RuntimeError) as error:
            self._say(f"{name} was replaced, and the one before goes on answering: {error}")
            return
        self._current = opened
        self._opened.put(opened)
        self._say(f"{name} was replaced: the new file answers now")


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def refuse_unfit(new: FeedModels, old: FeedModels) -> None:
    """Refuse models that cannot take over while a camera runs.

    Raises:
        ModelError: another kind of answer, or labels are missing that were known.
    """
    if new.model.head.kind != old.model.head.kind:
        raise ModelError(
            "the new file gives another kind of answer",
            found=f"a {new.model.head.kind} head",
            expected=f"a {old.model.head.kind} head",
            fix="start the camera again",
        )
    lost = [label for label in old.settings.labels if label not in new.settings.labels]
    if lost:
        raise ModelError(
            "the new file does not know all labels of the one before",
            found=f"without {listed(lost)}",
            expected="the same labels, or more",
            fix="start the camera again",
        )
