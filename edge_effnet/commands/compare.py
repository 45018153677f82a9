"""``edge-effnet compare``: what a conversion cost, on the same images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
from edge_effnet.ui.reports.operating_points import asked_targets, print_kept_points, target_options

_PLOTS = (".svg", ".png")
_GROUPS = {
    "Models and images": ("--model", "--data"),
    "Questions": ("--recall", "--precision"),
    "Output": ("--json", "--force"),
    "Advanced": (
        *("--layers", "--plot", "--top", "--threshold", "--labels", "--preprocess", "--head"),
        *("--strict", "--threads", "--cluster"),
    ),
}


@click.command("compare", cls=ModelCommand, models=("reference", "candidate"), groups=_GROUPS)
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@data_option
@model_options
@target_options("with REFERENCE, and compare both at it on the other")
@click.option(
    "--layers",
    is_flag=True,
    help="Where the drop is too large: which layers cost most. Needs the extra 'convert'.",
)
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE.svg|FILE.png",
    help="With --layers: draw the costliest.",
)
@output_options
@strict_option
@threads_option
@evaluation_cluster_option
def command(
    reference: Path,
    candidate: Path,
    data: Path,
    labels: Path | None,
    preprocess: str | None,
    head: str | None,
    threshold: float | None,
    top: int,
    recall_targets: tuple[tuple[str, float], ...],
    precision_targets: tuple[tuple[str, float], ...],
    layers: bool,
    plot: Path | None,
    json_to: str | None,
    force: bool,
    strict: bool,
    threads: int | None,
    cluster: str | None,
) -> None:
    """Compare a CANDIDATE (int8, say) with its REFERENCE (float) on the same images.

    Accuracy of both, how often they agree, the drop with its interval and what that proves,
    the classes that changed most and the images whose answer flipped. A flat folder of images
    without classes gives the agreement alone. --labels, --preprocess and --head hold for both.

    Where the card of REFERENCE names thresholds (evaluate --out), or --recall or --precision does:
    recall, precision and false alarms of both at the same threshold.

    \b
    Examples:
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data photos/
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data val.csv --json report.json
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data photos/ --layers --plot l.svg
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data photos/ --recall stop=0.95
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data /nfs/photos --cluster auto
    """
    from edge_effnet.data.given_labels import read_labels
    from edge_effnet.heads.kinds import HeadChoice
    from edge_effnet.metrics import compare_predictions
    from edge_effnet.runtime.evaluating.operating_points import (
        compare_at_thresholds,
        resolve_targets,
    )
    from edge_effnet.runtime.evaluating.plan import plan_evaluation
    from edge_effnet.ui.progress import progress_of, stages
    from edge_effnet.ui.reports.comparison import print_comparison
    from edge_effnet.ui.sharing import shared_out

    claim_outputs({"--json": json_to, "--plot": plot}, overwrite=force)
    if plot is not None and not layers:
        raise UsageProblem("--plot draws layers", found="no --layers", fix="add --layers")
    if plot is not None and plot.suffix.lower() not in _PLOTS:
        raise UsageProblem(
            "--plot does not know this kind of file",
            found=plot.name,
            expected=f"a name that ends in {' or '.join(_PLOTS)}",
            fix=f"--plot {plot.stem}.svg",
        )
    names = read_labels(labels, data) if labels else None
    map_shares = click.get_current_context().with_resource(shared_out(cluster, threads))
    with stages() as stage:
        plan = plan_evaluation(
            [reference, candidate],
            data,
            labels=names,
            preprocess=preprocess,
            head=HeadChoice(head, threshold),
            flat=True,
            stage=stage,
        )
    print_plan(plan, shown=json_to != "-")
    targets = resolve_targets(asked_targets(recall_targets, precision_targets), plan)
    with progress_of(f"comparing {candidate.name} with {reference.name}") as progress:
        ours, theirs = plan.predict(
            workers=threads, strict=strict, progress=progress, map_shares=map_shares
        )
    comparison = compare_predictions(ours, theirs, top=top)
    if not plan.evaluation_set.is_evidence:
        comparison = comparison.without_evidence()
    with stages() as stage:
        kept = compare_at_thresholds(plan, (ours, theirs), targets, stage=stage)
    result: dict[str, Any] = {**comparison.to_json(), **plan.to_json()}
    if kept is not None:
        result["operating_points"] = kept.to_json()
    if json_to != "-":
        is_evidence = plan.evaluation_set.is_evidence
        print_comparison(comparison, plan.dataset.source, is_evidence=is_evidence)
        if kept is not None:
            print_kept_points(kept, is_evidence=is_evidence)
    if layers:
        result["layers"] = load(PARTS["compare --layers"])(
            reference,
            candidate,
            plan.dataset,
            tuple(plan.preprocessing),
            workers=threads,
            plot=plot,
            table=json_to != "-",
            overwrite=force,
        )
    if json_to is not None:
        write_json(result, json_to, overwrite=force)
