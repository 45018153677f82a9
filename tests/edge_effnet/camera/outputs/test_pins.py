"""Pins that follow the answers, with gpiozero's own mock pins; a robot never drives on blindly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.camera.answering import FeedModels
from edge_effnet.camera.answers import NONE, UNKNOWN, Decision, ScoredLabel
from edge_effnet.camera.outputs import pins
from edge_effnet.camera.outputs.group import Outputs
from edge_effnet.camera.outputs.pins import AnswerPins, PinChoice, parse_pins
from edge_effnet.camera.session import Session
from edge_effnet.camera.settings import Pace, SessionSettings
from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceLost
from edge_effnet.errors import DataError, EdgeEffnetError, MissingExtra, OutputError, UsageProblem
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.camera.conftest import Cli, MakeClip, plain, wait_for
from tests.edge_effnet.camera.sessions import frame_of
from tests.edge_effnet.conftest import MakeModel

gpiozero = pytest.importorskip("gpiozero")
LABELS = ("stop", "turn left", "a=b")


@pytest.fixture(autouse=True)
def board(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Mock pins; their voltage is asked for by number."""
    from gpiozero.pins.mock import MockFactory

    factory = MockFactory()
    monkeypatch.setattr(gpiozero.Device, "pin_factory", factory)
    yield factory
    factory.reset()


def seen(*labels: str) -> Decision:
    return Decision(tuple(ScoredLabel(label, 0.9) for label in labels))


