"""``edge-effnet create``: from photos to files for a board, in one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.boards.table import BOARD_NAMES
from edge_effnet.ui.command_classes import GroupedCommand
from edge_effnet.ui.options import (
    output_options,
    seed_option,
    strict_option,
    threads_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import OneOf

if TYPE_CHECKING:
    from edge_effnet.boards.table import Board
    from edge_effnet.create.fine_tuning import FineTuned
    from edge_effnet.create.network import Network
    from edge_effnet.create.result import Result
    from edge_effnet.errors import OutputError
    from edge_effnet.teaching.with_float import TaughtPair


_TUNE = "this command with --fine-tune --resume, on a computer"

_GROUPS = {
    "Options": ("--for", "--fps", "--out", "--fine-tune", "--resume", "--json", "--force"),
    "Advanced": ("--strict", "--seed", "--threads"),
}


@click.command("create", cls=GroupedCommand, groups=_GROUPS)
@click.argument("photos", metavar="PHOTOS", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "board_name",
    type=OneOf(BOARD_NAMES),
    metavar="BOARD",
    help=f"The board that runs it: {', '.join(BOARD_NAMES)} (the machine this runs on).  "
    "[default: this on a Raspberry Pi, else pi4]",
)
@click.option(
    "--fps",
    type=click.FloatRange(min=0, min_open=True),
    default=10.0,
    show_default=True,
    metavar="N",
    help="Answers a second that the board is to give.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Folder for the files.  [default: PHOTOS-BOARD]",
)
@click.option(
    "--fine-tune",
    "tune",
    is_flag=True,
    help="Also train the whole network (minutes to hours; needs the extra 'train'), and take it "
    "if it is right more often.",
)
@click.option(
    "--resume", is_flag=True, help="Go on with what an interrupted call left in the folder."
)
@seed_option
@output_options
@strict_option
@threads_option
def command(
    photos: Path,
    board_name: str | None,
    fps: float,
    out: Path | None,
    tune: bool,
    resume: bool,
    seed: int,
    json_to: str | None,
    force: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Make an int8 network that knows the classes of PHOTOS, a folder with a folder for each.

    It looks at the photos, takes a network that fits the board, teaches it the classes in seconds
    (as the command teach does), in int8 and in float, and says how often it is right on photos
    that it had not learned from, and what int8 costs. The last lines are the commands that copy
    it to the board and run it on its camera.

    With --fine-tune the whole network is trained as well, as train and convert do.

    \b
    Examples:
      edge-effnet create photos/
      edge-effnet create photos/ --for pi5 --out birds
      edge-effnet create photos/ --for pizero2 --fine-tune
    """
    from edge_effnet.create.document import creation_json
    from edge_effnet.create.fine_tuning import plan_line
    from edge_effnet.create.network import choose_network
    from edge_effnet.create.photos import photo_lines, suspects_of, wrong_label_lines
    from edge_effnet.create.result import Result
    from edge_effnet.data.listing import load_dataset
    from edge_effnet.errors import DataError
    from edge_effnet.teaching.with_float import teach_pair
    from edge_effnet.ui.console import echo, print_note
    from edge_effnet.ui.progress import stages
    from edge_effnet.ui.reports.evaluation_set import print_data
    from edge_effnet.ui.reports.teaching import fine_tuning, notes, warnings
    from edge_effnet.ui.shown_commands import commands_as_called

    board = _board(board_name)
    dataset = load_dataset(photos, part="training")
    folder = out or Path(f"{photos.resolve().stem}-{board.name}")
    small, reference = (folder / f"taught-{kind}.tflite" for kind in ("int8", "float32"))
    if tune and not force and not resume and small.is_file():
        raise _made_before(folder)
    claim_outputs({"--json": json_to, "--out": [small, reference]}, overwrite=force or resume)
    shown = json_to != "-"

    def say(line: str) -> None:
        echo(line, err=not shown)

    print_data(dataset)
    with stages() as stage:
        network = choose_network(board, fps, stage)
        for line in network.lines():
            say(commands_as_called(line))
        pair = teach_pair(
            dataset,
            network.small,
            network.reference,
            name="taught",
            seed=seed,
            stage=stage,
            workers=threads,
        )
        if strict and pair.small.collection.skipped:
            image = pair.small.collection.skipped[0]
            raise DataError(
                f"{image.path} cannot be read",
                found=image.reason,
                fix="replace it, or omit --strict",
            )
        suspects = suspects_of(pair.small, dataset, stage)
        made = _write(pair, small, reference, board)
        for line in (*photo_lines(pair.small, suspects), *warnings(pair.small)):
            print_note(line)
        for line in wrong_label_lines(suspects):
            echo(line, err=True)
        for line in notes(pair.small, "as --fine-tune does" if tune else _TUNE):
            say(line)
        result = Result(
            made,
            reference if pair.reference else None,
            pair.small.predictions,
            pair.comparison,
        )
        tuned = None
        if tune:
            _say_result(result, say)
            say(plan_line(len(dataset)))
            tuned = _fine_tuned(photos, folder, network, pair, stage, seed=seed, resume=resume)
            result = _better(result, tuned)
    if json_to is not None:
        document = creation_json(photos, network, pair, suspects, tuned, result)
        write_json(document, json_to, overwrite=force or resume)
    _say_end(result, tuned.lines((small, reference)) if tuned else [], board, say)
    if not tune and fine_tuning(pair.small) == "likely":
        say("more accurate, likely: the same command with --fine-tune --resume, on a computer")


