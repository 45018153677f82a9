"""``edge-effnet collect``: the photos that a camera kept on a Pi."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from shlex import quote
from typing import TYPE_CHECKING

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted, plural
from edge_effnet.ui.command_classes import SuggestingGroup

if TYPE_CHECKING:
    from benchmarks.collected.pull import Pulled

_SHOWN = 3


@click.group(cls=SuggestingGroup)
def command() -> None:
    """The photos that `camera --collect DIR` keeps on a Raspberry Pi.

    \b
    Examples:
      edge-effnet collect pull your-name@raspberrypi.local:kept
      edge-effnet collect pull your-name@raspberrypi.local:kept photos-of-the-garden
    """


@command.command("pull")
@click.argument("source", metavar="NAME@HOST[:DIR]")
@click.argument(
    "folder", metavar="[LOCAL]", type=click.Path(path_type=Path, file_okay=False), required=False
)
def pull_command(source: str, folder: Path | None) -> None:
    """Fetch what `camera --collect DIR` kept on a Pi into LOCAL, a folder of the same layout.

    Only what is not there yet is fetched, and the camera may go on meanwhile. DIR begins in the
    home folder there; LOCAL is named like it unless you say otherwise, and the other way round.
    A port goes between host and folder: NAME@HOST:2222:DIR. Your SSH configuration, keys and known
    hosts are used, as bench --device does.

    A photo that was put into another class on the Pi since the last pull is moved here as well;
    one that you moved here stays where you put it, and one that you took away stays away.

    \b
    Examples:
      edge-effnet collect pull your-name@raspberrypi.local:kept
      edge-effnet collect pull your-name@10.0.0.7:cameras/kept kept
      edge-effnet teach kept/photos --out better.tflite
    """
    from benchmarks.collected.pull import pull
    from benchmarks.ssh.places import parse_place
    from benchmarks.ssh.running import run_connected
    from edge_effnet.ui.progress import stages

    place = parse_place(source)
    path = place.path or (folder.name if folder else None)
    if not path:
        raise UsageProblem(
            "which folder of the Pi is not said",
            found=repr(source),
            expected="the folder behind camera --collect there, after a colon",
            fix=f"for example: edge-effnet collect pull {quote(place.with_path('kept'))}",
        )
    local = folder or Path(PurePosixPath(path).name)
    with stages() as stage:
        pulled = run_connected(pull(place, path, local, stage))
    _print_pulled(pulled, place.with_path(path), local)


def _print_pulled(pulled: Pulled, source: str, folder: Path) -> None:
    from edge_effnet.camera.collecting.layout import LINES, PHOTOS, TO_LABEL
    from edge_effnet.ui.console import console, echo, megabytes, print_note
    from edge_effnet.ui.shown_commands import own_command
    from edge_effnet.ui.tables import name_text, table

    plan, count, size = pulled.plan, sum(pulled.files.values()), sum(pulled.sizes.values())
    here = len(plan.here)
    if count:
        rows = table(str(folder), "photos", "size")
        for place in sorted(pulled.files):
            rows.add_row(name_text(place), str(pulled.files[place]), megabytes(pulled.sizes[place]))
        console().print(rows)
    echo(
        f"fetched {_photos(count)} ({megabytes(size) if size else '0 MB'}) and {pulled.lines} "
        f"lines of {LINES} from {source} into {folder}; {here} {plural(here, 'was', 'were')} here "
        "already"
    )
    for ours, photo in plan.move[:_SHOWN]:
        echo(f"moved as on the Pi: {ours} to {photo.path}")
    if len(plan.move) > _SHOWN:
        echo(f"and {len(plan.move) - _SHOWN} more")
    for line in _notes(pulled, folder):
        print_note(line)
    if any(folder.glob(f"{PHOTOS}/*/*.jpg")):
        echo(f"next: {own_command()} teach {quote(str(folder / PHOTOS))} --out better.tflite")
    elif any(folder.glob(f"{TO_LABEL}/*.jpg")):
        echo(f"next: sort {folder / TO_LABEL} into class folders, {folder / PHOTOS}/CLASS/")


def _notes(pulled: Pulled, folder: Path) -> list[str]:
    """What the user should know of what was not done."""
    from benchmarks.collected.record import NAME

    plan = pulled.plan
    found = [
        (
            [f"{ours} here, {photo.path} there" for ours, photo in plan.both],
            "put into other classes here and on the Pi; they stay as they are here",
        ),
        (list(plan.twice), "in two classes on the Pi; not fetched: remove one of each there"),
        (
            [photo.path for photo in plan.other],
            "not fetched, for another one of that name is here: pull each Pi into its own folder",
        ),
        (
            [photo.path for photo in plan.taken_away],
            f"taken away here, and not fetched again; all come if you remove {folder / NAME}",
        ),
    ]
    lines = [f"{_photos(len(names))} {what} ({_some(names)})" for names, what in found if names]
    if pulled.left:
        lines.append(
            f"left on the Pi, for camera --collect keeps no such files: {_some(pulled.left)}"
        )
    if pulled.gone:
        lines.append(f"{_photos(pulled.gone)} moved or changed on the Pi meanwhile: pull again")
    return lines


def _photos(count: int) -> str:
    return counted(count, "photo")


def _some(names: Sequence[str]) -> str:
    return "; ".join(names[:_SHOWN]) + (f"; and {len(names) - _SHOWN} more" * (len(names) > _SHOWN))
