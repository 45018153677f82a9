"""What edge-effnet needs on a Pi: modules, and the files that pip may install for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.devices.pi.board import Board
from benchmarks.devices.pi.package import requirements
from edge_effnet.errors import EdgeEffnetError

_MODULES = {
    "click": "click",
    "rich": "rich",
    "cattrs.v": "cattrs",  # not in Debian 12's: its version is too old
    "flatbuffers": "flatbuffers",
    "numpy": "numpy",
    "cv2": "opencv-python-headless",
}
_FROM_APT = {"numpy": "python3-numpy", "cv2": "python3-opencv"}  # 32-bit: PyPI has no wheels
_RUNTIME_64 = ("ai_edge_litert.interpreter", "ai-edge-litert")
_RUNTIME_32 = ("tflite_runtime.interpreter", "tflite-runtime==2.14.0")


def needs(board: Board, *, camera: bool = False) -> dict[str, Any]:
    """What ``agent.environment`` is to find there, by the bits of the Pi's own Python.

    Args:
        camera: in versions that go with the Picamera2 of the system.

    Raises:
        EdgeEffnetError: no runtime is made for that Python.
    """
    base = requirements()
    modules = {name: base.get(requirement, requirement) for name, requirement in _MODULES.items()}
    if board.about["bits"] == 64:
        module, requirement = _RUNTIME_64
        modules[module] = base.get(requirement, requirement)
        old = camera and board.about["python"].startswith("3.11.")  # Bookworm
        pinned = _pinned("bookworm64.txt" if old else "bits64.txt")
        return {"modules": modules, "from_apt": {}, "pinned": pinned}
    if not board.about["python"].startswith("3.11."):
        raise EdgeEffnetError(
            f"{board.address.host} is a 32-bit system without a TFLite runtime for its Python",
            found=f"Python {board.about['python']}",
            expected="Python 3.11, the last that tflite-runtime was made for",
            fix="install the 64-bit Raspberry Pi OS",
        )
    modules[_RUNTIME_32[0]] = _RUNTIME_32[1]
    return {"modules": modules, "from_apt": _FROM_APT, "pinned": _pinned("bits32.txt")}


def _pinned(name: str) -> str:
    """A requirements file with the hashes of all it names."""
    return (Path(__file__).parent / "pinned" / name).read_text()
