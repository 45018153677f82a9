"""``edge-effnet teach``: new classes for a network that exists, in seconds, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.command_classes import GroupedCommand
from edge_effnet.ui.options import (
    output_options,
    preprocess_option,
    seed_option,
    strict_option,
    threads_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import Share

if TYPE_CHECKING:
    from edge_effnet.stages import StartStage
    from edge_effnet.teaching.backbone import Backbone
    from edge_effnet.teaching.collection import Collection
    from edge_effnet.teaching.previous import Previous

FORMAT, VERSION = "edge-effnet/teaching", 1

_GROUPS = {
    "Options": ("--out", "--base", "--json", "--force"),
    "Other classes for a file that was taught": ("--from", "--add", "--remove", "--rename"),
    "Advanced": ("--lost", "--preprocess", "--strict", "--seed", "--threads"),
}


@click.command("teach", cls=GroupedCommand, groups=_GROUPS)
@click.argument("images", metavar="[PHOTOS]", type=click.Path(path_type=Path), required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("taught.tflite"),
    show_default=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option(
    "--base",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The .tflite whose features are used, float or int8, ours or another classifier. "
    "[default: int8 Lite0 of ImageNet]",
)
@preprocess_option
@click.option(
    "--from",
    "taught_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Begin with the classes of a file that was taught, in place of PHOTOS.",
)
@click.option(
    "--add",
    "added",
    multiple=True,
    metavar="NAME=DIR",
    help="Add a class, or photos to one, from a folder of photos.",
)
@click.option("--remove", "removed", multiple=True, metavar="NAME", help="Take a class away.")
@click.option(
    "--rename", "renamed", multiple=True, metavar="OLD=NEW", help="Give a class another name."
)
@click.option(
    "--lost",
    type=Share(),
    default="5%",
    show_default=True,
    metavar="SHARE",
    help='Where "unknown" comes too often or too seldom: of photos like yours, how many may be '
    "answered so.",
)
@seed_option
@output_options
@strict_option
@threads_option
def command(
    images: Path | None,
    out: Path,
    base: Path | None,
    preprocess: str | None,
    taught_file: Path | None,
    added: tuple[str, ...],
    removed: tuple[str, ...],
    renamed: tuple[str, ...],
    lost: float,
    seed: int,
    json_to: str | None,
    force: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Teach a network the classes of PHOTOS, a folder with one folder for each class.

    The network keeps its features; a last layer is learned for them, and written into a copy of
    the file. How right it is, is found by cross-validation: each photo is asked about by a layer
    that has learned from others. The file also answers "unknown" to what is like none of the
    photos. No TensorFlow is needed; features are kept for the next time, so that --from needs
    photos of new things alone.

    A file that was taught before is replaced where the new one knows its classes and is not
    proven worse, on the same photos or on those of the classes that both know.

    \b
    Examples:
      edge-effnet teach photos/ --out mine.tflite
      edge-effnet teach photos/ --base v2-b0-int8.tflite --out mine.tflite
      edge-effnet teach --from mine.tflite --add cup=cups/ --rename mug=beaker --out mine.tflite
      edge-effnet classify mine.tflite new.jpg
    """
    from edge_effnet.artifact import write_artifact
    from edge_effnet.errors import DataError
    from edge_effnet.teaching.backbone import open_backbone
    from edge_effnet.teaching.previous import compare_with_previous, refuse_worse, taught_card_of
    from edge_effnet.teaching.teach import teach
    from edge_effnet.ui.console import print_note
    from edge_effnet.ui.progress import stages
    from edge_effnet.ui.reports.teaching import print_taught, taught_json, warnings

    _refuse_two_beginnings(images, taught_file, base)
    folders = [_pair(text, "--add", "cup=photos/cups") for text in added]
    names = [_pair(text, "--rename", "mug=beaker") for text in renamed]
    replacing = taught_card_of(out) is not None
    claim_outputs(
        {"--json": json_to, "--out": out},
        overwrite=force,
        updated=("--out",) if replacing else (),
    )
    with stages() as stage:
        if taught_file is None and base is None:
            from edge_effnet.teaching.base import find_base

            base = find_base(stage)
        backbone = open_backbone(taught_file or base or Path(), preprocess=preprocess)
        collection = _collection(
            images, backbone, folders, workers=threads, stage=stage, shown=json_to != "-"
        )
        previous = _previous(
            out if replacing else taught_file, backbone, needed=replacing and not force
        )
        for name in removed:
            collection = collection.without(name)
        for old, new in names:
            collection = collection.renamed(old, new)
        taught = teach(collection, backbone, name=out.stem, lost_share=lost, seed=seed, stage=stage)
        if strict and collection.skipped:
            image = collection.skipped[0]
            raise DataError(
                f"{image.path} cannot be read",
                found=image.reason,
                fix="replace it, or omit --strict",
            )
        against = None
        if previous is not None:
            before = previous.renamed(names)
            against = compare_with_previous(before, collection, taught.settings, seed)
        if against and replacing and not force:
            refuse_worse(against, removed)
        card = write_artifact(out, taught.model, taught.card, overwrite=force or replacing)
    if json_to is not None:
        document = {"format": FORMAT, "version": VERSION, "file": str(out)}
        write_json({**document, **taught_json(taught, card, against)}, json_to, overwrite=force)
    if json_to != "-":
        print_taught(taught, out, against)
    for line in warnings(taught):
        print_note(line)


