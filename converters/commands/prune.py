"""``edge-effnet prune``: prune channels, fine-tune, and measure what it brought."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from converters.pruning.config import CONFIG_FILE, PruneConfig
from converters.pruning.progress import watching
from edge_effnet.errors import UsageProblem
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.config_options import config_options
from edge_effnet.ui.console import echo, print_note
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import Share
from edge_effnet.ui.shown_commands import own_command

if TYPE_CHECKING:
    from converters.pruning.context import PruningContext
    from edge_effnet.training.epochs import Callbacks

_PATH = click.Path(path_type=Path)


_RENAMED = {"--pictures": "--importance-images", "--recovery": "--fine-tune-on"}

_GROUPS = {
    "Network": ("--variant", "--weights"),
    "Target, one of these": ("--target-macs", "--target-latency", "--target-size"),
    "Images": ("--data", "--val"),
    "Run and output": ("--run", "--resume", "--json", "--force"),
    "Advanced, targets": (
        *("--target-params", "--sensitivity", "--plot", "--unstructured", "--block"),
    ),
    "Advanced, channels": (
        *("--multiple", "--steps", "--allocation", "--importance", "--importance-images"),
    ),
    "Advanced, fine-tuning": ("--epochs", "--fine-tune-on", "--learning-rate", "--batch-size"),
    "Advanced, images and run": (
        *("--val-share", "--resolution", "--strict", "--seed", "--runs", "--threads"),
    ),
}


@click.command("prune", cls=OptionsOnly, renamed=_RENAMED, groups=_GROUPS)
@click.option("--model", metavar="FILE", hidden=True)
@click.option(
    "--target-macs",
    metavar="SHARE|N",
    help="Keep at most 0.7 or 70% of the multiply-adds, or 150M; fewer where time would not fall "
    "as well.",
)
@click.option(
    "--target-params",
    metavar="SHARE|N",
    help="Where weights have to fit: keep at most this of the parameters, or 3M.",
)
@click.option(
    "--target-size", metavar="SHARE|N", help="Keep at most this of the float file's size, or 12MB."
)
@click.option(
    "--target-latency",
    metavar="MS",
    help="Latency at most, such as 10ms: measured here, float, one core.",
)
@click.option(
    "--unstructured",
    type=Share(low_open=True, high_open=True),
    metavar="SHARE",
    help="Where the compressed download alone counts: set this share of single weights to zero "
    "instead; no faster.",
)
@click.option(
    "--sensitivity",
    is_flag=True,
    help="To see which channels a network needs: measure every group, prune nothing.",
)
@click.option(
    "--plot", type=_PATH, metavar="FILE", help="Draw what --sensitivity measures: SVG or PNG."
)
@config_options(PruneConfig, leave_out=("measure", "target"))
@click.option("--run", type=_PATH, help="Folder of this run.  [default: runs/NAME]")
@click.option(
    "--runs",
    type=_PATH,
    default=Path("runs"),
    show_default=True,
    help="Where your runs lie, for a new one and for --weights auto.",
)
@click.option("--resume", type=_PATH, metavar="RUN", help="Go on with a run that was stopped.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Cores to use: fewer leave some to other programs.  [default: all]",
)
@json_option
@force_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Take channels out of a network, fine-tune it, and measure what it brought.

    The result is a variant of its own, with its weights: it trains, converts and is costed
    like any other. Needs the extra 'train'.

    \b
    Examples:
      edge-effnet prune --variant v2-b0 --weights best.h5 --data photos/ --target-macs 0.7
      edge-effnet prune --variant b0 --data photos/ --target-latency 10ms --steps 3
      edge-effnet prune --variant b0 --weights demo --data signs --sensitivity --plot b0.svg
      edge-effnet prune --resume runs/v2-b0-macs70
    """
    from converters.commands.prune_options import config_of, refuse_other_settings
    from converters.pruning.report import (
        missed,
        print_next,
        print_result,
        result_json,
    )
    from converters.pruning.run import final_name, run_files
    from converters.pruning.unstructured.report import print_sparsity, sparsity_json
    from edge_effnet.architecture.files import find_variant

    if options["resume"] is not None:
        refuse_other_settings(context)
        config = CONFIG_FILE.read(options["resume"])
    else:
        config = config_of(options)
    if options["sensitivity"]:
        _claim(options)
        _sensitivity(config, options)
        return
    name = final_name(find_variant(config.variant), config)
    folder, files = options["resume"] or options["run"] or options["runs"] / name, run_files(name)
    _claim(options, {folder: files})
    result = _prune(config, folder, files, options)
    sparse = config.measure == "zeros"
    if options["json_to"]:
        document = (sparsity_json if sparse else result_json)(result)
        write_json(document, options["json_to"], overwrite=options["force"])
    if options["json_to"] != "-":
        (print_sparsity if sparse else print_result)(result)
        print_next(result)
    too_slow = None if sparse else missed(result)
    if too_slow:
        raise too_slow