def _made_before(folder: Path) -> OutputError:
    from edge_effnet.errors import OutputError

    return OutputError(
        f"{folder} holds what an earlier call made",
        found=", ".join(path.name for path in sorted(folder.glob("taught-*.tflite"))),
        fix="add --resume, which fine-tunes besides or goes on with it; or --force to begin anew, "
        "or --out for another folder",
    )


def _board(name: str | None) -> Board:
    from edge_effnet.boards.find import find_board
    from edge_effnet.boards.table import THIS
    from edge_effnet.measure.environment import read_environment

    if name is None:
        name = THIS if read_environment().raspberry_pi else "pi4"
    return find_board(name)


def _write(pair: TaughtPair, small: Path, reference: Path, board: Board) -> Path:
    """Write both files; answers with the one that the board runs."""
    from edge_effnet.artifact import artifact_bytes
    from edge_effnet.files.write import write_together
    from edge_effnet.plugins import PARTS, load
    from edge_effnet.ui.console import print_note

    files = {small: artifact_bytes(pair.small.model, pair.small.card)[0]}
    if pair.reference is not None:
        files[reference] = artifact_bytes(pair.reference.model, pair.reference.card)[0]
    write_together(files, overwrite=True)
    if not board.accelerator:
        return small
    outcome = load(PARTS["create --for coral"])(small)
    if outcome.refused is not None:
        raise outcome.refused
    if outcome.compiled is None:
        print_note(
            "not compiled for the Edge TPU, edgetpu_compiler is not on PATH: on x86-64 Linux with "
            f"it, edgetpu_compiler {small}; until then the file runs on the CPU"
        )
        return small
    return Path(outcome.compiled)


def _fine_tuned(
    photos: Path,
    folder: Path,
    network: Network,
    pair: TaughtPair,
    stage: Any,
    *,
    seed: int,
    resume: bool,
) -> FineTuned:
    from edge_effnet.create.fine_tuning import fine_tune

    accelerator = network.recommended.board.accelerator
    return fine_tune(
        photos,
        folder,
        network.variant,
        "edgetpu" if accelerator else "int8",
        pair.small,
        stage,
        seed=seed,
        resume=resume,
    )


def _better(taught: Result, tuned: FineTuned) -> Result:
    """The file that was right more often on the photos that were held out from training."""
    from edge_effnet.create.result import Result

    if not tuned.is_better:
        return taught
    found = tuned.comparison
    return Result(tuned.small, tuned.reference, found.candidate_predictions, found, tuned=True)


def _say_result(result: Result, say: Any) -> None:
    from edge_effnet.create.result import sentence

    say(f"taught: {sentence(result)}")


def _say_end(result: Result, fine_tuning: list[str], board: Board, say: Any) -> None:
    from edge_effnet.create.result import PI, commands, how_measured, mistakes, sentence
    from edge_effnet.ui.shown_commands import PAGE

    say("")
    say(sentence(result))
    if result.predictions is not None:
        say(how_measured(result))
    if line := mistakes(result):
        say(line)
    for line in fine_tuning:
        say(line)
    say("")
    lines = commands(result, board)
    for what, line in lines.items():
        say(f"  {what}:  {line}")
    if PI in lines["run"]:
        say(f"  ({PI.partition('@')[0]} is the user that you made there; the page: http://{PAGE})")
