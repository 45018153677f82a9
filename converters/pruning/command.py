"""``edge-effnet prune``: take whole channels out of a network, and say whether it paid."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from converters.pruning.config import ALLOCATIONS, IMPORTANCES, RECOVERIES, PruneConfig
from edge_effnet.commands.image_options import refuse_bad_output
from edge_effnet.commands.options import force_option, json_option, parse_amount
from edge_effnet.errors import UsageProblem

if TYPE_CHECKING:
    from converters.pruning.cutting import Bench
    from edge_effnet.training.run import Watch

_PATH = click.Path(path_type=Path)
_RUNS = Path("runs")
TARGETS = ("macs", "params", "size", "latency")


@click.command("prune")
@click.option("--variant", metavar="NAME|FILE", help="b0…b7, lite0…4, v2-…, or a variant file.")
@click.option("--model", metavar="FILE", hidden=True)
@click.option(
    "--weights",
    default="auto",
    show_default=True,
    metavar="auto|imagenet|demo|FILE",
    help="As in convert: the newest checkpoint, else ImageNet, else the demo weights.",
)
@click.option("--data", metavar="DIR|CSV|signs", help="Pictures to recover with; labels or none.")
@click.option("--val", metavar="DIR|CSV", help="Pictures that judge.  [default: a share of --data]")
@click.option("--val-share", type=float, default=0.2, show_default=True, help="How large a share.")
@click.option("--target-macs", metavar="SHARE|N", help="Keep 0.7 of the multiply-adds, or 150M.")
@click.option("--target-params", metavar="SHARE|N", help="… of the parameters, or 3M.")
@click.option("--target-size", metavar="SHARE|N", help="… of the float file, or 12MB.")
@click.option(
    "--target-latency", metavar="MS", help="Such as 10ms: measured here, float, one core."
)
@click.option(
    "--unstructured",
    type=float,
    metavar="SHARE",
    help="Instead: so many single weights to zero. A smaller download, no faster.",
)
@click.option(
    "--block", type=int, default=1, show_default=True, help="With --unstructured: so many together."
)
@click.option(
    "--importance",
    type=click.Choice(IMPORTANCES),
    default="taylor",
    show_default=True,
    help="Which channels leave.",
)
@click.option(
    "--allocation",
    type=click.Choice(ALLOCATIONS),
    default="measured",
    show_default=True,
    help="Widths by measured sensitivity, or one share for all.",
)
@click.option(
    "--multiple",
    type=int,
    default=8,
    show_default=True,
    help="Of channels that stay; 16 for the Edge TPU.",
)
@click.option("--steps", type=int, default=2, show_default=True, help="Cuts, each recovered from.")
@click.option(
    "--recovery",
    type=click.Choice(RECOVERIES),
    default="teacher",
    show_default=True,
    help="Learn back from the whole network's answers (no labels), from labels, or both.",
)
@click.option("--epochs", type=int, default=10, show_default=True, help="Of recovery, in all.")
@click.option("--learning-rate", type=float, default=3e-4, show_default=True, help="At its peak.")
@click.option("--batch-size", type=int, default=32, show_default=True, help="Pictures per step.")
@click.option(
    "--pictures", type=int, default=256, show_default=True, help="That importance is measured on."
)
@click.option("--resolution", type=click.IntRange(16, 1024), help="Side of the input in pixels.")
@click.option("--sensitivity", is_flag=True, help="Measure every group, cut nothing.")
@click.option("--plot", type=_PATH, metavar="FILE.svg", help="With --sensitivity: as a picture.")
@click.option("--run", type=_PATH, help="Folder of the run.  [default: runs/NAME]")
@click.option("--runs", type=_PATH, default=_RUNS, show_default=True, help="Training runs.")
@click.option("--resume", type=_PATH, metavar="RUN", help="Go on with a run that was stopped.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of everything random.")
@click.option("--strict", is_flag=True, help="Refuse unreadable images instead of skipping them.")
@click.option("--threads", type=click.IntRange(1), help="Cores to use.  [default: all]")
@json_option
@force_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Take whole channels out of a network, recover, and measure what it brought.

    The result is a variant of its own, a row and its weights: it trains, converts and is costed
    like any other. Needs the extra 'train'.

    \b
    Examples:
      edge-effnet prune --variant v2-b0 --weights best.h5 --data photos/ --target-macs 0.7
      edge-effnet prune --variant b0 --data photos/ --target-latency 10ms --steps 3
      edge-effnet prune --variant b0 --weights demo --data signs --sensitivity --plot b0.svg
      edge-effnet prune --resume runs/v2-b0-macs70
    """
    from converters.pruning.config import read_config
    from converters.pruning.report import (
        missed,
        outcome_json,
        print_outcome,
        print_sparse,
        sparse_json,
    )
    from edge_effnet.commands.options import write_json

    refuse_bad_output(options["json_to"], overwrite=options["force"])
    if options["resume"] is not None:
        folder = options["resume"]
        config = read_config(folder)
        _refuse_other_settings(context, options)
    else:
        config = _config(options)
        if options["sensitivity"]:
            _sensitivity(config, options)
            return
        folder = options["run"] or _folder(config)
    outcome = _prune(config, folder, options)
    sparse = config.measure == "zeros"
    if options["json_to"] != "-":
        (print_sparse if sparse else print_outcome)(outcome)
    if options["json_to"]:
        document = (sparse_json if sparse else outcome_json)(outcome)
        write_json(document, options["json_to"], overwrite=options["force"])
    too_slow = None if sparse else missed(outcome)
    if too_slow:
        raise too_slow