def _previous(path: Path | None, backbone: Backbone, *, needed: bool) -> Previous | None:
    """The file to compare with; None without one, or where it cannot be and is not ``needed``."""
    from edge_effnet.errors import EdgeEffnetError
    from edge_effnet.teaching.previous import read_previous

    if path is None:
        return None
    try:
        return read_previous(path, backbone)
    except EdgeEffnetError:
        if needed:
            raise
        return None


def _pair(text: str, option: str, example: str) -> tuple[str, str]:
    first, _, second = (part.strip() for part in text.partition("="))
    if not (first and second):
        raise UsageProblem(
            f"{option} takes two names with = between them",
            found=repr(text),
            fix=f"for example {option} {example}",
        )
    return first, second


def _refuse_two_beginnings(
    images: Path | None, taught_file: Path | None, base: Path | None
) -> None:
    given = {"PHOTOS": images, "--from": taught_file}
    if sum(one is not None for one in given.values()) != 1:
        raise UsageProblem(
            "teach begins with photos, or with a file that was taught before",
            found=" and ".join(name for name, one in given.items() if one is not None) or "neither",
            expected="PHOTOS, a folder with one folder for each class, or --from FILE",
            fix="for example: edge-effnet teach photos/ --out mine.tflite",
        )
    if taught_file is not None and base is not None:
        raise UsageProblem(
            "a file that was taught has its base in it",
            found=f"--base {base} beside --from {taught_file}",
            fix="leave --base out",
        )


def _collection(
    images: Path | None,
    backbone: Backbone,
    folders: Sequence[tuple[str, str]],
    *,
    workers: int | None,
    stage: StartStage,
    shown: bool,
) -> Collection:
    """The images of PHOTOS or of the file, and of the folders added."""
    from edge_effnet.data.listing import load_dataset
    from edge_effnet.teaching.collection import read_collection
    from edge_effnet.teaching.more_photos import read_folders, with_more
    from edge_effnet.teaching.remembered import remembered_collection
    from edge_effnet.ui.reports.evaluation_set import print_data

    places = [(name, Path(folder)) for name, folder in folders]
    if images is None:
        remembered = remembered_collection(backbone.card, backbone.path, backbone)
        return with_more(remembered, read_folders(places, backbone, workers=workers, stage=stage))
    dataset = load_dataset(images, part="training")
    if shown:
        print_data(dataset)
    collection = read_collection(dataset, backbone, workers=workers, stage=stage)
    more = read_folders(places, backbone, workers=workers, stage=stage)
    return collection if more is None else collection.joined(more)
