"""``edge-effnet push``: models and photos to a Raspberry Pi, and what runs them there."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.plurals import counted, plural

if TYPE_CHECKING:
    from benchmarks.push.gathering import Gathered, Item
    from benchmarks.push.push import Pushed
    from benchmarks.ssh.places import Place

_PATH = click.Path(path_type=Path)
_SHOWN = 3


@click.command("push")
@click.argument("target", metavar="NAME@HOST")
@click.argument("sources", metavar="FILE_OR_FOLDER...", nargs=-1, required=True, type=_PATH)
@click.option("--to", metavar="FOLDER", help="Where they go there  [default: the home folder]")
@click.option(
    "--wheels",
    type=_PATH,
    metavar="DIR",
    help="For a Pi without internet: a folder of the packages for it, which pip download fills "
    "here (see above).",
)
@click.option("--force", is_flag=True, help="Replace what is there and differs, edge-effnet too.")
def command(
    target: str, sources: tuple[Path, ...], to: str | None, wheels: Path | None, force: bool
) -> None:
    """Copy models and photos to a Raspberry Pi, and install edge-effnet there if it is missing.

    NAME is your user name there; a port goes behind the host: NAME@HOST:2222. Models (.tflite) are
    checked here first. Of folders, their models, photos and label files are copied, and only
    those that are not there yet; after a lost link the same command goes on. A model that is there
    and differs is not replaced: that is what deploy is for.

    edge-effnet comes into a virtual environment there, ~/effnet. The Pi needs SSH, Python 3.11 and
    python3-venv, and internet for the packages. At the end stands the command to run there.

    \b
    Examples:
      edge-effnet push your-name@raspberrypi.local b0-int8.tflite
      edge-effnet push your-name@raspberrypi.local models/b0-*.tflite photos/ --to birds

    \b
    A 64-bit Pi without internet (Trixie; for Bookworm see the guide):
      pip download -d wheels --only-binary=:all: --python-version 3.13 \\
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \\
        click rich cattrs flatbuffers numpy opencv-python-headless ai-edge-litert
      edge-effnet push your-name@raspberrypi.local b0-int8.tflite --wheels wheels
    """
    from benchmarks.push.gathering import gather
    from benchmarks.push.push import push
    from benchmarks.ssh.places import parse_place, plain_path
    from benchmarks.ssh.running import run_connected
    from edge_effnet.ui.progress import stages

    _refuse_order(target, sources)
    place = parse_place(target)
    if place.path:
        raise UsageProblem(
            "the Pi is not understood",
            found=f"{place.path!r} behind the host",
            expected="NAME@HOST, or NAME@HOST:PORT",
            fix=f"if it is a folder there, name it with --to {quote(to or place.path)}",
        )
    folder = posixpath.normpath(plain_path(to or "") or ".")
    folder = "" if folder == "." else folder
    with stages() as stage:
        listed = stage("checking and listing", None)
        gathered = gather(sources, folder)
        listed(1)
        _print_gathered(gathered)
        pushed = run_connected(
            push(
                place.address,
                place.named,
                gathered,
                folder,
                stage,
                wheels=wheels,
                force=force,
            )
        )
    _print_pushed(pushed, gathered, place)


def _refuse_order(target: str, sources: Sequence[Path]) -> None:
    if Path(target).exists() and "@" in str(sources[-1]):
        names = " ".join(quote(str(one)) for one in (sources[-1], target, *sources[:-1]))
        raise UsageProblem(
            "the Raspberry Pi comes first", found=repr(target), fix=f"edge-effnet push {names}"
        )


def _print_gathered(gathered: Gathered) -> None:
    from edge_effnet.ui.console import echo, megabytes, print_note

    said = []
    for kind, word in (("model", "model"), ("photo", "photo"), ("text", "label file")):
        found = [item for item in gathered.items if item.kind == kind]
        if found:
            size = megabytes(sum(item.size for item in found))
            said.append(f"{counted(len(found), word)} ({size})")
    echo("here: " + ", ".join(said), err=True)
    if gathered.left_out:
        kinds = ", ".join(f"{count} {kind}" for kind, count in gathered.left_out.most_common(4))
        print_note(f"left out, for they are no models, photos or labels: {kinds}")


def _print_pushed(pushed: Pushed, gathered: Gathered, place: Place) -> None:
    from benchmarks.push.push import ENVIRONMENT
    from edge_effnet import __version__
    from edge_effnet.ui.console import echo, megabytes, print_note

    size = sum(item.size for item in pushed.copied)
    files = counted(len(pushed.copied), "file")
    echo(
        f"copied {files} ({megabytes(size) if size else '0 MB'}) to {place.address.host}; "
        f"{len(pushed.present)} {plural(len(pushed.present), 'was', 'were')} there already"
    )
    if kept := len(pushed.kept):
        print_note(
            f"{kept} {plural(kept, 'differs from the one', 'differ from those')} there, which "
            f"{plural(kept, 'stays', 'stay')} ({_some(pushed.kept)}); "
            f"--force replaces {plural(kept, 'it', 'them')}"
        )
    installed = pushed.installed or {}
    if installed["new"]:
        echo(f"installed edge-effnet {installed['version']} there, in ~/{ENVIRONMENT}")
    elif not installed["same"]:
        print_note(
            f"another edge-effnet {installed['version']} is in ~/{ENVIRONMENT} there, and stays; "
            f"--force replaces it by this one, {__version__}"
        )
    echo(f"next: {_next(pushed, gathered)}")


def _next(pushed: Pushed, gathered: Gathered) -> str:
    """The command that runs there what was pushed, typed here."""
    from benchmarks.push.push import ENVIRONMENT
    from edge_effnet.ui.shown_commands import PAGE, camera_command, over_ssh

    tool = f"{ENVIRONMENT}/bin/edge-effnet"
    models = sorted(gathered.of("model"), key=lambda item: item.size)
    if not models:
        data = quote(gathered.folders[0] if gathered.folders else gathered.items[0].target)
        there = f"{tool} evaluate MODEL.tflite --data {data}"
        return f"{pushed.address.ssh} {quote(there)}    # with a model that is there"
    shown = models if _are_of_one(models) else models[:1]
    camera = camera_command(tool, [item.target for item in shown])
    return f"{over_ssh(pushed.address.ssh, camera)}    # then open http://{PAGE} here"


def _are_of_one(models: Sequence[Item]) -> bool:
    """Whether they are two that can be compared: of the same classes."""
    from edge_effnet.artifact import read_artifact

    return len(models) == 2 and len({read_artifact(item.source).labels for item in models}) == 1


def _some(items: Sequence[Item]) -> str:
    more = f"; and {len(items) - _SHOWN} more" * (len(items) > _SHOWN)
    return "; ".join(item.target for item in items[:_SHOWN]) + more
