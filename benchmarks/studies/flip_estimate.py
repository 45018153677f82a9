"""How sure an estimate from scores is of drop and agreement, beside a count of changed answers.

    python -m benchmarks.studies.flip_estimate b0-float32.tflite b0-int8.tflite --data val.csv

The files are run on all labelled images. Then many samples are drawn from these: their spread
over small samples shows how sure an estimate is, their mean over large ones whether it is off
what a count of all images says. That count is itself one of a few thousand images: its own error
stands beside it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies.cli import run_study
from edge_effnet.data.listing import load_dataset
from edge_effnet.metrics import Predictions
from edge_effnet.metrics.predictions import same_answers
from edge_effnet.metrics.two_models.flip_estimate import estimate_flips
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluating.predict import predict_many
from edge_effnet.ui.console import console
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.progress import progress_of
from edge_effnet.ui.tables import table

FORMAT, VERSION = "edge-effnet/flip-estimate", 1


@dataclass(frozen=True)
class Simulated:
    """One figure, drop or disagreement, over many samples; in points.

    Attributes:
        counted, counted_error: by all images, and the standard error of that.
        count_spread, spread: standard deviation over small samples of the count and of the
            estimate.
        said: the standard error that the estimate names, mean over the samples.
        off_small, off_large: mean estimate minus ``counted``, over small and large samples.
    """

    counted: float
    counted_error: float
    count_spread: float
    spread: float
    said: float
    off_small: float
    off_large: float

    @property
    def ratio(self) -> float:
        return self.spread / self.count_spread


def simulate(
    reference: Predictions,
    candidate: Predictions,
    *,
    small: int = 150,
    large: int = 2000,
    draws: int = 1000,
    large_draws: int = 100,
    seed: int = 0,
) -> dict[str, Simulated]:
    """Draw samples without replacement and estimate on each.

    Returns:
        By "disagreement" and "drop". Where a sample gives no estimate its count takes its place,
        as behind a limit.
    """
    random, images = np.random.default_rng(seed), len(reference.paths)
    changed = (~same_answers(reference, candidate)).astype(float)
    dropped = reference.right.astype(float) - candidate.right
    counts = {"disagreement": changed, "drop": dropped}

    def drawn(size: int, times: int) -> dict[str, NDArray[np.float64]]:
        rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in counts}
        for _ in range(times):
            sample = random.choice(images, min(size, images), replace=False)
            found = estimate_flips(_part(reference, sample), _part(candidate, sample))
            for name, flags in counts.items():
                count = float(flags[sample].mean())
                one = getattr(found, name) if found else None
                error = math.sqrt(float(flags[sample].var()) / len(sample))
                rows[name].append((count, one.value, one.error()) if one else (count, count, error))
        return {name: 100 * np.array(values) for name, values in rows.items()}

    few, many = drawn(small, draws), drawn(large, large_draws)
    return {
        name: Simulated(
            counted=100 * float(flags.mean()),
            counted_error=100 * float(flags.std()) / math.sqrt(images),
            count_spread=float(few[name][:, 0].std()),
            spread=float(few[name][:, 1].std()),
            said=float(few[name][:, 2].mean()),
            off_small=float(few[name][:, 1].mean()) - 100 * float(flags.mean()),
            off_large=float(many[name][:, 1].mean()) - 100 * float(flags.mean()),
        )
        for name, flags in counts.items()
    }


def _part(predictions: Predictions, indices: NDArray[np.int64]) -> Predictions:
    truth = predictions.truth
    return replace(
        predictions,
        scores=predictions.scores[indices],
        truth=None if truth is None else truth[indices],
        paths=tuple(predictions.paths[index] for index in indices),
    )


def print_simulated(found: Mapping[str, Mapping[str, Simulated]], small: int, large: int) -> None:
    """A table, a row for each file and figure."""
    headings = (
        *("counted", f"SE of {small}:\ncount", "estimate", "ratio", "said"),
        *(f"off at\n{small}", f"off at\n{large}"),
    )
    rows = table("file", "figure", *headings, words=(1,))
    for name, figures in found.items():
        for figure, one in figures.items():
            rows.add_row(
                name,
                figure,
                f"{one.counted:+.2f} ± {one.counted_error:.2f}",
                f"{one.count_spread:.2f}",
                f"{one.spread:.2f}",
                f"{one.ratio:.2f}",
                f"{one.said:.2f}",
                f"{one.off_small:+.2f}",
                f"{one.off_large:+.2f}",
            )
    console().print(rows)


@click.command()
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("candidates", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Labelled evaluation images."
)
@click.option("--small", default=150, show_default=True, type=click.IntRange(2))
@click.option("--large", default=2000, show_default=True, type=click.IntRange(2))
@click.option("--draws", default=1000, show_default=True, type=click.IntRange(20))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@json_option
@force_option
def command(
    reference: Path,
    candidates: tuple[Path, ...],
    data: Path,
    small: int,
    large: int,
    draws: int,
    seed: int,
    json_to: str | None,
    force: bool,
) -> None:
    """Compare estimates of drop and agreement with counts."""
    claim_outputs({"--json": json_to}, overwrite=force)
    names = open_classifier(reference).labels
    images = load_dataset(data, labels=names, classes=len(names))
    with progress_of("evaluating all") as progress:
        ours, *theirs = predict_many([reference, *candidates], images, progress=progress)
    how = {"small": small, "large": large, "draws": draws, "large_draws": draws // 10}
    found = {
        path.name: simulate(ours, one, seed=seed, **how)
        for path, one in zip(candidates, theirs, strict=True)
    }
    if json_to != "-":
        print_simulated(found, small, large)
    if json_to is not None:
        figures = {
            name: {figure: asdict(one) for figure, one in both.items()}
            for name, both in found.items()
        }
        write_json(
            {"format": FORMAT, "version": VERSION, "files": figures}, json_to, overwrite=force
        )


if __name__ == "__main__":
    run_study(command)
