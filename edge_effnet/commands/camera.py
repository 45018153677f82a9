"""``edge-effnet camera``: a model on a live feed, beside its float original if you like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.console import console
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    labels_option,
    preprocess_option,
    top_option,
)
from edge_effnet.ui.output import refuse_bad_output, write_json
from edge_effnet.ui.quantities import Share

if TYPE_CHECKING:
    from edge_effnet.camera.options import CameraOptions
    from edge_effnet.camera.setup import CameraRun

_FILE = click.Path(path_type=Path)
_SECONDS = click.FloatRange(min=0)
_RATE = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)


@click.command("camera", cls=OptionsOnly)
@click.option("--model", type=_FILE, metavar="FILE", help="By default the packaged signs model.")
@click.option(
    "--compare",
    type=_FILE,
    metavar="FILE",
    help="A second model that sees the same frames.",
)
@click.option(
    "--compare-every",
    type=_COUNT,
    default=1,
    metavar="N",
    help="Show it every Nth frame only.  [default: as many as it can take]",
)
@click.option(
    "--source",
    metavar="SOURCE",
    help="picamera2[:N], camera number, /dev/videoN, video file, image folder, http:// or "
    "rtsp:// address.  [default: picamera2 where installed, else 0]",
)
@click.option("--size", metavar="WxH", help="Ask the camera for this size.")
@click.option("--fps", type=_RATE, metavar="N", help="At most N frames a second.")
@click.option(
    "--every-frame",
    is_flag=True,
    help="Answer every frame of a file, as fast as it goes; else a file runs at its own pace.",
)
@click.option("--loop", is_flag=True, help="Start a file again when it ends.")
@click.option("--roi", metavar="L,T,W,H", help="Look at this part only, in shares of the frame.")
@top_option("Answers shown per frame.", default=3)
@click.option(
    "--smooth",
    type=_SECONDS,
    metavar="SECONDS",
    help="Steady the answer over time; 0 is off.  [default: 0.3; images 0]",
)
@click.option(
    "--threshold",
    type=Share(),
    metavar="SCORE",
    help='Below this score the answer is "unknown"; of several labels, those above it are shown.',
)
@click.option(
    "--truth",
    metavar="CSV|folder",
    help="What is really to be seen: a CSV (frame,label), or the folder's name.",
)
@click.option(
    "--on",
    nargs=2,
    multiple=True,
    metavar="LABEL COMMAND",
    help="Run COMMAND (no shell) when LABEL appears; may be repeated.",
)
@click.option(
    "--on-pause",
    type=_SECONDS,
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="The same command not again before this.",
)
@click.option("--jsonl", metavar="FILE|-", help="A JSON line for each answer.")
@json_option
@click.option(
    "--save-differences",
    type=_FILE,
    metavar="DIR",
    help="Keep frames that the two models call differently.",
)
@click.option(
    "--max-saved",
    type=_COUNT,
    default=100,
    show_default=True,
    metavar="N",
    help="Files in that folder at most.",
)
@click.option(
    "--serve",
    metavar="HOST:PORT",
    help="A page with the live feed and figures; off loopback it needs the token that is printed.",
)
@click.option("--window", is_flag=True, help="A window on this machine's screen.")
@click.option("--record", type=_FILE, metavar="FILE", help="Write a video with the answers on it.")
@click.option(
    "--threads",
    type=_COUNT,
    metavar="N",
    help="CPU threads of the model.  [default: all cores but one]",
)
@click.option(
    "--max-temp",
    type=float,
    default=80.0,
    show_default=True,
    metavar="C",
    help="Lower the rate above this temperature, or when the board throttles.",
)
@click.option("--quiet", is_flag=True, help="No status line.")
@labels_option
@preprocess_option
@head_option
@force_option
@click.option(
    "--systemd",
    is_flag=True,
    help="Print a systemd unit with these options, for a camera that runs from boot.",
)
def command(**options: Any) -> None:
    """Run a model on a camera, and its float original beside it.

    Labels and preprocessing come from the model's card. Ctrl-C ends it with a summary.

    \b
    Examples:
      edge-effnet camera --model b0-int8.tflite
      edge-effnet camera --model b0-int8.tflite --compare b0-float32.tflite --serve 127.0.0.1:8080
      edge-effnet camera --model signs.tflite --source clip.mp4 --truth clip.csv --json report.json
      edge-effnet camera --model signs.tflite --on stop 'espeak stop' --threshold 0.6
    """
    if options.pop("systemd"):
        from edge_effnet.camera.outputs.systemd import systemd_unit

        arguments = [word for word in sys.argv[1:] if word != "--systemd"]
        click.echo(systemd_unit(arguments), nl=False)
        return
    from edge_effnet.camera.options import CameraOptions
    from edge_effnet.camera.outputs.status_line import StatusLine
    from edge_effnet.camera.setup import open_run

    asked = CameraOptions(**options)
    _refuse_contradictions(asked)
    line = StatusLine(quiet=asked.quiet)
    run = open_run(asked, say=line.say, show_status=line.show)
    try:
        run.session.run()
    finally:
        line.clear()
        run.end()
    _report(run, asked)


def _refuse_contradictions(options: CameraOptions) -> None:
    if options.json_to == "-" and options.jsonl == "-":
        raise UsageProblem(
            "--json and --jsonl cannot both go to standard output",
            fix="give one of them a file",
        )
    if options.save_differences and options.compare is None:
        raise UsageProblem(
            "--save-differences needs a second model", fix="add --compare b0-float32.tflite"
        )
    refuse_bad_output(options.json_to, overwrite=options.force)


def _report(run: CameraRun, options: CameraOptions) -> None:
    from edge_effnet.camera.outputs.report import document, summary_lines
    from edge_effnet.metrics import Skipped
    from edge_effnet.ui.comparison_report import print_comparison
    from edge_effnet.ui.tables import print_skipped

    status, held_out = run.session.status, run.held_out
    figures, comparison = document(status, run.models.model, run.models.reference)
    stdout_taken = "-" in (options.json_to, options.jsonl)
    out = console(stderr=stdout_taken)
    if held_out is not None and held_out.trained:
        labelled = max(status.right.frames, status.error.frames)
        line = held_out.line(labelled)
        evidence = {"trained": held_out.trained, "is_evidence": labelled > 0, "line": line}
        figures["trained_on"] = evidence
        out.print(line)
    for line in summary_lines(status, trained=held_out.trained if held_out else 0):
        out.print(line)
    if comparison is not None and not stdout_taken:
        print_comparison(comparison, status.source_name)
    skipped = [Skipped(path, reason) for path, reason in run.source.unreadable.items()]
    print_skipped(out, skipped, remedy="")
    if options.json_to is not None:
        figures["notes"] = list(run.truth_notes)
        figures["left_out"] = [one.to_json() for one in run.source.left_out]
        figures["skipped"] = [one.to_json() for one in skipped]
        write_json(figures, options.json_to, overwrite=options.force)
