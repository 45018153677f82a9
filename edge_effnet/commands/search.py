"""``edge-effnet search``: depth, width and resolution that suit your data."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edge_effnet.cluster.choice import ClusterChoice, cluster_choice
from edge_effnet.data.signs.option import named_source
from edge_effnet.errors import UsageProblem
from edge_effnet.search.config import CONFIG_FILE, SearchConfig
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.config_options import config_options
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.shown_commands import own_command
from edge_effnet.ui.stop import graceful_stop

if TYPE_CHECKING:
    from edge_effnet.search.outcome.result import SearchResult

_PATH = click.Path(path_type=Path)
_GROUPS = {
    "Images": ("--data", "--val"),
    "Cost of the networks": (
        *("--phi", "--budget-macs", "--budget-size", "--budget-memory", "--budget-latency-ms"),
    ),
    "Search": ("--grid", "--epochs", "--seeds", "--resolution", "--base-variant"),
    "Search folder and output": ("--out", "--resume", "--json", "--force"),
    "Advanced": (
        *("--finalists", "--batch-size", "--learning-rate", "--val-share", "--strict", "--seed"),
        *("--signs-train", "--signs-val", "--threads"),
    ),
    "Advanced, several machines": ("--cluster", "--workers"),
}


@click.command("search", cls=OptionsOnly, groups=_GROUPS)
@config_options(SearchConfig)
@click.option("--out", type=_PATH, metavar="DIR", help="Folder of the search.")
@click.option("--resume", type=_PATH, metavar="DIR", help="Go on with a search that was stopped.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Trainings at a time, one core each: fewer leave cores to other programs.  [default: all "
    "cores, as far as memory is free]",
)
@click.option(
    "--cluster",
    metavar="auto|ray://HOST:PORT|local:N",
    help="Where one machine is too slow: trainings on many workers through Ray; needs the extra "
    "'cluster'.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Where others use the cluster too: fewer trainings at a time.  [default: one per GPU; "
    "without GPUs one per core]",
)
@json_option
@force_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Find the compound coefficients that suit your data, as EfficientNet's paper did for ImageNet.

    Points of a grid of alpha (depth), beta (width) and gamma (resolution), with alpha · beta² ·
    gamma² near 2, are brought to equal cost and trained from random weights for a few epochs; the
    worse half is stopped early. The last ones are trained with several seeds and compared with B0's
    own coefficients on held-out images that nothing was chosen on. The folder gets found.json, a
    variant for train, prune and convert. Needs the extra 'train'.

    \b
    Examples:
      edge-effnet search --data photos/ --phi -4 --out searched
      edge-effnet search --data signs --budget-macs 10M --resolution 96 --out searched
      edge-effnet search --resume searched
      edge-effnet search --data /nfs/photos --out /nfs/searched --cluster ray://head:10001
    """
    given = {
        entry.name: options[entry.name]
        for entry in fields(SearchConfig)
        if context.get_parameter_source(entry.name) == ParameterSource.COMMANDLINE
    }
    if "data" in given:
        given["data"] = named_source(given["data"])
    choice = _cluster(options)
    folder, config = _resumed(options, given) if options["resume"] else _new(options, given)
    from edge_effnet.search.setup import RUN_FILES

    claim_outputs(
        {"--json": options["json_to"]}, overwrite=options["force"], besides={folder: RUN_FILES}
    )
    result = _search(folder, config, options, choice)
    if options["json_to"] is not None:
        from edge_effnet.search.outcome.result import result_json

        write_json(result_json(result), options["json_to"], overwrite=options["force"])
    if options["json_to"] != "-":
        from edge_effnet.search.outcome.report import print_search
        from edge_effnet.ui.console import console

        print_search(console(), result, folder)


def _new(options: dict[str, Any], given: dict[str, Any]) -> tuple[Path, SearchConfig]:
    for name, example in (("data", "--data photos/"), ("out", "--out searched")):
        if options[name] is None:
            raise UsageProblem(
                f"search needs --{name}",
                found="none",
                expected="a folder with one folder per class, a CSV file, or signs"
                if name == "data"
                else "a folder for the search",
                fix=f"for example: edge-effnet search {example}",
            )
    return options["out"], SearchConfig(**given)


def _resumed(options: dict[str, Any], given: dict[str, Any]) -> tuple[Path, SearchConfig]:
    folder: Path = options["resume"]
    if options["out"] is not None:
        raise UsageProblem(
            "--resume goes on in its own folder",
            found=f"--out {options['out']} too",
            fix="leave it out",
        )
    own = CONFIG_FILE.read(folder)
    asked = replace(own, **given)
    if asked != own:
        changed = [name for name in given if getattr(own, name) != getattr(asked, name)]
        raise UsageProblem(
            f"{folder} cannot be resumed with other settings",
            found=", ".join(
                f"{name.replace('_', '-')} was {getattr(own, name)!r}, now {given[name]!r}"
                for name in changed
            ),
            expected="those it was started with",
            fix="leave these options out, or start a new search in another --out",
        )
    return folder, own


def _cluster(options: dict[str, Any]) -> ClusterChoice | None:
    if options["cluster"] is None:
        if options["workers"] is not None:
            raise UsageProblem(
                "--workers is for --cluster",
                found=f"--workers {options['workers']} without it",
                fix="add --cluster auto or ray://HOST:10001, or give --threads",
            )
        return None
    if options["threads"] is not None:
        raise UsageProblem(
            "--threads is for this machine alone",
            found=f"--threads {options['threads']} and --cluster {options['cluster']}",
            fix="give --workers, or local:N",
        )
    return cluster_choice(options["cluster"], options["workers"])


def _search(
    folder: Path, config: SearchConfig, options: dict[str, Any], choice: ClusterChoice | None
) -> SearchResult:
    from edge_effnet.search.outcome.report import plan_lines
    from edge_effnet.search.run import Watcher, search
    from edge_effnet.search.workers.on_ray import ray_workers
    from edge_effnet.search.workers.processes import local_processes
    from edge_effnet.training.epochs import Callbacks, Interrupted
    from edge_effnet.ui.console import echo, print_note
    from edge_effnet.ui.progress import stages

    def tell(*lines: str) -> None:
        for line in lines:
            echo(line, err=True)

    workers = local_processes(options["threads"]) if choice is None else ray_workers(choice)
    with graceful_stop() as stop, stages() as stage, workers as pool:
        watcher = Watcher(
            Callbacks(say=print_note, stage=stage, stop=stop),
            planned=lambda plan: tell(*plan_lines(plan, pool.at_once)),
            trained=tell,
        )
        try:
            return search(
                config,
                folder,
                pool=pool,
                watcher=watcher,
                resume=options["resume"] is not None,
                overwrite=options["force"],
            )
        except Interrupted:
            print_note(f"stopped; go on with: {own_command()} search --resume {quote(str(folder))}")
            raise
