"""Options shared by the commands that run models over images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge_effnet.errors import OutputError
from edge_effnet.files import refuse_existing
from edge_effnet.heads.kinds import HEADS
from edge_effnet.ui.quantities import OneOf, Share

if TYPE_CHECKING:
    from edge_effnet.data.dataset import Dataset

_FILE = click.Path(path_type=Path)
LABELS_HELP = (
    "Class names, one per line in index order, for a model that does not carry them; folders: "
    "those of --data as Keras sorts them (0, 1, 10, 2); numbers: each folder's number is its index"
)

data_option = click.option(
    "--data",
    type=_FILE,
    required=True,
    metavar="DIR|CSV",
    help="Images: a folder per class, or a CSV with the columns file and label or class_index "
    "(several labels: a column each, or joined by | , ; in one cell; a number: value).",
)
labels_option = click.option(
    "--labels",
    type=_FILE,
    metavar="FILE|folders|numbers",
    help=LABELS_HELP + ".",
)
preprocess_option = click.option(
    "--preprocess",
    metavar="SPEC",
    help="How pixels become input, for a model that does not say: crop=0.9,mean=127.5,std=127.5.",
)
head_option = click.option(
    "--head",
    type=OneOf(HEADS),
    metavar="KIND",
    help=f"What the model's answer means, where its last layer does not tell: {', '.join(HEADS)}.",
)
threshold_option = click.option(
    "--threshold",
    type=Share(low_open=True, high_open=True),
    metavar="SCORE",
    help="Score above which the second of two classes, or each of several labels, is answered.  "
    "[default: the model's own, else 0.5]",
)
top_option = click.option(
    "--top",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    metavar="K",
    help="How many of the best answers to look at.",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Refuse an unreadable image instead of skipping it."
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images worked on at a time.  [default: all cores]",
)


def refuse_bad_output(json_to: str | None, *, overwrite: bool) -> None:
    """Refuse an output that cannot be written before minutes are spent on its content.

    Raises:
        OutputError: the file exists and ``overwrite`` is off, or it is a folder.
    """
    if json_to is None or json_to == "-":
        return
    path = Path(json_to)
    if path.is_dir():
        raise OutputError(f"{path} is a folder", expected="a file name", fix="add a file name")
    refuse_existing(path, overwrite=overwrite)


def print_data(dataset: Dataset) -> None:
    """Say on stderr what is evaluated on: the classes, so that a folder of folders that are none is
    seen, and what was left out."""
    for line in dataset.lines():
        click.echo(f"data: {line}", err=True)
