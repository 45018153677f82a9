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
        reopen: opens the files again, or refuses them.
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
            _refuse_other_kind(opened, self._current)
        except EdgeEffnetError as error:
            found = f" ({error.found})" if error.found else ""
            self._say(
                f"{name} was replaced, and the one before goes on answering: {error.what}{found}"
            )
            return
        except (OSError, ValueError, RuntimeError) as error:
            self._say(f"{name} was replaced, and the one before goes on answering: {error}")
            return
        before, self._current = self._current, opened
        self._opened.put(opened)
        self._say(f"{name} was replaced: the new file answers now{_other_labels(opened, before)}")


def _state_of(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


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
