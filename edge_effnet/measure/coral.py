"""What of a Coral Edge TPU is here: library, stick or card, compiler. Nothing is loaded."""

from __future__ import annotations

import ctypes.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from edge_effnet.measure.finding import Finding
from edge_effnet.runtime.edgetpu import DRIVER_FIX, LIBRARY_VARIABLE
from edge_effnet.system.cpu import ROOT, read_text

# A stick shows the first pair until its firmware is loaded, then the second.
_USB_IDS = {("1a6e", "089a"), ("18d1", "9302")}
_USB3_MBIT = 5000
COMPILER = "edgetpu_compiler"


@dataclass(frozen=True)
class CoralParts:
    """Attributes:
    library: what EDGE_EFFNET_LIBEDGETPU says, else the name that the linker finds.
    usb_mbit: speed of the stick's connection, None without a stick.
    pcie: whether a card's device file is there.
    compiler: path of ``edgetpu_compiler``.
    """

    library: str | None
    usb_mbit: int | None
    pcie: bool
    compiler: str | None


def find_coral(root: Path = ROOT) -> CoralParts:
    """Look for the parts of an Edge TPU."""
    return CoralParts(
        library=os.environ.get(LIBRARY_VARIABLE) or ctypes.util.find_library("edgetpu"),
        usb_mbit=_usb_mbit(root),
        pcie=any((root / "dev").glob("apex_*")),
        compiler=shutil.which(COMPILER),
    )


def coral_lines(parts: CoralParts) -> list[tuple[str, str]]:
    """(part, what is here), for people."""
    found = [f"USB, {parts.usb_mbit} Mbit/s"] if parts.usb_mbit is not None else []
    found += ["PCIe"] if parts.pcie else []
    return [
        ("libedgetpu", parts.library or "none"),
        ("Edge TPU", " and ".join(found) or "none"),
        ("compiler", parts.compiler or "none"),
    ]


def _usb_mbit(root: Path) -> int | None:
    for device in sorted((root / "sys/bus/usb/devices").glob("*")):
        pair = read_text(device / "idVendor"), read_text(device / "idProduct")
        if pair in _USB_IDS:
            speed = read_text(device / "speed") or ""
            return int(float(speed)) if speed.replace(".", "", 1).isdigit() else 0
    return None


def diagnose_coral(parts: CoralParts) -> Iterator[Finding]:
    """What is missing or slow about the Edge TPU here, each with its fix."""
    if parts.library is None:
        yield Finding(
            "no-libedgetpu",
            True,
            "libedgetpu, the Edge TPU's driver library, is not installed",
            DRIVER_FIX,
        )
    elif "/" in parts.library and not Path(parts.library).is_file():
        yield Finding(
            "no-libedgetpu",
            True,
            f"{LIBRARY_VARIABLE} names {parts.library}, which is not there",
            "correct it, or unset it for the system's own",
        )
    if parts.usb_mbit is None and not parts.pcie:
        yield Finding("no-edgetpu", True, "no Edge TPU is connected", "plug in the USB Accelerator")
    elif parts.usb_mbit is not None and 0 < parts.usb_mbit < _USB3_MBIT:
        yield Finding(
            "usb-2",
            True,
            f"the stick is on USB 2 ({parts.usb_mbit} Mbit/s): about three times slower",
            "use a blue USB 3 port and the cable that came with it",
        )
    if parts.compiler is None:
        yield Finding(
            "no-compiler",
            False,
            f"{COMPILER} is not on PATH; files must be compiled before they run there",
            "install it on an x86-64 Debian or Ubuntu: sudo apt install edgetpu-compiler",
        )