def _claim(options: dict[str, Any], besides: dict[Path, tuple[str, ...]] | None = None) -> None:
    outputs = {"--json": options["json_to"], "--plot": options["plot"]}
    claim_outputs(outputs, overwrite=options["force"], besides=besides)


def _context(
    config: PruneConfig, folder: Path, options: dict[str, Any], callbacks: Callbacks
) -> PruningContext:
    from converters.pruning.context import open_context
    from edge_effnet.architecture.files import find_variant
    from edge_effnet.network.backend import keras_module
    from edge_effnet.system.cores import available_cores

    find_variant(config.variant)
    keras_module()  # says what to install before anything is read
    return open_context(
        config,
        folder,
        runs=options["runs"],
        workers=options["threads"] or available_cores(),
        callbacks=callbacks,
    )


def _prune(
    config: PruneConfig, folder: Path, files: tuple[str, ...], options: dict[str, Any]
) -> Any:
    from converters.pruning.run import prune
    from converters.pruning.unstructured.run import prune_weights
    from edge_effnet.files.locks import locked_run
    from edge_effnet.runs import clear_run, refuse_existing_run
    from edge_effnet.training.epochs import Interrupted

    with locked_run(folder), watching() as callbacks:
        if options["resume"] is None:
            own = CONFIG_FILE.stands_in(folder)
            refuse_existing_run(folder, files, own=own, overwrite=options["force"])
        context = _context(config, folder, options, callbacks)
        if options["resume"] is None:
            clear_run(folder, files, Path(config.weights))
        try:
            return prune_weights(context) if config.measure == "zeros" else prune(context)
        except Interrupted:
            if (folder / CONFIG_FILE.name).exists():
                callbacks.say(
                    f"stopped; go on with: {own_command()} prune --resume {quote(str(folder))}"
                )
            raise


def _sensitivity(config: PruneConfig, options: dict[str, Any]) -> None:
    from dataclasses import asdict

    from converters.pruning.report import print_sensitivity
    from converters.pruning.selection.sensitivity_plot import sensitivity_plot
    from converters.pruning.step import measure
    from edge_effnet.files.write import write_atomically
    from edge_effnet.plots import missing_extra
    from edge_effnet.training.epochs import Callbacks
    from edge_effnet.ui.progress import stages

    plot = options["plot"]
    if plot is not None and (missing := missing_extra()):
        raise missing
    with stages() as stage:  # nothing is stored, so Ctrl-C ends it at once
        context = _context(config, Path(), options, Callbacks(say=print_note, stage=stage))
        _, points = measure(context, context.original, everything=True)
    if not points:
        raise UsageProblem(
            f"no group of {context.original.spec.name} can be narrowed",
            found=f"none with more than --multiple {config.multiple} channels",
            fix="give a smaller --multiple",
        )
    if options["json_to"] != "-":
        print_sensitivity(points)
    if plot is not None:
        title = f"{context.original.spec.name}: what narrowing one group costs"
        write_atomically(
            plot, sensitivity_plot(points, title, plot.suffix), overwrite=options["force"]
        )
        echo(f"plot: {plot}", err=True)
    if options["json_to"]:
        result = {
            "format": "edge-effnet sensitivity",
            "version": 1,
            "network": context.original.spec.name,
            "resolution": context.side,
            "points": [asdict(point) for point in points],
        }
        write_json(result, options["json_to"], overwrite=options["force"])