def _config(options: dict[str, Any]) -> PruneConfig:
    from converters.pruning.chain import refuse_foreign

    refuse_foreign(options["model"])
    for name, example in (("variant", "--variant b0"), ("data", "--data photos/")):
        if options[name] is None:
            raise UsageProblem(
                f"prune needs {'a network' if name == 'variant' else 'pictures'}",
                found=f"no --{name}",
                fix=f"for example: edge-effnet prune {example} …",
            )
    asked = {name: options[f"target_{name}"] for name in TARGETS}
    given = [name for name, value in asked.items() if value is not None]
    if options["unstructured"] is not None and not given:
        return PruneConfig(measure="zeros", target=options["unstructured"], **_others(options))
    if len(given) != 1 and not (options["sensitivity"] and not given):
        raise UsageProblem(
            "prune takes one target",
            found=" and ".join(f"--target-{name}" for name in given) or "none",
            expected=", ".join(f"--target-{name}" for name in TARGETS) + " or --unstructured",
            fix="for example --target-macs 0.7: keep 70 % of the multiply-adds",
        )
    measure = given[0] if given else "macs"
    target = parse_target(measure, options[f"target_{measure}"]) if given else 0.5
    return PruneConfig(measure=measure, target=target, **_others(options))  # type: ignore[arg-type]


def _others(options: dict[str, Any]) -> dict[str, Any]:
    own = {entry.name for entry in fields(PruneConfig)} - {"measure", "target"}
    return {name: options[name] for name in own}


def parse_target(measure: str, text: str) -> float:
    """``0.7`` of what it is now, or an amount: ``150M``, ``12MB``, ``10ms``.

    Raises:
        UsageProblem: neither, or a latency without its unit.
    """
    option = f"--target-{measure}"
    if measure != "latency":
        return parse_amount(text, option)
    number = text.strip().lower().removesuffix("ms")
    try:
        value = float(number)
    except ValueError:
        value = 0.0
    if number == text.strip().lower() or not 0 < value < 1e6:
        raise UsageProblem(
            f"{option} is not understood",
            found=repr(text),
            expected="milliseconds",
            fix=f"for example {option} 10ms",
        )
    return value


