"""``edge-effnet classify``: what a model sees in images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import DataError, UsageProblem
from edge_effnet.ui.console import console, echo
from edge_effnet.ui.model_command import ModelCommand
from edge_effnet.ui.options import (
    force_option,
    head_option,
    json_option,
    label_file_option,
    preprocess_option,
    threshold_option,
    top_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.shown_commands import NAME
from edge_effnet.ui.usage_errors import split_path

if TYPE_CHECKING:
    from edge_effnet.heads.head import Head
    from edge_effnet.heads.thresholds import ClassThreshold
    from edge_effnet.runtime.answers import Answer
    from edge_effnet.runtime.classifier import Classifier

FORMAT = "edge-effnet/classification"
VERSION = 1
_BAR_CELLS = 20
_GROUPS = {
    "Options": ("--model", "--top", "--json", "--force"),
    "Advanced": ("--threads", "--threshold", "--labels", "--preprocess", "--head"),
}


@click.command("classify", cls=ModelCommand, groups=_GROUPS)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "images", metavar="IMAGE...", type=click.Path(path_type=Path), nargs=-1, required=True
)
@label_file_option
@preprocess_option
@head_option
@threshold_option
@top_option("Answers shown per image.")
@json_option
@force_option
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="CPU threads for each image: more are faster on a large network.",
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
    """Print a model's best answers for each image, with their scores.

    A class that has a threshold in the model's card (evaluate --out) shows whether its score
    reaches it; where it does, the class is shown beyond --top too. A model of teach answers
    "unknown" for an image that is like none it was taught; its scores stay to be seen. An image
    that cannot be read is named, the others are still classified, and the exit code is 1.

    \b
    Examples:
      edge-effnet classify b0-int8.tflite cat.jpg
      edge-effnet classify b0-int8.tflite *.jpg --top 1 --json -
      edge-effnet classify --model b0-int8.tflite cat.jpg
    """
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.heads.kinds import HeadChoice
    from edge_effnet.runtime.classifier import open_classifier
    from edge_effnet.runtime.evaluating.operating_points import card_thresholds
    from edge_effnet.ui.console import print_note

    claim_outputs({"--json": json_to}, overwrite=force)
    _refuse_exchanged(model, images)
    names = read_labels(labels) if labels else None
    classifier = open_classifier(
        model,
        labels=names,
        preprocess=preprocess,
        head=HeadChoice(head, threshold),
        threads=threads,
    )
    for line in classifier.notices:
        print_note(line)
    thresholds = card_thresholds(classifier.card, classifier.head)
    entries: list[dict[str, Any]] = []
    failures: list[DataError] = []
    for image in images:
        try:
            answers, similarity = _answers(classifier, image, top, thresholds)
        except DataError as error:
            failures.append(error)
            entries.append({"file": str(image), "error": str(error)})
            continue
        written = [_answer_json(answer, classifier.head, thresholds) for answer in answers]
        seen = {"similarity": similarity, "unknown": answers[0].unknown}
        known = {} if similarity is None else seen
        entries.append({"file": str(image), **known, "answers": written})
        if json_to != "-":
            _print_answers(image, answers, classifier, thresholds, similarity)
    if json_to is not None:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "model": str(model),
            "preprocess": _preprocess_json(classifier, preprocess),
            "images": entries,
        }
        write_json(document, json_to, overwrite=force)
    for failure in failures[:-1]:
        echo(f"error: {failure}", err=True)
    if failures:
        raise failures[-1]


def _refuse_exchanged(model: Path, images: Sequence[Path]) -> None:
    """Raise UsageProblem where a model stands among the images and none before them."""
    from edge_effnet.tflite.reader import is_model_file

    behind = [path for path in images if is_model_file(path)]
    if behind and not is_model_file(model):
        others = [path for path in (model, *images) if path != behind[0]]
        raise UsageProblem(
            f"{model} is no model, and {behind[0]} is one; did you mean: "
            f"{_meant(behind[0], others)}?",
            fix="give the model first, then the images",
        )
    if all(path.is_dir() for path in images):
        raise UsageProblem(
            f"classify takes image files; did you mean: {_meant(model, images)}?",
            found=f"the folder {images[0]}",
            fix="give files, or evaluate all images of a folder whose classes are known",
        )
    for place, image in enumerate(images[:-1]):
        rest = [str(path) for path in images[place + 1 :]]
        if not image.exists() and (whole := split_path([str(image)], rest)):
            raise UsageProblem(
                f"the path {quote(whole)} has a space in it",
                found=f"{image} and {rest[0]}, two arguments",
                fix="put quotes around it",
            )


def _meant(model: Path, given: Sequence[Path]) -> str:
    """The command for a model and images, or for a folder of them."""
    if len(given) != 1 or not given[0].is_dir():
        return f"{NAME} classify {quote(str(model))} {' '.join(quote(str(one)) for one in given)}"
    from edge_effnet.image.reading import IMAGE_SUFFIXES

    loose = next(
        (one for one in sorted(given[0].iterdir()) if one.suffix.lower() in IMAGE_SUFFIXES), None
    )
    if loose is None:  # folders of classes
        return f"{NAME} evaluate {quote(str(model))} --data {quote(str(given[0]))}"
    return f"{NAME} classify {quote(str(model))} {quote(str(given[0]))}/*{loose.suffix}"


def _preprocess_json(classifier: Classifier, asked: str | None) -> dict[str, str]:
    """How images became the input, as ``--preprocess`` takes it, and who said so."""
    from edge_effnet.image.preprocess_text import preprocess_text

    evidence = classifier.pixels.evidence
    if evidence is not None:  # which names --preprocess where that says a part
        return {"settings": preprocess_text(classifier.preprocess), "from": evidence.reason}
    origins = ["--preprocess"] if asked else []
    if classifier.card is not None:
        origins.append("its model card")
    return {"settings": preprocess_text(classifier.preprocess), "from": " and ".join(origins)}


def _answers(
    classifier: Classifier, image: Path, top: int, thresholds: Mapping[int, ClassThreshold]
) -> tuple[list[Answer], float | None]:
    """The best ones, and below them those that reach a threshold; and how like the image is to
    those that the model was taught, where its file tells."""
    from edge_effnet.heads.unknown import is_unknown
    from edge_effnet.image.reading import read_image
    from edge_effnet.runtime.answers import best_answers

    scores = classifier.scores(read_image(image))
    similarity = classifier.similarity()
    best, every = (
        best_answers(
            scores,
            classifier.labels,
            classifier.head,
            count,
            unknown=is_unknown(classifier.unknown, similarity),
        )
        for count in (top, len(scores))
    )
    reached = [one for one in every[len(best) :] if _reaches(one, thresholds)]
    return best + reached, similarity


def _reaches(answer: Answer, thresholds: Mapping[int, ClassThreshold]) -> bool | None:
    """Whether an answer reaches its class's threshold; None where that has none."""
    threshold = thresholds.get(answer.index)
    if threshold is None or answer.probability is None:
        return None
    return threshold.reached_by(answer.probability)