def test_choices_are_read() -> None:
    choices = parse_pins(["Stop=17", "turn-left=27:low", "a=b=0", "unknown=5"], LABELS)
    assert choices == (
        PinChoice("stop", 17),
        PinChoice("turn left", 27, low=True),
        PinChoice("a=b", 0),
        PinChoice(UNKNOWN, 5),
    )
    assert parse_pins([f"{NONE}=4"], LABELS, none=NONE) == (PinChoice(NONE, 4),)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (["stop=28"], "--pin stop=28 is not understood; expected a label and the number of a GPIO"),
        (["stop=-1"], "not understood"),
        (["stop=GPIO17"], "not understood"),
        (["stop"], "not understood"),
        (["stop=17:high"], "not understood"),
        (["=17"], "not understood"),
        (["halt=17"], "--pin halt: the model knows no such label"),
        (["stop=0", "turn left=0:low"], "--pin names GPIO 0 twice"),
    ],
)
def test_what_is_refused(choices: list[str], message: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        parse_pins(choices, LABELS)
    assert message in str(caught.value)


def test_a_pin_is_on_while_its_label_is_answered(board: Any) -> None:
    opened = AnswerPins([PinChoice("stop", 17), PinChoice("go", 27), PinChoice("go", 22, low=True)])
    states = []
    for labels in (("stop",), ("stop", "go"), ("go",), ("else",)):
        opened.see(seen(*labels), frame_of(0))
        states.append([board.pin(number).state for number in (17, 27, 22)])
    # 22 is on at 0 V
    assert states == [[1, 0, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    opened.see(seen("stop"), frame_of(0))
    opened.end()
    assert [state.state for state in board.pin(17).states][-1] is False
    assert board.pin(17).function == "input"  # free for others


def test_it_is_off_without_a_camera_and_without_answers(board: Any) -> None:
    opened = AnswerPins([PinChoice("stop", 17)], off_after_s=0.5)
    pin = board.pin(17)
    opened.see(seen("stop"), frame_of(0))
    opened.tick(away=False)
    assert pin.state == 1
    opened.tick(away=True)
    assert pin.state == 0
    opened.see(seen("stop"), frame_of(1))
    began_s = time.monotonic()
    wait_for(lambda: pin.state == 0)  # nobody calls it: the session may hang
    assert 0.3 < time.monotonic() - began_s < 3
    opened.end()


def test_a_pin_that_can_no_longer_be_switched_ends_the_run(
    board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = AnswerPins([PinChoice("stop", 17)], off_after_s=0.2)
    opened.see(seen("stop"), frame_of(0))

    def broken(_: object) -> None:
        raise OSError("no such device")

    monkeypatch.setattr(board.pin(17), "_set_state", broken)
    with pytest.raises(OutputError, match="GPIO 17 cannot be switched; found no such device"):
        opened.see(seen(), frame_of(1))
    wait_for(lambda: opened._error is not None)  # in its own thread too
    with pytest.raises(OutputError, match="GPIO 17"):
        opened.tick(away=False)
    opened.end()


def test_a_lost_camera_switches_it_off_and_back_on(colour_model: MakeModel, board: Any) -> None:
    model = open_classifier(colour_model(), ask=False)
    there, lost = threading.Event(), threading.Event()
    there.set()

    def read() -> CapturedFrame:
        if lost.is_set():
            raise SourceLost("unplugged")
        time.sleep(0.02)
        return CapturedFrame(plain("red"))

    def opened() -> FrameSource:
        if not there.is_set():
            raise DataError("there is no camera", fix="wait")
        lost.clear()
        return FrameSource("a camera", True, None, read, lambda: None, lambda: None)

    outputs = Outputs(answers=[AnswerPins([PinChoice("red", 17)], off_after_s=60)])
    settings = SessionSettings(model.labels, "model", pace=Pace(first_pause_s=0.05))
    session = Session(FeedModels(settings, model), opened(), opened, outputs=outputs)
    thread = threading.Thread(target=session.run)
    thread.start()
    pin = board.pin(17)
    wait_for(lambda: pin.state == 1)
    there.clear()
    lost.set()
    wait_for(lambda: pin.state == 0)
    time.sleep(0.5)
    assert pin.state == 0
    there.set()
    wait_for(lambda: pin.state == 1)
    session.status.capture.stop.set()
    thread.join(20)
    assert pin.states[-1].state is False


PROBE = """
import sys
from gpiozero.pins.mock import MockPin
real = MockPin._set_state
def told(self, value):
    before = self._state
    real(self, value)
    if value != before:
        print("GPIO", self.info.name, int(bool(value)), flush=True)
MockPin._set_state = told
from edge_effnet.cli import main
main()
"""


def test_the_command_switches_it_off_when_it_is_ended(
    colour_model: MakeModel, clip: MakeClip
) -> None:
    video = clip(["green"] * 10 + ["red"] * 40)
    command = [sys.executable, "-c", PROBE, "camera", "--model", str(colour_model()), "--quiet"]
    command += ["--source", str(video), "--loop", "--pin", "red=17", "--pin", "green=27:low"]
    environment = {**os.environ, "GPIOZERO_PIN_FACTORY": "mock"}
    heard: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            heard.append(line.strip())
            if line.startswith("GPIO GPIO17 1"):
                process.send_signal(signal.SIGTERM)
                break
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    heard += [line for line in out.splitlines() if line.startswith("GPIO")]
    # Green is on at 0 V, so it is at 1 while off, and it is off before red is on.
    assert heard[:3] == ["GPIO GPIO27 1", "GPIO GPIO27 0", "GPIO GPIO27 1"], heard
    assert heard[-1] == "GPIO GPIO17 0", heard


def test_with_a_time_lapse_it_stays_until_the_next_answer_is_late(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[float] = []

    class Told(AnswerPins):
        def __init__(self, choices: Any, *, off_after_s: float) -> None:
            opened.append(off_after_s)
            super().__init__(choices, off_after_s=off_after_s)

    monkeypatch.setattr("edge_effnet.camera.setup.outputs.AnswerPins", Told)
    run = ("--model", colour_model(), "--source", clip(["red"] * 5), "--pin", "red=17")
    for pace in ((), ("--every", "10m"), ("--fps", "0.5")):
        assert cli(*run, *pace)[0] == 0
    assert opened == [2, 602, 4]


def test_without_gpiozero_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gpiozero", None)
    with pytest.raises(MissingExtra, match=r"pip install 'edge-effnet\[gpio\]'"):
        AnswerPins([PinChoice("stop", 17)])


def test_a_pin_that_is_in_use_is_named_and_the_others_are_free_again() -> None:
    taken = gpiozero.LED(27)
    with pytest.raises(OutputError, match="GPIO 27 cannot be used; found pin GPIO27 is already in"):
        AnswerPins([PinChoice("stop", 17), PinChoice("go", 27)])
    taken.close()
    AnswerPins([PinChoice("stop", 17), PinChoice("go", 27)]).end()


def refusal(devices: Path) -> EdgeEffnetError:
    with pytest.raises(EdgeEffnetError) as caught:
        pins._refuse_machine(gpiozero, devices)
    assert str(caught.value).count("\n") == 0
    return caught.value


def test_a_machine_without_gpio_or_without_the_right_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real search for pins, which finds none here."""
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    if list(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has GPIO")
    assert "this machine has none; found no" in str(refusal(tmp_path))
    chip = tmp_path / "gpiochip0"
    chip.touch()
    monkeypatch.setattr(os, "access", lambda path, _: path != chip)
    assert "sudo usermod -aG gpio $USER" in str(refusal(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: True)
    error = refusal(tmp_path)
    missing = isinstance(error, MissingExtra) and "--pin needs lgpio" in str(error)
    assert missing or "no GPIO that gpiozero can use" in str(error)
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "nonsense")
    assert "Unable to find pin factory 'nonsense'" in str(refusal(tmp_path))


def test_what_lgpio_leaves_behind_is_not_left_in_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """lgpio 0.2.2 makes a pipe where it is imported, and cannot be imported elsewhere."""
    (tmp_path / "lgpio.py").write_text("import os; os.mkfifo('.lgd-nfy0'); MARK = os.getcwd()")
    monkeypatch.setattr(gpiozero.Device, "pin_factory", None)
    monkeypatch.delenv("GPIOZERO_PIN_FACTORY", raising=False)
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    monkeypatch.delitem(sys.modules, "lgpio", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir("/proc")  # where nobody may write
    refusal(tmp_path)
    assert not Path(sys.modules["lgpio"].MARK).exists()
    assert Path.cwd() == Path("/proc")


def test_a_value_switches_nothing(cli: Cli, colour_model: MakeModel, clip: MakeClip) -> None:
    code, _, err = cli(
        *("--model", colour_model(), "--source", clip(["red"]), "--head", "regression"),
        *("--pin", "red=17"),
    )
    assert code == 2
    assert "--pin mean nothing for colours.tflite" in err


def test_the_unit_is_given_the_group_of_the_pins() -> None:
    from edge_effnet.camera.outputs.systemd import systemd_unit

    assert "SupplementaryGroups=video gpio\n" in systemd_unit(["camera"], pins=True)
    assert "SupplementaryGroups=video\n" in systemd_unit(["camera"])
