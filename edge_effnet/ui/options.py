"""Options that mean the same in every command."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from edge_effnet.heads.kinds import HEADS
from edge_effnet.ui.quantities import OneOf, Share

_Function = TypeVar("_Function", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path)


def given_flags(context: click.Context, *, besides: Collection[str]) -> list[str]:
    """The options that were typed after a command.

    Args:
        besides: names of parameters that do not count.
    """
    return [
        parameter.opts[0]
        for parameter in context.command.params
        if parameter.name not in besides
        and context.get_parameter_source(str(parameter.name)) == ParameterSource.COMMANDLINE
    ]


def json_option(function: _Function) -> _Function:
    """``--json FILE|-``: the result for machines; ``-`` is standard output."""
    option = click.option(
        "--json", "json_to", metavar="FILE|-", help="Write JSON to FILE, or to stdout with -."
    )
    return option(function)


def force_option(function: _Function) -> _Function:
    """``--force``: replace files that exist."""
    return click.option("--force", is_flag=True, help="Replace files that already exist.")(function)


_LABELS_HELP = "Class names, one per line in index order, for a model that does not carry them"
classes_option = click.option(
    "--classes",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    metavar="N",
    help="Outputs of the classifier.",
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
    help=f"{_LABELS_HELP}; folders: the data's class folders as Keras sorts them (0, 1, 10, 2); "
    "numbers: each folder's number is its index.",
)

label_file_option = click.option("--labels", type=_FILE, metavar="FILE", help=f"{_LABELS_HELP}.")
preprocess_option = click.option(
    "--preprocess",
    metavar="SPEC",
    help="How an image becomes input, for a model that does not say: unit (pixels / 255), "
    "tf (-1 to 1), torch, caffe, raw, standardize, or mean=127.5,std=127.5; "
    "fit=squash|crop|pad; channels=rgb|bgr|grey; resize=area|linear.",
)

head_option = click.option(
    "--head",
    type=OneOf(HEADS),
    metavar="KIND",
    help=f"What the model's answer means, where its last layer does not say: {', '.join(HEADS)}.",
)

threshold_option = click.option(
    "--threshold",
    type=Share(low_open=True, high_open=True),
    metavar="SCORE",
    help="Score above which the second of two classes, or each of several labels, is answered.  "
    "[default: the model's own, else 0.5]",
)


def top_option(text: str, default: int = 5) -> Callable[[_Function], _Function]:
    """``--top K``: how many of the best answers."""
    return click.option(
        "--top",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        metavar="K",
        help=text,
    )


strict_option = click.option(
    "--strict",
    is_flag=True,
    help="Where no image may be missing: refuse an unreadable one instead of skipping it.",
)

seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Random seed: another one shows what is chance.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(min=1),
    metavar="N",
    help="Images processed at a time: fewer leave cores and memory to other programs.  "
    "[default: all cores]",
)


def cluster_option(text: str) -> Callable[[_Function], _Function]:
    """``--cluster``: workers through Ray; see ``edge_effnet.cluster.choice``."""
    return click.option("--cluster", metavar="auto|ray://HOST:PORT|local:N", help=text)


evaluation_cluster_option = cluster_option(
    "Where one machine takes too long for so many images: on the cores of a Ray cluster, with the "
    "same result; needs the extra 'ray'."
)


def _together(*options: Callable[[Any], Any]) -> Callable[[_Function], _Function]:
    """Several options as one decorator, in this order."""

    def decorate(function: _Function) -> _Function:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


model_options = _together(
    labels_option,
    preprocess_option,
    head_option,
    threshold_option,
    top_option("Where a right answer among the best K is enough: report top-K accuracy too."),
)
output_options = _together(json_option, force_option)
