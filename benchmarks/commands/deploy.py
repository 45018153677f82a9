"""``edge-effnet deploy``: a model to a Raspberry Pi, in place of the one that is there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.missing import missing
from edge_effnet.ui.model_command import ModelCommand

if TYPE_CHECKING:
    from benchmarks.deploy.deploy import Deployed
    from benchmarks.ssh.places import Place


@click.command("deploy", cls=ModelCommand)
@click.argument("model", metavar="MODEL", required=False)
@click.argument("target", metavar="NAME@HOST[:PATH]", required=False)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR|CSV",
    help="Evaluate both files on these photos first, and refuse a proven loss.",
)
@click.option("--back", is_flag=True, help="Put back the file before: deploy --back NAME@HOST:PATH")
@click.option("--force", is_flag=True, help="Also a file that knows less or is proven worse.")
def command(
    model: str | None, target: str | None, data: Path | None, back: bool, force: bool
) -> None:
    """Copy MODEL to a Raspberry Pi, where it takes the place of the file at PATH.

    PATH begins in the home folder there and is MODEL's name unless you say otherwise. The file
    is copied beside it, read back and checked, and renamed, so that at every moment a whole
    file is there; the one before is kept as NAME.before-MOMENT.tflite. A camera that runs with
    --model PATH takes the new file over by itself.

    Refused without --force: a file that lacks classes of the one before, gives another kind of
    answer, or is proven worse, by --data, by photos that taught both, or by what both cards say
    of the same photos. A damaged file is always refused. The Pi needs SSH with SFTP, and nothing
    else.

    \b
    Examples:
      edge-effnet deploy mine.tflite your-name@raspberrypi.local
      edge-effnet deploy better.tflite your-name@raspberrypi.local:mine.tflite --data photos/
      edge-effnet deploy --back your-name@raspberrypi.local:mine.tflite
    """
    from benchmarks.deploy.deploy import deploy, put_back
    from benchmarks.ssh.places import parse_place
    from edge_effnet.ui.progress import stages

    if back:
        if data is not None:
            raise UsageProblem(
                "--back puts a file back that was there", found="--data", fix="omit --data"
            )
        if not (target or model):
            raise UsageProblem(
                "deploy --back needs a Raspberry Pi and the file there",
                found="no NAME@HOST:PATH",
                expected="your user name there, its address and the file",
                fix="for example: edge-effnet deploy --back "
                "your-name@raspberrypi.local:mine.tflite",
            )
        place = parse_place(target or model or "")
        path = place.path or (Path(model).name if model and target else None)
        if path is None:
            raise UsageProblem(
                "which file of the Pi is to be put back is not said",
                found=repr(target or model),
                expected="its path there, after a colon",
                fix="for example: edge-effnet deploy --back "
                f"{quote(place.with_path('mine.tflite'))}",
            )
        found = asyncio.run(put_back(place, path, force=force))
    else:
        if model is None or target is None:
            raise missing("model" if model is None else "target")
        place = parse_place(target)
        with stages() as stage:
            found = asyncio.run(deploy(Path(model), place, data, stage, force=force))
    _print_deployed(found, place, back=back, with_data=data is not None)


def _print_deployed(found: Deployed, place: Place, *, back: bool, with_data: bool) -> None:
    from edge_effnet.ui.console import echo, print_note
    from edge_effnet.ui.shown_commands import own_command

    host, named = place.address.host, quote(place.with_path(found.path))
    if found.unreadable:
        print_note(f"not compared: {found.unreadable}")
    elif found.evidence is not None:
        echo(found.evidence.line)
    elif (found.lacks or found.heads) and with_data:
        what = "lacks classes of" if found.lacks else "gives another kind of answer than"
        print_note(f"not compared on --data: it {what} the file there")
    elif found.kept and not (back or with_data or found.lacks or found.heads):
        print_note(
            "nothing here tells which of both files is more often right: --data DIR evaluates both "
            "on photos"
        )
    if found.same:
        echo(f"{found.path} on {host} is this file already; nothing was changed")
    else:
        echo(f"in place on {host}: {found.path}, SHA-256 {found.sha256[:16]}…")
    if found.kept:
        echo(
            f"the file before is kept as {found.kept}; back: {own_command()} deploy --back {named}"
        )
    if found.heads:
        print_note(
            f"it answers with a {found.heads[1]} head, the file before with a {found.heads[0]} "
            "head: a camera that runs goes on with the file before until it is started again"
        )
    elif found.lacks:
        print_note(
            f"it does not know {', '.join(map(repr, found.lacks[:3]))}: a camera that runs takes "
            "it over without them, unless --on, --pin or --save names one"
        )
    elif found.kept:
        echo(f"a camera that runs there with --model {found.path} takes it over by itself")
    echo(f"next: {place.ssh}, and there: edge-effnet camera --model {quote(found.path)}")
