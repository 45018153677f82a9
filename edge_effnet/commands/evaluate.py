"""``edge-effnet evaluate``: the accuracy of one model on labelled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.plugins import PARTS, load
from edge_effnet.ui.model_command import ModelCommand
from edge_effnet.ui.options import (
    data_option,
    evaluation_cluster_option,
    model_options,
    output_options,
    strict_option,
    threads_option,
)
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.reports.evaluation_set import print_plan
from edge_effnet.ui.reports.operating_points import (
    asked_targets,
    print_operating_points,
    target_options,
)

if TYPE_CHECKING:
    from edge_effnet.metrics import Predictions
    from edge_effnet.runtime.evaluating.plan import EvaluationPlan


_GROUPS = {
    "Model and images": ("--model", "--data"),
    "Questions": ("--recall", "--precision", "--suspects", "--others"),
    "Output": ("--report", "--json", "--out", "--force"),
    "Advanced": (
        *("--top", "--threshold", "--labels", "--preprocess", "--head"),
        *("--move", "--strict", "--threads", "--cluster"),
    ),
}


@click.command("evaluate", cls=ModelCommand, groups=_GROUPS)
@click.argument("model", type=click.Path(path_type=Path))
@data_option
@model_options
@target_options("and evaluate it on the other")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --recall or --precision: a copy of the model whose card keeps the thresholds.",
)
@click.option(
    "--others",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help='Images of other things: how many of them a taught model answers "unknown".',
)
@click.option(
    "--suspects",
    is_flag=True,
    help="Name images that may hurt: likely wrong labels, copies, the worst of each class.",
)
@click.option(
    "--move",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="With --suspects: move images with likely wrong labels there. None is deleted.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An HTML page: figures, confusion matrix, the worst mistakes with their images.",
)
@output_options
@strict_option
@threads_option
@evaluation_cluster_option
def command(
    model: Path,
    data: Path,
    labels: Path | None,
    preprocess: str | None,
    head: str | None,
    threshold: float | None,
    top: int,
    recall_targets: tuple[tuple[str, float], ...],
    precision_targets: tuple[tuple[str, float], ...],
    out: Path | None,
    others: Path | None,
    suspects: bool,
    move: Path | None,
    report: Path | None,
    json_to: str | None,
    force: bool,
    strict: bool,
    threads: int | None,
    cluster: str | None,
) -> None:
    """Measure a model's accuracy on images whose classes, labels or values are known.

    One class of several: top-1 with its interval, top-k, precision, recall and F1 of each class,
    the commonest mistakes and the calibration error. Several labels: exact match, mean average
    precision, and each label's figures. A value: mean absolute error and R². What the model
    answers is found from its last layer; labels and preprocessing come from inside it where it
    carries them. How its pixels are made, where it does not say, is tried out on the images.

    --recall and --precision find the score from which an image should count as a class, and say
    what it is worth on images that did not choose it.

    Of a model that answers "unknown" (teach): how many images it loses so, how many of the rest
    are right, and, with --others, how many images of other things it keeps from a class.

    \b
    Examples:
      edge-effnet evaluate b0-int8.tflite --data photos/
      edge-effnet evaluate b0-int8.tflite --data photos/ --report page.html
      edge-effnet evaluate b0-int8.tflite --data val/labels.csv --json -
      edge-effnet evaluate other.tflite --data photos/ --labels names.txt \\
          --preprocess mean=127.5,std=127.5
      edge-effnet evaluate tags.tflite --data tags.csv --threshold 0.3
      edge-effnet evaluate b0-int8.tflite --data photos/ --recall stop=0.95 --out stop.tflite
      edge-effnet evaluate taught.tflite --data photos/ --others street/
      edge-effnet evaluate b0-int8.tflite --data photos/ --suspects --move aside/
      edge-effnet evaluate b0-int8.tflite --data /nfs/photos --cluster ray://head:10001
    """
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.files.write import text_bytes, write_atomically
    from edge_effnet.heads.kinds import HeadChoice
    from edge_effnet.metrics import evaluation_json, find_mistakes, summarize
    from edge_effnet.runtime.evaluating import operating_points as points
    from edge_effnet.runtime.evaluating.others import load_others, predict_others
    from edge_effnet.runtime.evaluating.plan import plan_evaluation
    from edge_effnet.ui.console import echo, print_note
    from edge_effnet.ui.progress import progress_of, stages
    from edge_effnet.ui.reports.evaluation import print_others, print_summary
    from edge_effnet.ui.sharing import shared_out

    claim_outputs({"--json": json_to, "--out": out, "--report": report}, overwrite=force)
    draw_page = load(PARTS["evaluate --report"])() if report is not None else None
    asked = asked_targets(recall_targets, precision_targets)
    if move is not None:
        _refuse_moving(data, move, asked=suspects)
    card = None
    if out is not None:
        _refuse_nothing_to_keep(bool(asked))
        card = points.require_card(model)
    names = read_labels(labels, data) if labels else None
    map_shares = click.get_current_context().with_resource(shared_out(cluster, threads))
    with stages() as stage:
        plan = plan_evaluation(
            [model],
            data,
            labels=names,
            preprocess=preprocess,
            head=HeadChoice(head, threshold),
            stage=stage,
        )
    print_plan(plan, shown=json_to != "-")
    strangers = None
    if others is not None:
        strangers = load_others(others, plan)
        if strangers.line:
            print_note(strangers.line)
    targets = points.resolve_targets(asked, plan)
    if card is not None:
        points.refuse_to_keep(targets, plan, card)
    with progress_of(f"evaluating {model.name}") as progress:
        (predictions,) = plan.predict(
            workers=threads, strict=strict, progress=progress, map_shares=map_shares
        )
    summary = summarize(predictions, top=top)
    mistakes = find_mistakes(predictions).to_json()
    document = {**evaluation_json(summary), "mistakes": mistakes, **plan.to_json()}
    if json_to != "-":
        print_summary(summary, plan.given.source)
    if strangers is not None:
        with progress_of(f"evaluating {model.name} on other things") as progress:
            seen = predict_others(
                plan,
                strangers.dataset,
                workers=threads,
                strict=strict,
                progress=progress,
                map_shares=map_shares,
            )
        document["others"] = seen.to_json()
        if json_to != "-":
            print_others(seen)
    if suspects:
        document["suspects"] = _suspects(predictions, plan, move, shown=json_to != "-")
    found = None
    if targets:
        with stages() as stage:
            halves = points.halve(plan.dataset, predictions, stage=stage)
        found = points.choose_points(predictions, targets, halves)
        document["operating_points"] = found.to_json()
        if json_to != "-":
            print_operating_points(found, is_evidence=plan.evaluation_set.is_evidence)
    if json_to is not None:
        write_json(document, json_to, overwrite=force)
    if draw_page is not None and report is not None:
        page = draw_page(document, f"{model.name} on {plan.given.source}")
        write_atomically(report, text_bytes(page), overwrite=force)
        echo(f"written to {report}", err=json_to == "-")
    if found is not None and out is not None:
        write_atomically(out, points.with_thresholds(model, found, halves), overwrite=force)
        echo(f"written to {out}, with the thresholds in its card", err=json_to == "-")


def _refuse_moving(data: Path, folder: Path, *, asked: bool) -> None:
    from edge_effnet.runtime.evaluating.suspects import refuse_moving

    if not asked:
        raise UsageProblem(
            "--move is for what --suspects finds",
            found="no --suspects",
            fix="add --suspects, and look at what it names first",
        )
    refuse_moving(data, folder)


def _suspects(
    predictions: Predictions, plan: EvaluationPlan, move: Path | None, *, shown: bool
) -> dict[str, Any]:
    """Find them, move them where that was asked for, and say so; as JSON."""
    from edge_effnet.runtime.evaluating.suspects import find_suspects, move_aside
    from edge_effnet.ui.progress import stages
    from edge_effnet.ui.reports.suspects import print_suspects

    with stages() as stage:
        advance = stage("looking for copies", len(plan.given))
        found = find_suspects(predictions, plan.given, plan.steps, advance)
    moved = move_aside(found, move) if move is not None else None
    if shown:
        print_suspects(found, moved)
    return {**found.to_json(), "moved": None if moved is None else list(map(str, moved))}


def _refuse_nothing_to_keep(asked: bool) -> None:
    if not asked:
        raise UsageProblem(
            "--out keeps thresholds in a copy of the model",
            found="neither --recall nor --precision",
            fix="for example --recall stop=0.95",
        )
