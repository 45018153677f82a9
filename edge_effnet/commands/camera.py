"""``edge-effnet camera``: a model on a live feed, beside its float original if you like."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.groups import OptionsOnly
from edge_effnet.ui.image_options import (
    head_option,
    labels_option,
    preprocess_option,
    refuse_bad_output,
)
from edge_effnet.ui.options import console, force_option, json_option, write_json
from edge_effnet.ui.quantities import Share

if TYPE_CHECKING:
    from edge_effnet.camera.accuracy.trained_on import Unseen
    from edge_effnet.camera.options import CameraOptions
    from edge_effnet.camera.session import Session
    from edge_effnet.camera.setup import Models
    from edge_effnet.camera.sources.base import FrameSource

_FILE = click.Path(path_type=Path)
_SECONDS = click.FloatRange(min=0)
_RATE = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)


@click.command("camera", cls=OptionsOnly)
@click.option("--model", type=_FILE, metavar="FILE", help="By default the packaged signs model.")
@click.option(
    "--compare",
    type=_FILE,
    metavar="FLOAT",
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
@click.option(
    "--top", type=_COUNT, default=3, show_default=True, metavar="K", help="Best answers shown."
)
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

    asked = CameraOptions(**options)
    _refuse_contradictions(asked)
    _run(asked)


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


def _run(options: CameraOptions) -> None:
    """Open everything, run until the end, report."""
    from queue import SimpleQueue

    from edge_effnet.camera import setup
    from edge_effnet.camera.accuracy.ground_truth import read_ground_truth
    from edge_effnet.camera.accuracy.trained_on import Unseen
    from edge_effnet.camera.memory import keep_memory_flat
    from edge_effnet.camera.outputs.status_line import StatusLine
    from edge_effnet.camera.session import Session
    from edge_effnet.camera.sources.open import default_source, open_source
    from edge_effnet.camera.thermal import BoardMonitor
    from edge_effnet.data.folders import left_out_lines
    from edge_effnet.data.trained_on import records

    keep_memory_flat()
    # What can be refused is refused before a camera starts.
    source, request = options.source or default_source(), setup.camera_request(options)
    status = StatusLine(quiet=options.quiet)
    models = setup.open_models(options)
    for classifier in filter(None, (models.model, models.reference)):
        if classifier.notice:
            status.say(classifier.notice)
    settings = setup.read_settings(source, models, options)
    truth, notes_of_truth = None, list[str]()
    if options.truth:
        head, say = models.model.head, notes_of_truth.append
        truth = read_ground_truth(options.truth, source, models.names, head, say)
    for line in notes_of_truth:
        status.say(line)
    cards = [one.card for one in (models.model, models.reference) if one and one.card]
    known = records([step for card in cards for step in card.steps])
    unseen = Unseen(truth, known) if truth and known else None
    notes: SimpleQueue[str] = SimpleQueue()
    opened = open_source(source, request)
    for line in left_out_lines(opened.left_out):
        status.say(line)
    try:
        outputs, server = setup.open_outputs(options, settings, opened.fps, notes.put)
    except BaseException:
        opened.close()
        raise
    if server is not None:
        status.say(f"the page is at {server.url}")
    session = Session(
        settings,
        opened,
        lambda: open_source(source, request),
        models.model,
        models.reference,
        truth=unseen or truth,
        outputs=outputs,
        notes=notes,
        say=status.say,
        show_status=status.show,
        monitor=BoardMonitor(),
    )
    try:
        session.run()
    finally:
        status.clear()
        if server is not None:
            server.end()
    _report(session, models, options, opened, unseen, notes_of_truth)


def _report(
    session: Session,
    models: Models,
    options: CameraOptions,
    source: FrameSource,
    unseen: Unseen | None,
    notes: Sequence[str],
) -> None:
    from edge_effnet.camera.outputs.report import document, summary_lines
    from edge_effnet.metrics import Skipped
    from edge_effnet.ui.comparison_tables import print_comparison
    from edge_effnet.ui.tables import print_skipped

    figures, comparison = document(session, models.model, models.reference)
    stdout_taken = "-" in (options.json_to, options.jsonl)
    out = console(stderr=stdout_taken)
    if unseen is not None and unseen.trained:
        labelled = max(session.right.frames, session.error.frames)
        line = unseen.line(labelled)
        evidence = {"trained": unseen.trained, "is_evidence": labelled > 0, "line": line}
        figures["trained_on"] = evidence
        out.print(line)
    for line in summary_lines(session, trained=unseen.trained if unseen else 0):
        out.print(line)
    if comparison is not None and not stdout_taken:
        print_comparison(comparison, session.source_name)
    skipped = [Skipped(path, reason) for path, reason in source.unreadable.items()]
    print_skipped(out, skipped, remedy="")
    if options.json_to is not None:
        figures["notes"] = list(notes)
        figures["left_out"] = [one.to_json() for one in source.left_out]
        figures["skipped"] = [one.to_json() for one in skipped]
        write_json(figures, options.json_to, overwrite=options.force)
