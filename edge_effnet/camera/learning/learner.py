"""Learns from recorded photos while the camera runs, and puts the new file in the old one's place.

The running camera follows its model files (``setup.following``), so that the new one takes over.
The old one stays beside it.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_effnet.camera.collecting.layout import class_folders
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.exchange import newest_before, replace_keeping
from edge_effnet.files.scratch import scratch_folder
from edge_effnet.system.apart import run_apart
from edge_effnet.system.native_threads import NativeThread

LONGEST_S = 3600.0
_APART = "edge_effnet.camera.learning.apart"


@dataclass(frozen=True)
class Learned:
    """What came of it, for the page.

    Attributes:
        lines: how right the new file is.
        problem: why there is none; None where all went well.
        worse: whether there is none because something speaks against it, unless a viewer insists.
    """

    lines: tuple[str, ...] = ()
    problem: str | None = None
    worse: bool = False

    def to_json(self) -> dict[str, Any]:
        return {"lines": list(self.lines), "problem": self.problem, "worse": self.worse}


class Learner:
    """Teaches the model files; asked from the page's threads.

    Args:
        files: of the model, and of the reference where there is one: both learn the same.
        folder: of ``--collect``.
        flush: waits until recorded photos are on the disk.
        say: tells the user something, from another thread.
    """

    def __init__(
        self,
        files: Sequence[Path],
        folder: Path,
        *,
        flush: Callable[[], None],
        say: Callable[[str], None],
    ) -> None:
        # Of a link the file that it names is replaced.
        self._files, self._folder = tuple(path.resolve() for path in files), folder
        self._flush, self._say = flush, say
        self._busy = threading.Lock()
        self._began_s: float | None = None
        self._learned = Learned()

    def learn(self, *, worse: bool = False) -> None:
        """Begin to learn, in another thread.

        Args:
            worse: whether a file is taken that something speaks against.

        Raises:
            ValueError: it learns already, or there is nothing to learn from; for the viewer.
        """
        if not class_folders(self._folder):
            raise ValueError("there is nothing to learn from yet: record something first")
        if not self._busy.acquire(blocking=False):
            raise ValueError("it is learning already")
        self._began_s, self._learned = time.monotonic(), Learned()
        NativeThread(lambda: self._run(worse), "learning").start()

    def go_back(self) -> None:
        """Put the files of before in their places again; those of now stay beside.

        Raises:
            ValueError: there is none, or it cannot be done; for the viewer.
        """
        if not self._busy.acquire(blocking=False):
            raise ValueError("it is learning")
        try:
            kept = [newest_before(path) for path in self._files]
            if None in kept:
                raise ValueError("there is no file of before")
            pairs = zip(self._files, kept, strict=True)
            replace_keeping([(path, before) for path, before in pairs if before is not None])
            self._learned = Learned()
        except EdgeEffnetError as error:
            raise ValueError(error.what) from error
        finally:
            self._busy.release()

    def state(self) -> dict[str, Any]:
        """For the page."""
        began_s = self._began_s
        return {
            "seconds": None if began_s is None else round(time.monotonic() - began_s, 1),
            "can_go_back": all(newest_before(path) for path in self._files),
            **self._learned.to_json(),
        }

    def _run(self, worse: bool) -> None:
        began_s = time.monotonic()
        try:
            self._flush()
            with scratch_folder(self._files[0].parent) as folder:
                self._learn(folder, began_s, worse)
        except (EdgeEffnetError, OSError, ValueError, LookupError) as error:
            self._fail(error.what if isinstance(error, EdgeEffnetError) else str(error))
        except subprocess.TimeoutExpired:
            self._fail(f"it took longer than {LONGEST_S / 60:.0f} minutes")
        finally:
            self._began_s = None
            self._busy.release()

    def _learn(self, folder: Path, began_s: float, worse: bool) -> None:
        made = [folder / f"{number}-{path.name}" for number, path in enumerate(self._files)]
        pairs = [str(one) for pair in zip(self._files, made, strict=True) for one in pair]
        ended = run_apart(_APART, str(self._folder), *pairs, seconds=LONGEST_S)
        if ended.code:
            self._fail(ended.last_error or f"learning ended with code {ended.code}")
            return
        summary = json.loads(ended.lines[-1])
        lines = tuple(map(str, summary["lines"]))
        if summary["against"] and not worse:
            self._learned = Learned(lines, str(summary["against"]), worse=True)
            return
        replace_keeping(list(zip(self._files, made, strict=True)))
        self._learned = Learned(lines)
        self._say(f"learned in {time.monotonic() - began_s:.1f} s: {lines[0]}")

    def _fail(self, text: str) -> None:
        self._learned = Learned(problem=text)
        with suppress(Exception):
            self._say(f"not learned: {text}")
