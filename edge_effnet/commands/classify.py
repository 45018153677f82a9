"""``edge-effnet classify``: what a model sees in pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.ui.image_options import (
    head_option,
    labels_option,
    preprocess_option,
    refuse_bad_output,
    threshold_option,
    top_option,
)
from edge_effnet.ui.options import console, force_option, json_option, write_json

if TYPE_CHECKING:
    from edge_effnet.heads.head import Head
    from edge_effnet.runtime.classifier import Classifier

FORMAT = "edge-effnet/classification"
VERSION = 1
_BAR_CELLS = 20


@click.command("classify")
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "images", metavar="IMAGE...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@labels_option
@preprocess_option
@head_option
@threshold_option
@top_option
@json_option
@force_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="CPU threads for each picture.",
)
def command(
    model: Path,
    images: tuple[Path, ...],
    labels: Path | None,
    preprocess: str | None,
    head: str | None,
    threshold: float | None,
    top: int,
    json_to: str | None,
    force: bool,
    threads: int,
) -> None:
    """Print a model's best answers for each picture, with their scores.

    A picture that cannot be read is named, the others are still classified, and the exit code
    is 1.

    \b
    Examples:
      edge-effnet classify b0-int8.tflite cat.jpg
      edge-effnet classify b0-int8.tflite *.jpg --top 1 --json -
    """
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.heads.head import HeadChoice
    from edge_effnet.runtime.classifier import open_classifier
    from edge_effnet.ui.tables import print_notice

    refuse_bad_output(json_to, overwrite=force)
    _refuse_exchanged(model, images)
    names = read_labels(labels) if labels else None
    classifier = open_classifier(
        model,
        labels=names,
        preprocess=preprocess,
        head=HeadChoice(head, threshold),
        threads=threads,
    )
    print_notice(classifier.notice)
    entries: list[dict[str, Any]] = []
    failures: list[DataError] = []
    for image in images:
        try:
            answers = _answers(classifier, image, top)
        except DataError as error:
            failures.append(error)
            entries.append({"file": str(image), "error": str(error)})
            continue
        entries.append({"file": str(image), "answers": answers})
        if json_to != "-":
            _print_answers(image, answers, classifier.head)
    if json_to is not None:
        document = {"format": FORMAT, "version": VERSION, "model": str(model), "images": entries}
        write_json(document, json_to, overwrite=force)
    for failure in failures[:-1]:
        click.echo(f"error: {failure}", err=True)
    if failures:
        raise failures[-1]


def _refuse_exchanged(model: Path, images: Sequence[Path]) -> None:
    """Raise UsageProblem where a model stands among the pictures and none before them."""
    from edge_effnet.tflite.reader import is_model_file

    behind = [path for path in images if is_model_file(path)]
    if behind and not is_model_file(model):
        others = " ".join(str(path) for path in (model, *images) if path != behind[0])
        raise UsageProblem(
            f"{model} is no model, and {behind[0]} is one; did you mean: "
            f"edge-effnet classify {behind[0]} {others}?",
            fix="give the model first, then the pictures",
        )


def _answers(classifier: Classifier, image: Path, top: int) -> list[dict[str, Any]]:
    """The best classes, or all labels that are answered and the best of the others, or values."""
    from edge_effnet.image.preprocessing import read_image
    from edge_effnet.metrics.accuracy.classification import top_answers

    scores, head = classifier.scores(read_image(image)), classifier.head
    if head.task == "value":
        return [
            {"label": name, "value": float(value)}
            for name, value in zip(classifier.labels, scores, strict=True)
        ]
    chosen: Sequence[Any] = top_answers(scores[None], top)[0]
    marks: list[dict[str, bool]] = [{} for _ in scores]
    if head.task == "labels":
        answered = head.decisions(scores[None])[0]
        chosen = top_answers(scores[None], max(top, int(answered.sum())))[0]
        marks = [{"answered": bool(yes)} for yes in answered]
    elif head.binary:
        answer = int(head.answers(scores[None])[0])
        chosen = [answer, 1 - answer][:top]
        marks = [{"answered": place == answer} for place in range(2)]
    return [
        {
            "class": int(place),
            "label": classifier.labels[place],
            "score": float(scores[place]),
            **marks[place],
        }
        for place in chosen
    ]


def _print_answers(image: Path, answers: list[dict[str, Any]], head: Head) -> None:
    from rich.text import Text

    out = console()
    out.print(Text(str(image), style="bold"))
    for answer in answers:
        if head.task == "value":
            out.print(Text(f"  {answer['value']:.5g}  {answer['label']}"))
            continue
        cells = round(_BAR_CELLS * max(0.0, min(1.0, answer["score"])))
        chosen = answer.get("answered", True)
        line = Text(f"  {answer['score']:6.3f}  ")
        line.append("█" * cells + " " * (_BAR_CELLS - cells), style="green" if chosen else "dim")
        mark = "  ✓" if answer.get("answered") else ""
        out.print(line.append(f"  {answer['label']}{mark}"))
    if head.task == "labels" and not any(answer["answered"] for answer in answers):
        out.print(Text(f"  no label: every score is at or under {head.threshold:g}", style="dim"))
