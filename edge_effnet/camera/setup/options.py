"""The command line of ``edge-effnet camera``. Light: ``--help`` reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import click

from edge_effnet.camera.outputs.disk import DEFAULT_FLOOR
from edge_effnet.config_files import option

_SECONDS = click.FloatRange(min=0)
_RATE = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)


@dataclass(frozen=True)
class CameraOptions:
    """The command line; each field is the option of its name. Those that say nothing here are
    options of several commands."""

    model: Path | None = field(
        default=None, metadata=option("By default the packaged signs model.", metavar="FILE")
    )
    compare: Path | None = field(
        default=None, metadata=option("A second model that sees the same frames.", metavar="FILE")
    )
    compare_every: int = field(
        default=1,
        metadata=option(
            "Show it every Nth frame only, and of those as many as it can take.",
            metavar="N",
            kind=_COUNT,
        ),
    )
    source: str | None = field(
        default=None,
        metadata=option(
            "picamera2[:N], camera number, /dev/videoN, video file, image folder, http:// or "
            "rtsp:// address.  [default: first CSI camera, else first USB camera]",
            metavar="SOURCE",
        ),
    )
    source_file: Path | None = field(
        default=None,
        metadata=option(
            "Read the source from a file of mode 600: for an address with a password.",
            metavar="FILE",
        ),
    )
    size: str | None = field(
        default=None, metadata=option("Ask the camera for this size.", metavar="WxH")
    )
    fps: float | None = field(
        default=None, metadata=option("At most N frames a second.", metavar="N", kind=_RATE)
    )
    every: str | None = field(
        default=None,
        metadata=option(
            "One answer in this time, as for a time lapse: 30s, 10m, 2h.", metavar="TIME"
        ),
    )
    every_frame: bool = field(
        default=False,
        metadata=option(
            "Answer every frame of a file, as fast as it goes; else a file runs at its own pace."
        ),
    )
    loop: bool = field(default=False, metadata=option("Start a file again when it ends."))
    roi: str | None = field(
        default=None,
        metadata=option("Look at this part only, in shares of the frame.", metavar="L,T,W,H"),
    )
    top: int = 3
    smooth: float | None = field(
        default=None,
        metadata=option(
            "Steady the answer over time; 0 is off.  [default: 0.3; images 0]",
            metavar="SECONDS",
            kind=_SECONDS,
        ),
    )
    threshold: float | None = field(
        default=None,
        metadata=option(
            'Below this score the answer is "unknown"; of several labels, those above it are '
            "shown.",
            share=True,
            metavar="SCORE",
        ),
    )
    truth: str | None = field(
        default=None,
        metadata=option(
            "What is really to be seen: a CSV (frame,label), or the folder's name.",
            metavar="CSV|folder",
        ),
    )
    on: tuple[tuple[str, str], ...] = ()
    pin: tuple[str, ...] = ()
    on_pause: float = field(
        default=5.0,
        metadata=option(
            "The same command not again before this.", metavar="SECONDS", kind=_SECONDS
        ),
    )
    jsonl: str | None = field(
        default=None, metadata=option("A JSON line for each answer.", metavar="FILE|-")
    )
    append: str | None = field(
        default=None,
        metadata=option(
            "The same, added to a file that is there: for a camera that starts again.",
            metavar="FILE",
        ),
    )
    json_to: str | None = None
    save: tuple[str, ...] = ()
    save_to: Path | None = field(
        default=None,
        metadata=option(
            "For these frames, with a folder for each label.  [default: saved]", metavar="DIR"
        ),
    )
    save_pause: float = field(
        default=5.0,
        metadata=option(
            "While the label stays, the next one not before this.",
            metavar="SECONDS",
            kind=_SECONDS,
        ),
    )
    keep_free: str = field(
        default=DEFAULT_FLOOR,
        metadata=option(
            "Frames, videos and lines are not written where less would be free on their disk.",
            metavar="SIZE",
        ),
    )
    save_differences: Path | None = field(
        default=None,
        metadata=option("Keep frames that the two models call differently.", metavar="DIR"),
    )
    collect: Path | None = field(
        default=None,
        metadata=option(
            "Keep frames worth labelling, and those whose class is told on the page, as photos.",
            metavar="DIR",
        ),
    )
    max_saved: int | None = field(
        default=None,
        metadata=option(
            "Files in either of these folders at most.  [default: 100; of --collect 2000]",
            metavar="N",
            kind=_COUNT,
        ),
    )
    mqtt: str | None = field(
        default=None,
        metadata=option(
            "Tell an MQTT broker, as Home Assistant finds it: mqtt[s]://[user:password@]host/NAME.",
            metavar="ADDRESS",
        ),
    )
    mqtt_file: Path | None = field(
        default=None,
        metadata=option("Read that address from a file of mode 600.", metavar="FILE"),
    )
    mqtt_steady: float = field(
        default=1.0,
        metadata=option(
            "Tell an answer when it has stayed so long.", metavar="SECONDS", kind=_SECONDS
        ),
    )
    serve: str | None = field(
        default=None,
        metadata=option(
            "A page with the live feed and figures; off loopback it needs the token that is "
            "printed.",
            metavar="HOST:PORT",
        ),
    )
    window: bool = field(default=False, metadata=option("A window on this machine's screen."))
    record: Path | None = field(
        default=None, metadata=option("Write a video with the answers on it.", metavar="FILE")
    )
    threads: int | None = field(
        default=None,
        metadata=option(
            "CPU threads of the model.  [default: all cores but one]", metavar="N", kind=_COUNT
        ),
    )
    max_temp: float = field(
        default=80.0,
        metadata=option(
            "Lower the rate above this temperature, or when the board throttles.", metavar="C"
        ),
    )
    quiet: bool = field(default=False, metadata=option("No status line."))
    labels: Path | None = None
    preprocess: str | None = None
    head: str | None = None
    force: bool = False

    @property
    def save_folder(self) -> Path:
        """Of the frames that ``--save`` keeps."""
        return self.save_to or Path("saved")
