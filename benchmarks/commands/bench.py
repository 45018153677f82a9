"""``edge-effnet bench``: latency, memory and accuracy that can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from benchmarks.spec import BenchSpec
from edge_effnet.errors import EdgeEffnetError, LimitMissed, UsageProblem
from edge_effnet.printable import printable
from edge_effnet.ui.config_options import config_options
from edge_effnet.ui.missing import missing
from edge_effnet.ui.model_command import ModelCommand
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    labels_option,
    preprocess_option,
    threshold_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.reports.evaluation_set import print_data

_FILE = click.Path(path_type=Path)
_GROUPS = {
    "Models and images": ("--model", "--data"),
    "Measurement": ("--device", "--threads", "--sustained"),
    "Output": ("--json", "--append", "--csv", "--markdown", "--force"),
    "Advanced, devices": ("--attach", "--clean", "--wheels"),
    "Advanced, measurement": (
        *("--seconds", "--strict", "--no-delegate", "--native-tool", "--images", "--seed"),
    ),
    "Advanced, models": ("--labels", "--preprocess", "--head", "--threshold"),
}


@click.command("bench", cls=ModelCommand, models=("models",), groups=_GROUPS)
@click.argument("models", nargs=-1, type=_FILE)
@click.option(
    "--device",
    "devices",
    multiple=True,
    default=("cpu",),
    show_default="cpu",
    metavar="DEVICE",
    help="Where to measure: cpu, coral, or NAME@HOST[:PORT] over SSH; may be given several times.",
)
@click.option(
    "--attach",
    is_flag=True,
    help="Where the connection was lost: fetch what the device measured meanwhile.",
)
@click.option(
    "--clean",
    is_flag=True,
    help="Where the device is to be as it was: remove all that was ever put on it, after "
    "measuring, or without MODELS at once.",
)
@config_options(BenchSpec)
@labels_option
@preprocess_option
@head_option
@threshold_option
@click.option(
    "--strict", is_flag=True, help="For scripts: exit with 3 where a measurement is not valid."
)
@json_option
@click.option("--append", type=_FILE, metavar="FILE", help="Add the result to a file of results.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of the table.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown instead.")
@force_option
def command(
    devices: tuple[str, ...],
    attach: bool,
    clean: bool,
    strict: bool,
    json_to: str | None,
    append: Path | None,
    as_csv: bool,
    as_markdown: bool,
    force: bool,
    **spec: Any,
) -> None:
    """Measure MODELS in turn on the same machine, and say whether to believe it.

    Latency of one inference (raw samples kept), load time and memory in a fresh process, pre-
    and postprocessing, share of the XNNPACK delegate; with --data accuracy on the same images.
    Other models are compared with the first; each ratio comes with its 95 % interval.

    A Raspberry Pi needs nothing but SSH and Python 3.11. NAME is your user name there (with pi,
    that of your SSH configuration goes first); your SSH keys and known hosts are used. What it
    lacks, it installs in a folder of its own, ~/.cache/edge-effnet there.

    \b
    Examples:
      edge-effnet bench b0-float32.tflite b0-int8.tflite
      edge-effnet bench *.tflite --data photos/ --threads 1,4 --json result.json
      edge-effnet bench b0-int8.tflite --sustained 10 --strict
      edge-effnet bench b0-*.tflite --device your-name@raspberrypi.local --device you@pi5.local:2222
      edge-effnet bench --device your-name@raspberrypi.local --attach
      edge-effnet bench --device your-name@raspberrypi.local --clean
    """
    from benchmarks.devices.targets import (
        attach_all,
        clean_all,
        find_targets,
        measure_all,
        release_all,
    )
    from edge_effnet.ui.progress import stages

    output = Output(json_to, append, as_csv, as_markdown, force)
    targets = find_targets(devices)
    _refuse_contradictions(bool(spec["models"]), targets, attach=attach, clean=clean)
    output.refuse_what_cannot_be_written()
    outcomes: list[Any] = []
    if attach:
        with stages() as stage:
            outcomes = attach_all(targets, stage)
    elif spec["models"]:
        bench_spec = BenchSpec(**spec)
        _refuse_bad_input(bench_spec)
        with stages() as stage:
            outcomes = measure_all(bench_spec, targets, stage)
    results = [one.result for one in outcomes if not isinstance(one, EdgeEffnetError)]
    if results:
        output.write(results)
    for problem in release_all(outcomes):  # what is written here may go there
        click.echo(f"note: {problem}", err=True)
    if clean:
        pairs = zip(targets, outcomes, strict=False)  # nothing was measured: no outcomes
        kept = [target for target, one in pairs if isinstance(one, EdgeEffnetError)]
        for target in kept:
            click.echo(f"note: {target.name} is not cleaned: it may hold a result", err=True)
        for cleaned in clean_all([target for target in targets if target not in kept]):
            outcomes.append(cleaned)
            if isinstance(cleaned, str):
                click.echo(printable(cleaned), err=True)
    _end(outcomes, results, strict=strict)


@dataclass(frozen=True)
class Output:
    """Where results go."""

    json_to: str | None
    append: Path | None
    as_csv: bool
    as_markdown: bool
    force: bool

    def __post_init__(self) -> None:
        if self.as_csv + self.as_markdown + (self.json_to == "-") > 1:
            raise UsageProblem(
                "one thing can be printed at a time",
                found="two of --csv, --markdown and --json -",
                fix="write the JSON to a file: --json result.json",
            )

    def refuse_what_cannot_be_written(self) -> None:
        """Look now: a result that cannot be written is minutes lost.

        Raises:
            DataError: the file to append to holds something else.
            OutputError: a file exists, or cannot be written.
        """
        from benchmarks.results.store import refuse_unappendable

        claim_outputs(
            {"--json": self.json_to, "--append": self.append},
            overwrite=self.force,
            shared=("--append",),
        )
        if self.append is not None:
            refuse_unappendable(self.append)

    def write(self, results: list[Any]) -> None:
        """Write and show what was measured."""
        from benchmarks.results.store import append_result, series
        from benchmarks.results.tables import to_csv, to_markdown

        if self.append is not None:
            for result in results:
                append_result(self.append, result)
        if self.json_to:
            documents = [result.to_json() for result in results]
            document = documents[0] if len(documents) == 1 else series(documents)
            write_json(document, self.json_to, overwrite=self.force)
        if self.as_csv:
            click.echo(to_csv(results), nl=False)
        elif self.as_markdown:
            click.echo("\n".join(map(to_markdown, results)), nl=False)
        elif self.json_to != "-":
            for result in results:
                _show(result)


def _refuse_contradictions(models: bool, targets: Any, *, attach: bool, clean: bool) -> None:
    """What does not go together, before anything is done."""
    if not models and not attach and not clean:
        raise missing("models")
    if models and attach:
        raise UsageProblem(
            "--attach fetches a measurement that was started before",
            found="models to measure",
            fix="leave the models out, or leave --attach out",
        )
    here = [target.name for target in targets if not target.device.addressed]
    if (attach or clean) and here:
        raise UsageProblem(
            "--attach and --clean are for devices that are elsewhere",
            found=f"--device {here[0]}",
            fix="for example --device your-name@raspberrypi.local",
        )


def _end(outcomes: list[Any], results: list[Any], *, strict: bool) -> None:
    """The last error is the command's; those before it are said."""
    from benchmarks.results.tables import problem_lines

    errors = [outcome for outcome in outcomes if isinstance(outcome, EdgeEffnetError)]
    for error in errors[:-1]:
        click.echo(f"error: {error}", err=True)
    if errors:
        raise errors[-1]
    problems = [line for result in results for line in problem_lines(result)]
    if strict and problems:
        raise LimitMissed(
            f"the measurement is not valid, for {len(problems)} "
            f"reason{'s' if len(problems) > 1 else ''}",
            found=problems[0].partition("; to fix")[0],
            fix="see the remarks above, then measure again",
        )


def _refuse_bad_input(spec: Any) -> None:
    """Look at models and data before the minutes that measuring takes, not after."""
    from edge_effnet.data.listing import load_images
    from edge_effnet.tflite.reader import read_structure

    for path in spec.models:
        read_structure(path)
    if spec.data is not None:
        print_data(load_images(spec.data, part="evaluation"))


def _show(result: Any) -> None:
    from benchmarks.results.tables import print_result
    from edge_effnet.ui.console import console, print_note

    for case in result.cases:
        print_note(case.notice)
    print_result(console(), result)
