"""``edge-effnet signs``: the embedded data set as files, on paper, and as a clip."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from edge_effnet.data.signs.sheet import GRIDS, PAPERS, printable, sheet_pdf
from edge_effnet.data.signs.table import BACKGROUND, SPLITS
from edge_effnet.files.write import write_atomically
from edge_effnet.plurals import counted, plural
from edge_effnet.spelling import read_size
from edge_effnet.ui.command_classes import SuggestingGroup
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.options import force_option
from edge_effnet.ui.output import claim_outputs
from edge_effnet.ui.quantities import OneOf

# What draws with OpenCV is imported where it is called: --help needs none of it.


_FILE = click.Path(path_type=Path)


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Road signs for a camera robot: a synthetic data set, rendered, not downloaded.

    Sixteen classes, one of them `background`, with perspective, blur, noise, bad light and
    occlusion. The same seed renders the same images.

    \b
    Examples:
      edge-effnet signs render signs/train -n 3200
      edge-effnet signs render signs/val -n 800 --split val
      edge-effnet signs print -o sheet.pdf
      edge-effnet signs video -o clip.mp4
    """


@command.command("render")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("-n", "--count", type=int, required=True, help="Images, over all classes.")
@click.option("--size", default=160, show_default=True, help="Side in pixels, 16 to 2048.")
@click.option("--seed", default=0, show_default=True, help="Another seed, other images.")
@click.option(
    "--split",
    default="train",
    show_default=True,
    type=OneOf(SPLITS),
    help="The splits of one seed share no image.",
)
@click.option(
    "--format",
    "suffix",
    default="jpg",
    show_default=True,
    type=OneOf(("jpg", "png")),
    help="Of the image files.",
)
@click.option("--force", is_flag=True, help="Replace a folder that this command wrote.")
def render(
    folder: Path, count: int, size: int, seed: int, split: str, suffix: str, force: bool
) -> None:
    """Write images to DIR/CLASS/NNNNN.jpg, as many of each class.

    \b
    Examples:
      edge-effnet signs render signs -n 1600
      edge-effnet signs render signs/test -n 480 --split test --size 224 --format png
    """
    from edge_effnet.data.signs.folder import write_folder
    from edge_effnet.ui.progress import progress_of

    with progress_of("rendering") as progress:
        counts = write_folder(
            folder,
            count,
            size=size,
            seed=seed,
            split=split,
            suffix=suffix,
            overwrite=force,
            on_progress=lambda done: progress(done, count),
        )
    least, most = min(counts.values()), max(counts.values())
    each = f"{least}" if least == most else f"{least}–{most}"
    console().print(
        f"wrote {counted(count, 'image')} to {folder}: "
        f"{counted(len(counts), 'class', 'classes')}, {each} of each"
    )


@command.command("print")
@click.option("-o", "--out", required=True, type=_FILE, metavar="FILE", help="PDF to write.")
@click.option(
    "--paper", default="a4", show_default=True, type=OneOf(list(PAPERS)), help="Paper size."
)
@click.option(
    "--per-page", default="1", show_default=True, type=OneOf([str(n) for n in GRIDS]),
    help="Signs on a page; smaller ones are held nearer.",
)  # fmt: skip
@click.option("--cut-lines", is_flag=True, help="Dashed lines to cut along.")
@force_option
def print_sheet(out: Path, paper: str, per_page: str, cut_lines: bool, force: bool) -> None:
    """Make a PDF of all signs, to print and hold before a camera (needs the extra report).

    \b
    Examples:
      edge-effnet signs print -o sheet.pdf
      edge-effnet signs print -o cards.pdf --per-page 4 --cut-lines --paper letter
    """
    claim_outputs({"--out": out}, overwrite=force)
    data = sheet_pdf(paper, per_page=int(per_page), cut_lines=cut_lines)
    write_atomically(out, data, overwrite=force)
    pages = -(-len(printable()) // int(per_page))
    console().print(
        f"wrote {out}: {counted(len(printable()), 'sign')} on {counted(pages, 'page')}; print at "
        "100 %"
    )


@command.command("video")
@click.option("-o", "--out", required=True, type=_FILE, metavar="FILE", help="A .mp4 or .avi.")
@click.option("--seconds", default=20.0, show_default=True, help="Length of the clip.")
@click.option("--fps", default=15.0, show_default=True, help="Frames a second.")
@click.option("--size", default="640x480", show_default=True, metavar="WxH", help="In pixels.")
@click.option("--seed", default=0, show_default=True, help="Another seed, another clip.")
@force_option
def video(out: Path, seconds: float, fps: float, size: str, seed: int, force: bool) -> None:
    """Render a clip that passes signs, and a CSV file with the ground truth of each frame.

    The CSV file has the clip's name. Columns: frame, label, x0, y0, x1, y1. A frame's label is
    the sign of which at least 85 % lies in the central square that a classifier sees (0.9 of the
    short side), else `background`; a background frame with a box has a sign half in view.

    \b
    Examples:
      edge-effnet signs video -o clip.mp4
      edge-effnet signs video -o long.avi --seconds 120 --fps 30 --size 1280x720
    """
    from edge_effnet.data.signs.clip import truth_path, write_clip
    from edge_effnet.ui.progress import progress_of

    files = {out, truth_path(out)}  # one, where OUT ends in .csv: refused as no video
    claim_outputs({"--out": sorted(files)}, overwrite=force)
    with progress_of("rendering") as progress:
        truths = write_clip(
            out,
            seconds=seconds,
            fps=fps,
            size=read_size(size),
            seed=seed,
            overwrite=force,
            on_progress=lambda done: progress(done, round(seconds * fps)),
        )
    labels = Counter(truth.label for truth in truths)
    shown = len(truths) - labels[BACKGROUND]
    console().print(
        f"wrote {out} ({megabytes(out.stat().st_size)}) and {truth_path(out).name}: "
        f"{counted(len(truths), 'frame')}, {shown} of them {plural(shown, 'shows', 'show')} one of "
        f"{len(labels.keys() - {BACKGROUND})} signs"
    )
