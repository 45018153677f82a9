"""The devices a model can be measured on: a table of rows.

A row says how ``--device`` names a device (a Pi also by the name of any user there) and where the
functions are that measure there; their module is imported when they are called. ``measure`` takes
a ``BenchSpec``, the address behind the ``@`` (empty without one) and a stage reporter, and answers
with a ``Result``. A device with an address is somewhere else: its functions are coroutines, so
that several can be at work at a time, they answer with ``Fetched``, and there are two more:
``attach(address, stage)`` fetches a result that was left there, and ``clean(address)`` removes
everything from there and answers with a line for the user.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import nearest

if TYPE_CHECKING:
    from benchmarks.results.result import Result


@dataclass(frozen=True)
class Device:
    """A kind of device.

    Attributes:
        name: what ``--device`` says, up to an ``@``.
        addressed: whether an address follows: ``name@address``.
        module: with the functions, imported on use.
        summary: for ``--help``.
    """

    name: str
    addressed: bool
    module: str
    summary: str

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or "." not in self.module:
            raise ValueError(f"device row {self.name!r} is not complete")

    def load(self) -> Any:
        """The module with its functions."""
        return importlib.import_module(self.module)


@dataclass(frozen=True)
class Fetched:
    """A result, and how to have its device forget it once it is saved here; None where it was
    measured here."""

    result: Result
    release: Callable[[], Coroutine[Any, Any, None]] | None = None


DEVICES: dict[str, Device] = {
    row.name: row
    for row in (
        Device("cpu", False, "benchmarks.devices.cpu", "this machine's CPU"),
        Device("coral", False, "benchmarks.devices.coral", "an Edge TPU on this machine"),
        Device("pi", True, "benchmarks.devices.pi.measure", "a Raspberry Pi, over SSH"),
    )
}


def find_device(text: str) -> tuple[Device, str]:
    """Read ``--device``: the row, and its address (empty without one).

    ``pi@HOST`` leaves the user to the SSH configuration; any other name before an ``@`` is the
    user's on a Pi, and part of the address.

    Raises:
        UsageProblem: no such device, or an address that is missing or not wanted.
    """
    name, at, address = text.partition("@")
    device = DEVICES.get(name)
    if device is None and at and name and address:
        return DEVICES["pi"], text
    if device is None or bool(at) != device.addressed or (at and not address):
        raise _not_understood(text)
    return device, address


def _not_understood(text: str) -> UsageProblem:
    name, at, address = text.partition("@")
    meant = nearest(name, DEVICES)
    if name in DEVICES and at and address:  # cpu@HOST
        meant = f"pi@{text}"
    elif not at and "." in text:  # the address alone
        meant = f"NAME@{text}"
    elif at or (meant and DEVICES[meant].addressed):
        meant = "NAME@ADDRESS"
    named = [row.name for row in DEVICES.values() if not row.addressed]
    return UsageProblem(
        "--device is not understood" + (f"; did you mean {meant}?" if meant else ""),
        found=repr(text),
        expected=" or ".join([*named, "NAME@ADDRESS, your name on a Raspberry Pi"]),
        fix="for example --device your-name@raspberrypi.local",
    )
