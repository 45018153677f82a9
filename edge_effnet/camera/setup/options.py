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
    an argument, or options of several commands."""

    model: Path | None = None
    compare: Path | None = field(
        default=None, metadata=option("A second model that sees the same frames.", metavar="FILE")
    )
    compare_every: int = field(
        default=1,
        metadata=option(
            "Where the second model is slow: show it every Nth frame only, and of those as many as "
            "it can take.",
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
            "For an address with a password: read the source from a file of mode 600.",
            metavar="FILE",
        ),
    )
    size: str | None = field(
        default=None,
        metadata=option(
            "Where the camera's own size is too small or too slow: ask it for this one.",
            metavar="WxH",
        ),
    )
    fps: float | None = field(
        default=None,
        metadata=option(
            "To save power or heat: at most N frames a second.", metavar="N", kind=_RATE
        ),
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
            "To evaluate a video: answer every frame of a file, as fast as it goes; else a file "
            "runs at its own pace."
        ),
    )
    loop: bool = field(
        default=False, metadata=option("To try things out: start a file again when it ends.")
    )
    roi: str | None = field(
        default=None,
        metadata=option("Look at this part only, in shares of the frame.", metavar="L,T,W,H"),
    )
    top: int = 3
    smooth: float | None = field(
        default=None,
        metadata=option(
            "Where answers flicker: the time over which they are averaged; 0 is off.  "
            "[default: 0.3; images 0]",
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
            "To measure accuracy: what is really to be seen, a CSV (frame,label), or the folder's "
            "name.",
            metavar="CSV|folder",
        ),
    )
    on: tuple[tuple[str, str], ...] = ()
    pin: tuple[str, ...] = ()
    on_pause: float = field(
        default=5.0,
        metadata=option(
            "Where --on runs too often: the same command not again before this.",
            metavar="SECONDS",
            kind=_SECONDS,
        ),
    )
    jsonl: str | None = field(
        default=None,
        metadata=option("For another program: a JSON line for each answer.", metavar="FILE|-"),
    )
    append: str | None = field(
        default=None,
        metadata=option(
            "Add a JSON line for each answer to FILE, which may be there already: for a camera "
            "that starts again.",
            metavar="FILE",
        ),
    )
    json_to: str | None = None
    save: tuple[str, ...] = ()
    save_to: Path | None = field(
        default=None,
        metadata=option(
            "Where --save keeps its frames, in a folder for each label.  [default: saved]",
            metavar="DIR",
        ),
    )
    save_pause: float = field(
        default=5.0,
        metadata=option(
            "Where --save keeps too many alike: while the label stays, the next frame not before "
            "this.",
            metavar="SECONDS",
            kind=_SECONDS,
        ),
    )
    keep_free: str = field(
        default=DEFAULT_FLOOR,
        metadata=option(
            "For a disk that others need too: frames, videos and lines are not written where less "
            "would be free.",
            metavar="SIZE",
        ),
    )
    save_differences: Path | None = field(
        default=None,
        metadata=option(
            "To see what int8 changes: keep frames that MODEL and --compare call differently.",
            metavar="DIR",
        ),
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
            "For a small disk: files at most in each folder of kept frames.  [default: 100; of "
            "--collect 2000]",
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
        metadata=option(
            "For an address with a password: read that of --mqtt from a file of mode 600.",
            metavar="FILE",
        ),
    )
    mqtt_steady: float = field(
        default=1.0,
        metadata=option(
            "Where --mqtt tells too much that is short: tell an answer when it has stayed so long.",
            metavar="SECONDS",
            kind=_SECONDS,
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
            "To leave cores to other programs: CPU threads of the model.  [default: all cores but "
            "one]",
            metavar="N",
            kind=_COUNT,
        ),
    )
    max_temp: float = field(
        default=80.0,
        metadata=option(
            "Where the board gets hot: lower the rate above this temperature, or when it "
            "throttles.",
            metavar="C",
        ),
    )
    quiet: bool = field(default=False, metadata=option("For a log: no status line."))
    labels: Path | None = None
    preprocess: str | None = None
    head: str | None = None
    force: bool = False

    @property
    def save_folder(self) -> Path:
        """Of the frames that ``--save`` keeps."""
        return self.save_to or Path("saved")
