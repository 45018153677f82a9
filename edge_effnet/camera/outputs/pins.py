"""``--pin``: GPIO pins that are on while an answer is given, and off whenever there is none."""

from __future__ import annotations

import os
import re
import threading
import time
import warnings
from collections.abc import Collection, Sequence
from contextlib import ExitStack, chdir, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edge_effnet.camera.answers import UNKNOWN, Decision
from edge_effnet.camera.frames import Frame
from edge_effnet.camera.outputs.base import answer_named
from edge_effnet.camera.settings import SessionSettings
from edge_effnet.camera.threads.queues import Clock
from edge_effnet.errors import EdgeEffnetError, MissingExtra, OutputError, UsageProblem

OFF_AFTER_S = 2.0
"""Without an answer; where answers are further apart by ``--fps`` or ``--every``, without one
that long after it was due."""
_WATCH_EVERY_S = 0.1
_CHOICE = re.compile(r"(?P<label>.+)=(?P<number>\d{1,2})(?P<low>:low)?", re.DOTALL)
_MOST = 27
"""GPIOs 0 to 27 are on the header of every Raspberry Pi with 40 pins."""


@dataclass(frozen=True)
class PinChoice:
    """GPIO ``number`` (BCM) is on while the answer is ``label``; ``low``: on is 0 V."""

    label: str
    number: int
    low: bool = False


def parse_pins(
    choices: Sequence[str], labels: Sequence[str], *, none: str = UNKNOWN
) -> tuple[PinChoice, ...]:
    """Read each ``--pin LABEL=GPIO[:low]``; ``none`` is the answer of no label.

    Raises:
        UsageProblem: not understood, no such label, no such GPIO, or one of them twice.
    """
    found: list[PinChoice] = []
    for text in choices:
        match = _CHOICE.fullmatch(text)
        if match is None or int(match["number"]) > _MOST:
            raise UsageProblem(
                f"--pin {text} is not understood",
                expected=f"a label and the number of a GPIO (BCM), 0 to {_MOST}: stop=17, or "
                "stop=17:low for a relay that is on at 0 V",
                fix="look the number up with the command pinout",
            )
        label = answer_named(match["label"], labels, none, option="--pin")
        found.append(PinChoice(label, int(match["number"]), match["low"] is not None))
    numbers = [choice.number for choice in found]
    if len(set(numbers)) < len(numbers):
        twice = next(one for one in numbers if numbers.count(one) > 1)
        raise UsageProblem(f"--pin names GPIO {twice} twice", fix="give each a label of its own")
    return tuple(found)


class AnswerPins:
    """Switches pins by the answers of one feed.

    A pin is off when the run begins and ends or fails, while the camera is away, and when no
    answer has come for ``off_after_s``. The last is seen to by a thread of its own, whatever the
    session waits for.

    Raises:
        MissingExtra: gpiozero, or what it needs of a Pi, is not installed.
        OutputError: no GPIO here, or not for this user, or a pin that is in use.
    """

    problem = None

    def __init__(
        self,
        choices: Sequence[PinChoice],
        *,
        off_after_s: float = OFF_AFTER_S,
        clock: Clock = time.monotonic,
    ) -> None:
        self._pins = _open_all(choices)
        self._off_after_s, self._clock = off_after_s, clock
        self._lock, self._over = threading.Lock(), threading.Event()
        self._until_s = float("-inf")
        self._error: EdgeEffnetError | None = None
        self._thread = threading.Thread(target=self._watch, name="pins", daemon=True)
        self._thread.start()

    def see(self, shown: Decision, frame: Frame) -> None:  # noqa: ARG002 (any frame will do)
        """On for the label or labels that are answered now, off for the others.

        Raises:
            OutputError: a pin cannot be switched.
        """
        with self._lock:
            self._until_s = self._clock() + self._off_after_s
            self._switch({item.label for item in shown.answers})

    def take_over(self, settings: SessionSettings) -> None:
        """The labels that are asked about stay."""

    def tick(self, *, away: bool) -> None:
        """Off while the camera is away.

        Raises:
            OutputError: a pin could not be switched.
        """
        if away:
            with self._lock:
                self._switch(())
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Off, and free for others."""
        self._over.set()
        self._thread.join()
        for _, device in self._pins:
            with suppress(Exception):  # each of them is tried
                device.off()
            with suppress(Exception):
                device.close()

    def _watch(self) -> None:
        while not self._over.wait(_WATCH_EVERY_S):
            try:
                with self._lock:
                    if self._clock() >= self._until_s:
                        self._switch(())
            except EdgeEffnetError as error:  # the session's thread raises it
                self._error = error
                return

    def _switch(self, labels: Collection[str]) -> None:
        """Those off first that are to be: of two directions of a motor, never both are on."""
        for choice, device in sorted(self._pins, key=lambda pin: pin[0].label in labels):
            on = choice.label in labels
            try:
                if bool(device.value) != on:
                    device.value = on
            except Exception as error:  # a library's own kinds, by pin factory
                raise OutputError(
                    f"GPIO {choice.number} cannot be switched",
                    found=str(error),
                    fix="look who else uses it: gpioinfo",
                ) from error


def _open_all(choices: Sequence[PinChoice]) -> list[tuple[PinChoice, Any]]:
    try:
        import gpiozero
    except ImportError as error:
        raise MissingExtra("gpiozero", "gpio", "--pin") from error
    _refuse_machine(gpiozero)
    opened: list[tuple[PinChoice, Any]] = []
    for choice in choices:
        try:
            device = gpiozero.DigitalOutputDevice(choice.number, active_high=not choice.low)
        except Exception as error:
            for _, other in opened:
                other.close()
            raise OutputError(
                f"GPIO {choice.number} cannot be used",
                found=str(error),
                fix="end the program or the overlay that uses it (gpioinfo), or take another GPIO",
            ) from error
        opened.append((choice, device))
    return opened


def _refuse_machine(gpiozero: Any, devices: Path = Path("/dev")) -> None:
    """Raises: see ``AnswerPins``."""
    with ExitStack() as during:
        # Why each library of pins was left out.
        reasons = during.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        # lgpio makes a pipe in the working folder, leaves it there, and fails where it may not.
        during.enter_context(chdir(during.enter_context(TemporaryDirectory())))
        try:
            gpiozero.Device.ensure_pin_factory()
        except gpiozero.BadPinFactory as error:
            failed = error
        else:
            return
    chips = sorted(devices.glob("gpiochip*"))
    if os.environ.get("GPIOZERO_PIN_FACTORY") is None:
        if not chips:
            raise OutputError(
                "--pin needs GPIO, and this machine has none",
                found=f"no {devices}/gpiochip*",
                fix="run it on a Raspberry Pi; GPIOZERO_PIN_FACTORY=mock plays the pins",
            ) from failed
        if not any(os.access(chip, os.R_OK | os.W_OK) for chip in chips):
            raise OutputError(
                "--pin may not use the GPIO of this machine",
                found=f"no access to {chips[0]}",
                fix="sudo usermod -aG gpio $USER, and log in again",
            ) from failed
        if any("No module named 'lgpio'" in str(one.message) for one in reasons):
            raise MissingExtra("lgpio", "gpio", "--pin") from failed
    raise OutputError(
        "--pin finds no GPIO that gpiozero can use",
        found="; ".join(str(one.message) for one in reasons) or str(failed),
        expected="a Raspberry Pi",
        fix="try it with: pinout",
    ) from failed
