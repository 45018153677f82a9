"""What ``edge-effnet camera`` is asked, as one value. Imports nothing, so ``--help`` is quick."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class CameraOptions:
    """The command line; each field is the option of its name, see ``--help``."""

    model: Path | None = None
    compare: Path | None = None
    compare_every: int = 1
    source: str | None = None
    size: str | None = None
    fps: float | None = None
    every_frame: bool = False
    loop: bool = False
    roi: str | None = None
    top: int = 3
    smooth: float | None = None
    threshold: float | None = None
    truth: str | None = None
    on: tuple[tuple[str, str], ...] = ()
    on_pause: float = 5.0
    jsonl: str | None = None
    json_to: str | None = None
    save_differences: Path | None = None
    max_saved: int = 100
    serve: str | None = None
    window: bool = False
    record: Path | None = None
    threads: int | None = None
    max_temp: float = 80.0
    quiet: bool = False
    labels: Path | None = None
    preprocess: str | None = None
    head: str | None = None
    force: bool = False
