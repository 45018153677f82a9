"""``edge-effnet train``: fine-tune a network on your photos, or train one from scratch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from edge_effnet.cluster.choice import ClusterChoice, cluster_choice
from edge_effnet.data.signs.option import named_source
from edge_effnet.errors import UsageProblem
from edge_effnet.training.cluster.members import VARIABLE, Member, member_from_environment
from edge_effnet.training.config import CONFIG_FILE, TrainConfig
from edge_effnet.ui.command_classes import OptionsOnly
from edge_effnet.ui.config_options import config_options
from edge_effnet.ui.console import print_note
from edge_effnet.ui.options import cluster_option, force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.shown_commands import own_command
from edge_effnet.ui.stop import graceful_stop

if TYPE_CHECKING:
    from edge_effnet.stages import OnProgress, StartStage
    from edge_effnet.training.cluster.group import Group
    from edge_effnet.training.run_folder.result import TrainingResult
    from edge_effnet.training.run_folder.trainer_state import EpochRow

_PATH = click.Path(path_type=Path)
_RUNS = Path("runs")
_GROUPS = {
    "Images": ("--data", "--val"),
    "Network": ("--variant", "--weights", "--from", "--resolution"),
    "Training": ("--epochs",),
    "Run and output": ("--run", "--resume", "--json", "--force"),
    "Advanced, learning": (
        *("--batch-size", "--learning-rate", "--class-weights", "--patience", "--learn-head"),
        *("--batch-norm", "--optimizer", "--weight-decay", "--warmup-epochs"),
        *("--label-smoothing", "--dropout", "--drop-connect", "--ema", "--progressive"),
    ),
    "Advanced, a teacher": ("--teacher", "--unlabelled", "--teacher-share", "--temperature"),
    "Advanced, augmentation": ("--augment", "--flip", "--min-crop", "--mixup", "--cutmix"),
    "Advanced, images": ("--val-share", "--strict", "--seed", "--signs-train", "--signs-val"),
    "Advanced, run": ("--config", "--save-every", "--half", "--mixed-precision", "--threads"),
    "Advanced, several machines": ("--cluster", "--workers"),
}


@click.command("train", cls=OptionsOnly, groups=_GROUPS)
@config_options(TrainConfig)
@click.option("--run", type=_PATH, help="Folder of the run.  [default: runs/VARIANT-DATA]")
@click.option(
    "--config",
    "config_file",
    type=_PATH,
    help="To train as another run did: take the config in its folder.",
)
@click.option("--resume", type=_PATH, metavar="RUN", help="Go on with a run that was stopped.")
@click.option(
    "--save-every",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="Where epochs are long and power may fail: save the state this often inside one.",
)
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Threads that load images: fewer leave cores to other programs.  [default: all cores]",
)
@cluster_option(
    "Where one machine or one GPU is too slow: several workers through Ray; needs the extra "
    "'cluster'."
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Where others use the cluster too: fewer workers than it has room for.  [default: one per "
    "GPU; without GPUs one per machine]",
)
@json_option
@force_option
@click.pass_context
def command(context: click.Context, /, **options: Any) -> None:
    """Train a network on your photos; needs the extra 'train'.

    The classifier is learned first, on features computed once, then the whole network. The run
    folder gets best.h5 (what 'convert --weights auto' finds), last.state (for --resume),
    config.json, history.csv and curves.png.

    With --from a run goes on where another one ended, with more images and new classes: those that
    it held out stay held out, and at the end both networks are compared on them.

    With --teacher a small network learns from the scores of a large one beside the labels, and from
    images without labels (--unlabelled).

    With --cluster several workers make the run of one machine. Where TF_CONFIG names workers, as
    Kubeflow and others set it, each of them is started with the same command, without --cluster.

    \b
    Examples:
      edge-effnet train --data photos/ --variant b0
      edge-effnet train --data photos/ --variant v2-b0 --resolution 160 --epochs 5
      edge-effnet train --data signs --variant b0 --weights random --resolution 96
      edge-effnet train --resume runs/b0-photos
      edge-effnet train --data photos/ --from runs/b0-photos
      edge-effnet train --data photos/ --variant small.json --teacher runs/b0-photos
      edge-effnet train --data /nfs/photos --run /nfs/runs/b0 --cluster ray://head:10001
      edge-effnet train --data photos/ --cluster local:2
    """
    from edge_effnet.training.run_folder.files import RUN_FILES

    given = {
        entry.name: options[entry.name]
        for entry in fields(TrainConfig)
        if context.get_parameter_source(entry.name) == ParameterSource.COMMANDLINE
    }
    if options["resume"] is not None:
        for name in ("run", "config_file"):
            if options[name] is not None:
                raise UsageProblem(
                    "--resume goes on in its own folder with its own config",
                    found=f"--{name.removesuffix('_file')} too",
                    fix="leave it out",
                )
        folder = options["resume"]
        config = replace(CONFIG_FILE.read(folder), **given)  # a difference is refused later
    else:
        config = _new_config(given, options["config_file"])
        folder = options["run"] or _free_folder(config)
    choice, member = _workers(options)
    if member is not None and member.index > 0:
        _train(folder, config, options, choice, member)
        return
    claim_outputs(
        {"--json": options["json_to"]}, overwrite=options["force"], besides={folder: RUN_FILES}
    )
    result = _train(folder, config, options, choice, member)
    if options["json_to"] is not None:
        write_json(_to_json(result), options["json_to"], overwrite=options["force"])
    if options["json_to"] != "-":
        from edge_effnet.ui.reports.training import print_run

        print_run(result)


def _new_config(given: dict[str, Any], config_file: Path | None) -> TrainConfig:
    if "data" in given:
        given["data"] = named_source(given["data"])
    if "previous" in given:
        if config_file is not None:
            raise UsageProblem(
                "--from takes the config of its run",
                found=f"--config {config_file} too",
                fix="leave one of the two out",
            )
        from edge_effnet.training.follow_up import follow_up_config

        return follow_up_config(given)
    if config_file is not None:
        return replace(CONFIG_FILE.read(config_file), **given)
    if "data" not in given:
        raise UsageProblem(
            "train needs images",
            found="no --data",
            expected="a folder with one folder per class, a CSV file, or signs",
            fix="for example: edge-effnet train --data photos/ --variant b0",
        )
    return TrainConfig(**given)


def _free_folder(config: TrainConfig) -> Path:
    """runs/VARIANT-DATA, or with the next number that is free."""
    stem = f"{Path(config.variant).stem}-{Path(config.data).resolve().stem}"
    for number in range(1, 10_000):
        folder = _RUNS / (stem if number == 1 else f"{stem}-{number}")
        if not folder.exists():
            return folder
    raise UsageProblem(f"{_RUNS} is full of runs called {stem}", fix="give --run runs/NAME")


def _workers(options: dict[str, Any]) -> tuple[ClusterChoice | None, Member | None]:
    """What --cluster or TF_CONFIG say about other workers."""
    member = member_from_environment()
    if options["cluster"] is None:
        if options["workers"] is not None:
            raise UsageProblem(
                "--workers is for --cluster",
                found=f"--workers {options['workers']} without it",
                fix="add --cluster auto or ray://HOST:10001; --threads says how many load images",
            )
        return None, member
    if member is not None:
        raise UsageProblem(
            f"--cluster starts workers, and {VARIABLE} says that they are started already",
            found=f"--cluster {options['cluster']} with {VARIABLE} of {member.count} workers",
            fix=f"leave --cluster out, or unset {VARIABLE}",
        )
    return cluster_choice(options["cluster"], options["workers"]), None


def _train(
    folder: Path,
    config: TrainConfig,
    options: dict[str, Any],
    choice: ClusterChoice | None,
    member: Member | None,
) -> TrainingResult:
    from edge_effnet.network.backend import keras_module
    from edge_effnet.runs import refuse_existing_run
    from edge_effnet.system.cores import available_cores
    from edge_effnet.training.epochs import Callbacks, Interrupted
    from edge_effnet.training.run_folder.files import RUN_FILES
    from edge_effnet.training.trainer import resume, train, train_or_resume
    from edge_effnet.ui.progress import stages

    resuming = options["resume"] is not None
    if not resuming and member is None:
        own = CONFIG_FILE.stands_in(folder)
        refuse_existing_run(folder, RUN_FILES, own=own, overwrite=options["force"])
    keras_module()  # says what to install before anything is read
    common: dict[str, Any] = {
        "workers": options["threads"] or available_cores(),
        "save_every_seconds": 60 * options["save_every"],
    }
    if member is not None:
        common["group"] = _join(member)
    with graceful_stop() as stop, stages() as stage:
        callbacks = Callbacks(
            say=print_note,
            stage=stage,
            on_step=_step_counter(stage),
            on_epoch=lambda row: click.echo(_line(row, config), err=True),
            stop=stop,
        )
        if member is not None and member.index > 0:
            callbacks = Callbacks(stop=stop)
        try:
            if choice is not None:
                from edge_effnet.training.cluster.engine import train_on_ray

                return train_on_ray(
                    choice,
                    config,
                    folder,
                    resuming=resuming,
                    overwrite=options["force"],
                    threads=options["threads"],
                    save_every_seconds=common["save_every_seconds"],
                    callbacks=callbacks,
                )
            if resuming:
                return resume(folder, config=config, callbacks=callbacks, **common)
            begin = train if member is None else train_or_resume
            return begin(config, folder, callbacks=callbacks, overwrite=options["force"], **common)
        except Interrupted:
            print_note(f"stopped; go on with: {own_command()} train --resume {quote(str(folder))}")
            raise


def _join(member: Member) -> Group:
    from edge_effnet.training.cluster.rendezvous import meet
    from edge_effnet.training.steps.step import join_group

    chief = member.addresses[0]
    print_note(
        f"worker {member.index} of {member.count}: "
        + ("the chief; waiting for the others" if member.index == 0 else f"the chief is {chief}")
    )
    meet(member)
    return join_group(member)


def _step_counter(stage: StartStage) -> OnProgress:
    """One bar over all steps, with the time left; it begins with the first step."""
    advance: Callable[[int], None] | None = None

    def on_step(done: int, total: int) -> None:
        nonlocal advance
        advance = advance or stage("training", total)
        advance(done)

    return on_step


def _line(row: EpochRow, config: TrainConfig) -> str:
    if row.epoch == 0:
        return f"classifier alone: {row.right_text}, loss {row.val_loss:.3f}"
    return (
        f"epoch {row.epoch}/{config.chosen_epochs}: {row.right_text}, loss {row.val_loss:.3f}; "
        f"in training {100 * (row.accuracy or 0):.1f} %, loss {row.loss:.3f}; {row.seconds:.0f} s"
    )


def _to_json(result: TrainingResult) -> dict[str, Any]:
    return {
        "run": str(result.folder),
        "checkpoint": str(result.checkpoint),
        "config": result.config.to_json(),
        "resolution": result.resolution,
        "labels": list(result.labels),
        "history": [asdict(row) for row in result.rows],
        "best": asdict(result.best),
        "stopped_early": result.stopped_early,
        "skipped": [{"file": str(image.path), "reason": image.reason} for image in result.skipped],
        "left_out": list(result.left_out),
        "teacher": result.teacher,
        "before": result.against.to_json("run") if result.against else None,
    }
