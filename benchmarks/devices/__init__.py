"""The devices a model can be measured on: a table of rows.

A row says how ``--device`` names a device and which function measures there. The function takes
a ``BenchSpec``, the name as the user gave it (``pi@raspberrypi.local:22``) and a stage reporter,
and answers with a ``Result``; its module is imported when it is called.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.harness import StartStage
from benchmarks.result import Result
from benchmarks.spec import BenchSpec
from edge_effnet.errors import UsageProblem

Measure = Callable[[BenchSpec, str, StartStage], Result]


@dataclass(frozen=True)
class Device:
    """A kind of device.

    Attributes:
        name: what ``--device`` says, up to an ``@``.
        addressed: whether an address follows: ``name@address``.
        measured_by: ``module:function``, imported on use.
        summary: for ``--help``.
    """

    name: str
    addressed: bool
    measured_by: str
    summary: str

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or ":" not in self.measured_by:
            raise ValueError(f"device row {self.name!r} is not complete")

    def measure(self, spec: BenchSpec, address: str, stage: StartStage) -> Result:
        module, _, function = self.measured_by.partition(":")
        found: Measure = getattr(importlib.import_module(module), function)
        return found(spec, address, stage)


DEVICES: dict[str, Device] = {
    row.name: row
    for row in (Device("cpu", False, "benchmarks.devices.cpu:measure", "this machine's CPU"),)
}


def find_device(text: str) -> tuple[Device, str]:
    """Read ``--device``: the row, and the address behind its ``@`` (empty without one).

    Raises:
        UsageProblem: no such device, or an address that is missing or not wanted.
    """
    name, at, address = text.partition("@")
    device = DEVICES.get(name)
    if device is None or bool(at) != device.addressed or (at and not address):
        known = [row.name + ("@ADDRESS" if row.addressed else "") for row in DEVICES.values()]
        raise UsageProblem(
            "--device is not understood",
            found=repr(text),
            expected=" or ".join(known),
            fix=f"for example --device {known[0]}",
        )
    return device, address