def _refuse_other_settings(context: click.Context, options: dict[str, Any]) -> None:
    allowed = {"resume", "threads", "json_to", "force", "runs"}
    given = [
        name
        for name in options
        if name not in allowed and context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    ]
    if given:
        raise UsageProblem(
            "--resume goes on with the run's own settings",
            found=", ".join(f"--{name.replace('_', '-')}" for name in given),
            fix="leave these out, or start a new run",
        )


def _folder(config: PruneConfig) -> Path:
    from converters.pruning.run import final_name
    from edge_effnet.variant_files import find_variant

    return _RUNS / final_name(find_variant(config.variant), config)


@contextmanager
def watching() -> Iterator[Watch]:
    """Progress on stderr; Ctrl-C ends a run after the step in hand."""
    from edge_effnet.commands.stages import stages
    from edge_effnet.commands.train import polite_stop
    from edge_effnet.training.run import Watch

    with polite_stop() as stop, stages() as stage:
        advance: dict[int, Callable[[int], None]] = {}

        def on_step(done: int, total: int) -> None:
            if done == 1 or total not in advance:
                advance[total] = stage("recovering", total)
            advance[total](done)

        yield Watch(
            say=lambda line: click.echo(f"note: {line}", err=True),
            stage=stage,
            on_step=on_step,
            on_epoch=lambda row: click.echo(
                f"  epoch {row.epoch}: {100 * row.val_accuracy:.1f} %", err=True
            ),
            stop=stop,
        )


def _bench(config: PruneConfig, folder: Path, options: dict[str, Any], watch: Watch) -> Bench:
    from converters.pruning.cutting import open_bench
    from edge_effnet.network.backend import keras_module
    from edge_effnet.runtime.evaluation import available_cores
    from edge_effnet.variant_files import find_variant

    find_variant(config.variant)
    keras_module()  # says what to install before anything is read
    return open_bench(
        config,
        folder,
        runs=options["runs"],
        workers=options["threads"] or available_cores(),
        watch=watch,
    )


def _prune(config: PruneConfig, folder: Path, options: dict[str, Any]) -> Any:
    from converters.pruning.run import clear_run, prune, refuse_existing_run
    from converters.pruning.sparse_run import prune_weights
    from edge_effnet.training.loop import Interrupted

    if options["resume"] is None:
        refuse_existing_run(folder, overwrite=options["force"])
    with watching() as watch:
        bench = _bench(config, folder, options, watch)
        if options["resume"] is None:
            clear_run(folder)
        try:
            return prune_weights(bench) if config.measure == "zeros" else prune(bench)
        except Interrupted:
            watch.say(f"stopped; go on with: edge-effnet prune --resume {folder}")
            raise


def _sensitivity(config: PruneConfig, options: dict[str, Any]) -> None:
    from dataclasses import asdict

    from converters.pruning.cutting import measure
    from converters.pruning.plot import sensitivity_svg
    from converters.pruning.report import print_sensitivity
    from edge_effnet.commands.options import write_json
    from edge_effnet.files import refuse_existing, write_atomically

    plot = options["plot"]
    if plot is not None:
        refuse_existing(plot, overwrite=options["force"])
    with watching() as watch:
        bench = _bench(config, Path(), options, watch)
        _, points = measure(bench, bench.whole, everything=True)
    if options["json_to"] != "-":
        print_sensitivity(points)
    if plot is not None:
        title = f"{bench.whole.spec.name}: what narrowing one group costs"
        write_atomically(plot, sensitivity_svg(points, title).encode(), overwrite=options["force"])
        click.echo(f"plot: {plot}", err=True)
    if options["json_to"]:
        result = {
            "format": "edge-effnet sensitivity",
            "version": 1,
            "network": bench.whole.spec.name,
            "resolution": bench.side,
            "points": [asdict(point) for point in points],
        }
        write_json(result, options["json_to"], overwrite=options["force"])
