"""What systemd hears of a run, on a real datagram socket: progress, not only a living thread."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.outputs import systemd_notify
from edge_effnet.camera.outputs.group import Outputs
from edge_effnet.camera.outputs.systemd_notify import SystemdNotifier, open_notifier
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceLost
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera.conftest import MakeClip, plain, wait_for
from tests.edge_effnet.camera.sessions import Gated
from tests.edge_effnet.conftest import MakeModel

PING = "WATCHDOG=1"
ALLOWED_S = 0.4
PACE = Pace(stall_s=0.3, first_pause_s=0.05, longest_pause_s=0.1)


class Listener:
    """Stands in for systemd: keeps what it is told."""

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            self.heard.append(self._socket.recv(4096).decode())

    def pings(self) -> int:
        return self.heard.count(PING)

    def goes_on(self) -> bool:
        """Whether pings come for longer than progress may be missing."""
        before = self.pings()
        time.sleep(2.5 * ALLOWED_S)
        return self.pings() >= before + 3

    def is_quiet(self) -> bool:
        """Whether they stop coming, and stay away."""
        time.sleep(1.5 * ALLOWED_S)
        before = self.pings()
        time.sleep(ALLOWED_S)
        return self.pings() == before


class Answering(Gated):
    """A model that answers at once until it is told to hang."""

    head = Head("softmax", 3)

    def __init__(self) -> None:
        super().__init__()
        self.hangs = False

    def scores_of_input(self, tensor: object) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        if not self.hangs:
            self.let_answer()
        return super().scores_of_input(tensor)  # type: ignore[arg-type, return-value]


def camera(read: Callable[[], CapturedFrame]) -> FrameSource:
    def skip() -> None:
        read()

    return FrameSource("a camera", True, None, read, skip, lambda: None)


def shot() -> CapturedFrame:
    time.sleep(0.02)
    return CapturedFrame(plain("red"))


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Listener:
    monkeypatch.setattr(systemd_notify, "PROGRESS_S", ALLOWED_S)
    monkeypatch.setattr(systemd_notify, "FIRST_ANSWER_S", 2 * ALLOWED_S)
    return Listener(str(tmp_path / "notify"))


@contextmanager
def running(
    folder: Path,
    model: Answering,
    source: FrameSource,
    reopen: Callable[[], FrameSource] = lambda: camera(shot),
    **settings: float,
) -> Iterator[list[str]]:
    """A session that tells a socket in the folder; yields what it says to its user."""
    said: list[str] = []
    notifier = SystemdNotifier(str(folder / "notify"), watchdog_s=0.2, say=said.append)
    session = Session(
        FeedModels(
            SessionSettings(("a", "b", "c"), "model", pace=PACE, **settings),  # type: ignore[arg-type]
            model,
        ),
        source,
        reopen,
        outputs=Outputs(systemd=notifier),
    )
    thread = threading.Thread(target=session.run)
    thread.start()
    yield said
    session.status.capture.stop.set()
    model.hangs = False
    model.let_answer()
    thread.join(20)
    assert not thread.is_alive()


def test_a_model_that_hangs_is_told_by_silence(systemd: Listener, tmp_path: Path) -> None:
    model = Answering()
    with running(tmp_path, model, camera(shot)) as said:
        assert systemd.goes_on()
        assert systemd.heard[0] == "READY=1"
        model.hangs = True
        assert systemd.is_quiet()
        assert said == ["no answer for 0 s: systemd's watchdog is left to restart this"]
        model.hangs = False
        model.let_answer()
        assert systemd.goes_on()
    wait_for(lambda: systemd.heard[-1] == "STOPPING=1")
    assert any(line.startswith("STATUS=") and " fps | " in line for line in systemd.heard)


def test_a_model_that_never_answers_is_no_progress(systemd: Listener, tmp_path: Path) -> None:
    model = Answering()
    model.hangs = True
    with running(tmp_path, model, camera(shot)):
        wait_for(lambda: systemd.pings() > 0)
        time.sleep(ALLOWED_S)
        assert systemd.is_quiet()


def lost_after(count: int) -> Callable[[], CapturedFrame]:
    left = iter(range(count))

    def read() -> CapturedFrame:
        if next(left, None) is None:
            raise SourceLost("unplugged")
        return shot()

    return read


def test_a_camera_that_is_away_and_tried_again_is_progress(
    systemd: Listener, tmp_path: Path
) -> None:
    away = threading.Event()

    def reopen() -> FrameSource:
        away.set()
        raise DataError("there is no /dev/video0", fix="wait")

    with running(tmp_path, Answering(), camera(lost_after(5)), reopen):
        assert away.wait(20)
        assert systemd.goes_on()


def test_an_attempt_to_open_it_that_hangs_is_none(systemd: Listener, tmp_path: Path) -> None:
    opening, over = threading.Event(), threading.Event()

    def reopen() -> FrameSource:
        opening.set()
        over.wait(60)
        raise DataError("there is no /dev/video0", fix="wait")

    with running(tmp_path, Answering(), camera(lost_after(5)), reopen) as said:
        assert opening.wait(20)
        assert systemd.is_quiet()
        assert said == [
            "opening the camera hangs for 0 s: systemd's watchdog is left to restart this"
        ]
        over.set()


def test_a_reader_that_hangs_in_its_driver_is_none(systemd: Listener, tmp_path: Path) -> None:
    """A new process may get the device that this one holds; attempts in this one are in vain."""
    hanging, over = threading.Event(), threading.Event()
    read = lost_after(5)

    def hang() -> CapturedFrame:
        try:
            return read()
        except SourceLost:
            hanging.set()
            over.wait(60)
            raise

    def reopen() -> FrameSource:
        raise DataError("/dev/video0 is busy", fix="wait")

    with running(tmp_path, Answering(), camera(hang), reopen):
        assert hanging.wait(20)
        time.sleep(PACE.stall_s)
        assert systemd.is_quiet()
        over.set()
        assert systemd.goes_on()


def test_between_the_answers_of_a_time_lapse_frames_are_progress(
    systemd: Listener, tmp_path: Path
) -> None:
    model = Answering()
    with running(tmp_path, model, camera(shot), every_s=3600, fps=1 / 3600):
        wait_for(lambda: systemd.pings() > 0)
        assert systemd.goes_on()


def test_an_answer_of_a_time_lapse_that_is_due_and_does_not_come(
    systemd: Listener, tmp_path: Path
) -> None:
    model = Answering()
    with running(tmp_path, model, camera(shot), every_s=2.5, fps=1 / 2.5):
        assert systemd.goes_on()
        model.hangs = True
        time.sleep(2.5)
        assert systemd.is_quiet()


def test_a_slow_model_is_given_its_time() -> None:
    delays = SimpleNamespace(answered=3, delay_ms=None, recent=lambda _: 30_000.0)
    assert systemd_notify._allowed_s(SimpleNamespace(rates=delays)) == 150  # type: ignore[arg-type]


def test_the_command_tells_an_abstract_socket(
    colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    """And the command of ``--on`` does not know it."""
    address = f"@edge-effnet-{os.getpid()}"
    systemd, out = Listener(address), tmp_path / "out"
    write = f"import os; print(dict(os.environ), file=open({str(out)!r}, 'w'))"
    command = [sys.executable, "-m", "edge_effnet", "camera", "--model", colour_model()]
    command += ["--source", clip(["red"] * 20), "--loop", "--quiet"]
    command += ["--on", "red", f'{sys.executable} -c "{write}"']
    told = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "1000000"}
    with subprocess.Popen(command, env={**os.environ, **told}, stderr=subprocess.PIPE) as process:
        wait_for(lambda: systemd.pings() > 3)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert systemd.heard[0] == "READY=1"
    assert systemd.heard[-1] == "STOPPING=1"
    assert "EDGE_EFFNET_LABEL" in out.read_text()
    assert "NOTIFY_SOCKET" not in out.read_text()
    assert "WATCHDOG" not in out.read_text()


def test_who_is_told_what(systemd: Listener, tmp_path: Path) -> None:
    said: list[str] = []
    there = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000"}
    for wrong in (dict[str, str](), {"NOTIFY_SOCKET": "vsock:2:1234"}, {"NOTIFY_SOCKET": "notify"}):
        assert open_notifier(said.append, wrong) is None
    watched = {"": True, str(os.getpid()): True, str(os.getppid()): False}
    for process, expected in watched.items():
        notifier = open_notifier(said.append, {**there, "WATCHDOG_PID": process})
        assert notifier is not None
        assert (notifier._watchdog_s == 30) is expected
        notifier.stopping()
    wait_for(lambda: systemd.heard == ["STOPPING=1"] * 3)
    nobody = open_notifier(said.append, {"NOTIFY_SOCKET": str(tmp_path / "nobody")})
    assert nobody is not None
    nobody.stopping()
    assert said == ["systemd does not hear of this run: No such file or directory"]
