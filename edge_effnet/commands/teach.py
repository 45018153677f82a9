"""``edge-effnet teach``: new classes for a network that exists, in seconds, without TensorFlow."""

from __future__ import annotations

from pathlib import Path

import click

from edge_effnet.ui.options import (
    output_options,
    preprocess_option,
    strict_option,
    threads_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.quantities import Share

FORMAT, VERSION = "edge-effnet/teaching", 1


@click.command("teach")
@click.argument("images", metavar="PHOTOS", type=click.Path(path_type=Path))
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
    "--lost",
    type=Share(),
    default="5%",
    show_default=True,
    metavar="SHARE",
    help='Of photos like yours, how many may be answered "unknown".',
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Random seed."
)
@output_options
@strict_option
@threads_option
def command(
    images: Path,
    out: Path,
    base: Path | None,
    preprocess: str | None,
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
    photos. No TensorFlow is needed; features are kept for the next time.

    \b
    Examples:
      edge-effnet teach photos/ --out mine.tflite
      edge-effnet teach photos/ --base v2-b0-int8.tflite --out mine.tflite
      edge-effnet classify mine.tflite new.jpg
    """
    from edge_effnet.artifact import write_artifact
    from edge_effnet.data.listing import load_dataset
    from edge_effnet.errors import DataError
    from edge_effnet.teaching.backbone import open_backbone
    from edge_effnet.teaching.teach import teach
    from edge_effnet.ui.console import print_note
    from edge_effnet.ui.evaluation_set import print_data
    from edge_effnet.ui.progress import stages
    from edge_effnet.ui.teaching_report import print_taught, taught_json, warnings

    claim_outputs({"--json": json_to, "--out": out}, overwrite=force)
    dataset = load_dataset(images, part="training")
    if json_to != "-":
        print_data(dataset)
    with stages() as stage:
        if base is None:
            from edge_effnet.teaching.base import find_base

            base = find_base(stage)
        backbone = open_backbone(base, preprocess=preprocess)
        taught = teach(
            dataset,
            backbone,
            name=out.stem,
            lost_share=lost,
            seed=seed,
            workers=threads,
            stage=stage,
        )
        if strict and taught.features.skipped:
            raise DataError(taught.features.skipped[0].reason, fix="replace it, or omit --strict")
        card = write_artifact(out, taught.model, taught.card, overwrite=force)
    if json_to is not None:
        document = {"format": FORMAT, "version": VERSION, "file": str(out)}
        write_json({**document, **taught_json(taught, card)}, json_to, overwrite=force)
    if json_to != "-":
        print_taught(taught, out)
    for line in warnings(taught):
        print_note(line)