def _answer_json(
    answer: Answer, head: Head, thresholds: Mapping[int, ClassThreshold]
) -> dict[str, Any]:
    if head.task == "value":
        return {"label": answer.label, "value": answer.value}
    reached = _reaches(answer, thresholds)
    return {
        "class": answer.index,
        "label": answer.label,
        "score": answer.probability,
        # Which one is decided for goes without saying where it is the best of several classes.
        **({"answered": answer.answered} if head.task == "labels" or head.binary else {}),
        **(
            {"threshold": thresholds[answer.index].threshold, "reached": reached}
            if reached is not None
            else {}
        ),
    }


def _print_answers(
    image: Path,
    answers: Sequence[Answer],
    classifier: Classifier,
    thresholds: Mapping[int, ClassThreshold],
    similarity: float | None,
) -> None:
    from rich.text import Text

    out, head, rule = console(), classifier.head, classifier.unknown
    out.print(Text(str(image), style="bold"))
    unknown = answers[0].unknown
    if unknown and rule is not None:
        out.print(
            f"  unknown: its similarity to the photos taught is {similarity:.3f}, under "
            f"{rule.threshold:.3f}",
            highlight=False,
        )
    marked = head.task == "labels" or head.binary
    for answer in answers:
        if answer.probability is None:
            out.print(Text(f"  {answer.value:.5g}  {answer.label}"))
            continue
        cells = round(_BAR_CELLS * max(0.0, min(1.0, answer.probability)))
        dim = unknown or (marked and not answer.answered)
        line = Text(f"  {answer.probability:6.3f}  ", style="dim" if unknown else "")
        line.append("█" * cells + " " * (_BAR_CELLS - cells), style="dim" if dim else "green")
        line.append(f"  {answer.label}{'  ✓' * (marked and answer.answered)}")
        if (reached := _reaches(answer, thresholds)) is not None:
            score = f"{thresholds[answer.index].threshold:.3g}"
            line.append(f"  {'reaches' if reached else 'under'} {score}", style="dim")
        out.print(line)
    if head.task == "labels" and not unknown and not any(answer.answered for answer in answers):
        out.print(Text(f"  no label: every score is at or under {head.threshold:g}", style="dim"))
