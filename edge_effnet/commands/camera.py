"""``edge-effnet camera``: a model on a live feed, beside its float original if you like."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.ui.config_options import config_options
from edge_effnet.ui.console import console
from edge_effnet.ui.model_command import ModelCommand
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    labels_option,
    preprocess_option,
    top_option,
)
from edge_effnet.ui.output import claim_outputs, write_json

if TYPE_CHECKING:
    from edge_effnet.camera.setup.run import CameraRun

_GROUPS = {
    "Models": ("--model", "--compare"),
    "Source": ("--source", "--every", "--roi"),
    "Answers": ("--threshold", "--top"),
    "Output": (
        *("--serve", "--window", "--record", "--save", "--collect"),
        *("--append", "--json", "--force"),
    ),
    "Actions": ("--on", "--mqtt", "--pin", "--systemd"),
    "Advanced, models": (*("--labels", "--preprocess", "--head", "--compare-every", "--threads"),),
    "Advanced, source": (
        *("--size", "--fps", "--max-temp", "--every-frame", "--loop", "--source-file"),
    ),
    "Advanced, answers": ("--smooth", "--truth"),
    "Advanced, output": (
        *(
            "--jsonl",
            "--save-to",
            "--save-differences",
            "--save-pause",
            "--max-saved",
            "--keep-free",
        ),
        "--quiet",
    ),
    "Advanced, actions": ("--on-pause", "--mqtt-file", "--mqtt-steady"),
}


@click.command(
    "camera",
    cls=ModelCommand,
    groups=_GROUPS,
    model_help="Another way to give MODEL.  [default: the packaged signs model]",
)
@click.argument("model", type=click.Path(path_type=Path), required=False)
@config_options(CameraOptions)
@top_option("Answers shown per frame.", default=3)
@click.option(
    "--on",
    nargs=2,
    multiple=True,
    metavar="LABEL COMMAND",
    help="Run COMMAND (no shell) when LABEL appears; may be repeated.",
)
@click.option(
    "--pin",
    multiple=True,
    metavar="LABEL=GPIO[:low]",
    help="Switch a GPIO on (with :low to 0 V) while the answer is LABEL, and off where no answer "
    "comes for 2 s, or for 2 s after --every; may be repeated.",
)
@click.option(
    "--save",
    multiple=True,
    metavar="LABEL[:MIN_SCORE]",
    help="Keep frames with this answer as JPEG; may be repeated.",
)
@json_option
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
    """Run MODEL on a camera, and its float original beside it if you like.

    Labels and preprocessing come from the model's card or are found. Ctrl-C ends it with a summary.

    \b
    Examples:
      edge-effnet camera b0-int8.tflite
      edge-effnet camera --model b0-int8.tflite --compare b0-float32.tflite --serve 127.0.0.1:8080
      edge-effnet camera --model signs.tflite --source clip.mp4 --truth clip.csv --json report.json
      edge-effnet camera --model signs.tflite --on stop 'espeak stop' --threshold 0.6
      edge-effnet camera --model birds.tflite --every 10m --save robin:0.8 --append answers.jsonl
    """
    systemd = options.pop("systemd")
    asked = CameraOptions(**options)
    _refuse_contradictions(asked)
    if systemd:
        _refuse_files_of_a_service(asked)
        from edge_effnet.camera.outputs.systemd import systemd_unit

        arguments = [word for word in sys.argv[1:] if word != "--systemd"]
        addresses = {"--source": asked.source, "--mqtt": asked.mqtt}
        click.echo(systemd_unit(arguments, addresses, pins=bool(asked.pin)), nl=False)
        return
    from edge_effnet.camera.outputs.status_line import StatusLine
    from edge_effnet.camera.setup.run import open_run

    line = StatusLine(quiet=asked.quiet)
    run = open_run(asked, say=line.say, show_status=line.show)
    try:
        run.session.run()
    finally:
        line.clear()
        run.end()
    _report(run, asked)
    if run.session.problems:
        raise OutputError(
            run.session.problems[0],
            expected="every output, whole",
            fix="make room, or choose another folder, and start it again",
        )


def _refuse_contradictions(options: CameraOptions) -> None:
    if options.source is not None and options.source_file is not None:
        raise UsageProblem(
            "--source and --source-file both name the source", fix="leave one of them out"
        )
    if options.fps is not None and options.every is not None:
        raise UsageProblem("--fps and --every both limit the rate", fix="leave one of them out")
    if options.mqtt is not None and options.mqtt_file is not None:
        raise UsageProblem(
            "--mqtt and --mqtt-file both name the broker", fix="leave one of them out"
        )
    if options.json_to == "-" and options.jsonl == "-":
        raise UsageProblem(
            "--json and --jsonl cannot both go to standard output",
            fix="give one of them a file",
        )
    if options.jsonl is not None and options.append is not None:
        raise UsageProblem("--jsonl and --append both write lines", fix="leave one of them out")
    if options.save_differences and options.compare is None:
        raise UsageProblem(
            "--save-differences needs a second model", fix="add --compare b0-float32.tflite"
        )
    if options.save_to and not options.save:
        raise UsageProblem("--save-to needs --save", fix="say which answers: --save LABEL")
    if options.record is not None:
        from edge_effnet.camera.outputs.record import refuse_recording

        refuse_recording(options.record)
    folders = [options.save_differences] if options.save_differences else []
    folders += [options.save_folder] if options.save else []
    folders += [options.collect] if options.collect else []
    claim_outputs(
        {
            "--json": options.json_to,
            "--jsonl": options.jsonl,
            "--append": options.append,
            "--record": options.record,
        },
        overwrite=options.force,
        shared=("--append",),
        besides=dict.fromkeys(folders, ()),
    )


def _refuse_files_of_a_service(options: CameraOptions) -> None:
    """A service starts again and again, and would refuse the files of its last start."""
    files = {"--json": options.json_to, "--jsonl": options.jsonl, "--record": options.record}
    named = [name for name, file in files.items() if file not in (None, "-")]
    if named and not options.force:
        raise UsageProblem(
            f"{named[0]} of a service is there already when it starts again, and would be refused",
            fix="add --force to write it anew at each start, or use --append FILE for lines",
        )


def _report(run: CameraRun, options: CameraOptions) -> None:
    from edge_effnet.camera.outputs.report import document, summary_lines
    from edge_effnet.image.preprocess_text import preprocess_text
    from edge_effnet.measure.environment import read_environment
    from edge_effnet.measure.timing import emulated_times
    from edge_effnet.metrics import Skipped
    from edge_effnet.ui.reports.comparison import print_comparison
    from edge_effnet.ui.tables import print_skipped, print_warnings

    status, held_out = run.session.status, run.held_out
    figures, comparison = document(status)
    stdout_taken = "-" in (options.json_to, options.jsonl)
    out = console(stderr=stdout_taken)
    if held_out is not None and held_out.trained:
        labelled = max(status.answering.right.frames, status.answering.error.frames)
        line = held_out.line(labelled)
        evidence = {"trained": held_out.trained, "is_evidence": labelled > 0, "line": line}
        figures["trained_on"] = evidence
        out.print(line)
    for line in summary_lines(status, trained=held_out.trained if held_out else 0):
        out.print(line)
    doubts = emulated_times(read_environment())
    print_warnings(out, doubts)
    if comparison is not None and not stdout_taken:
        print_comparison(comparison, status.source_name)
    skipped = [Skipped(path, reason) for path, reason in run.source.unreadable.items()]
    print_skipped(out, skipped, remedy="")
    if options.json_to is not None:
        models = status.answering.models
        opened = filter(None, (models.reference, models.model))
        figures["preprocess"] = [preprocess_text(one.preprocess) for one in opened]
        figures.get("camera", figures)["saved"] = run.session.saved
        figures["notes"] = [*run.truth_notes, *doubts]
        figures["left_out"] = [one.to_json() for one in run.source.left_out]
        figures["skipped"] = [one.to_json() for one in skipped]
        write_json(figures, options.json_to, overwrite=options.force)
