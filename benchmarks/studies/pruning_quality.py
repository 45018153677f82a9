"""Our structured pruning against uniform magnitude pruning: same multiply-adds, same recovery.

    python -m benchmarks.studies.pruning_quality --variant v2-b0 --weights best.h5 --data train/ \\
        --val val/ --work pruning/ --json pruning.json

Every network is pruned by the installed command, converted to int8 by it, and evaluated on the
same images; the files are timed in turn within one run. A run that is already in the work
folder is taken over, so that an interrupted benchmark goes on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import click

from benchmarks.studies.cli import run_installed, run_study
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import UsageProblem
from edge_effnet.measure.timing import time_files
from edge_effnet.metrics import summarize_classes
from edge_effnet.runtime.evaluating.predict import predict_many
from edge_effnet.ui.console import console
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.progress import progress_of
from edge_effnet.ui.tables import table

FORMAT = "edge-effnet/pruning-quality"
RECIPES = ("float32", "int8")


@dataclass(frozen=True)
class Way:
    """One way to choose channels and widths, as options of ``edge-effnet prune``."""

    name: str
    options: tuple[str, ...]


WAYS = (
    Way("measured sensitivity, Taylor", ("--allocation", "measured", "--importance", "taylor")),
    Way("uniform, magnitude", ("--allocation", "uniform", "--importance", "magnitude")),
)


@dataclass(frozen=True)
class PrunedFiles:
    """One pruned network, or the whole one.

    Attributes:
        way: of ``WAYS``; None for the whole network.
        share: of the multiply-adds that was asked for; 1 for the whole network.
        macs_share, params_share: that are really left.
        files: by recipe.
    """

    way: str | None
    share: float
    seed: int
    macs_share: float
    params_share: float
    files: dict[str, Path]


@dataclass(frozen=True)
class StudyRow:
    """One line of the table: the mean over seeds.

    Attributes:
        top1_percent: mean, least and most over the seeds.
        size_ratio: of the whole network's float file.
        latency_ratio: of the whole network's file of the same recipe, one core, in turn; of the
            first seed's network.
    """

    way: str | None
    share: float
    recipe: str
    seeds: tuple[int, ...]
    macs_share: float
    params_share: float
    size_ratio: float
    top1_percent: tuple[float, float, float]
    drop_points: float
    latency_ratio: float


def converted(
    variant: object, weights: object, data: Path, val: Path, out: Path
) -> dict[str, Path]:
    """The float and the int8 file of a network."""
    if not out.is_dir() or len(list(out.glob("*.tflite"))) < len(RECIPES):
        run_installed(
            "convert", "--variant", variant, "--weights", weights, "--int8", "--calibration", data,
            "--data", val, "--eval-images", 100, "--out", out, "--force",
        )  # fmt: skip
    return {recipe: next(out.glob(f"*-{recipe}.tflite")) for recipe in RECIPES}


def prune(
    way: Way, share: float, seed: int, given: dict[str, Any], extra: Sequence[str]
) -> tuple[dict[str, Any], Path]:
    """The result of one pruning run, and its folder.

    Raises:
        UsageProblem: the folder holds a run with other settings.
    """
    folder = given["work"] / f"{way.options[1]}-{share:g}-seed{seed}"
    result = folder / "result.json"
    options = (
        "--variant", given["variant"], "--weights", given["weights"], "--data", given["data"],
        "--val", given["val"], "--target-macs", share, "--seed", seed, *way.options, *extra,
    )  # fmt: skip
    if (folder / "prune.json").exists():
        refuse_other_run(folder, dict(zip(options[::2], options[1::2], strict=True)))
        if not result.exists():
            run_installed("prune", "--resume", folder, "--json", result, "--force")
    else:
        run_installed("prune", *options, "--run", folder, "--json", result)
    return json.loads(result.read_text()), folder


def refuse_other_run(folder: Path, options: dict[str, Any]) -> None:
    """Raise UsageProblem where the run in ``folder`` was told something else."""
    own = json.loads((folder / "prune.json").read_text())
    own["target_macs"] = own["target"]
    for option, value in options.items():
        name = option.removeprefix("--").replace("-", "_")
        if str(own[name]) != str(value):
            raise UsageProblem(
                f"{folder} holds a run with another {option}",
                found=str(own[name]),
                expected=str(value),
                fix="choose another --work, or remove the run",
            )


def make_all(
    given: dict[str, Any], shares: Sequence[float], seeds: Sequence[int], extra: Sequence[str]
) -> list[PrunedFiles]:
    """The whole network and every pruned one."""
    whole = converted(
        given["variant"], given["weights"], given["data"], given["val"], given["work"] / "whole"
    )
    made = [PrunedFiles(None, 1.0, 0, 1.0, 1.0, whole)]
    for share in shares:
        for way in WAYS:
            for seed in seeds:
                result, folder = prune(way, share, seed, given, extra)
                first, last = result["networks"]
                files = converted(
                    result["variant"], result["weights"], given["data"], given["val"],
                    folder / "files",
                )  # fmt: skip
                made.append(
                    PrunedFiles(
                        way.name,
                        share,
                        seed,
                        last["macs"] / first["macs"],
                        last["parameters"] / first["parameters"],
                        files,
                    )
                )
    return made


def evaluate_all(made: Sequence[PrunedFiles], val: Path) -> list[dict[str, float]]:
    """Top-1 in percent of every network's files, on all images of ``val``."""
    dataset = load_dataset(val)
    files = [path for one in made for path in one.files.values()]
    with progress_of("evaluating") as progress:
        predictions = predict_many(files, dataset, progress=progress)
    top1 = [summarize_classes(one).top1_percent for one in predictions]
    top1_of_file = iter(top1)
    return [{recipe: next(top1_of_file) for recipe in one.files} for one in made]


def time_all(made: Sequence[PrunedFiles], *, seconds: float = 10) -> list[dict[str, float]]:
    """Median milliseconds of every network's files, all in turn, one core."""
    files = [path for one in made for path in one.files.values()]
    medians = iter(time_files(files, seconds=seconds, min_rounds=50).medians_ms)
    return [{recipe: next(medians) for recipe in one.files} for one in made]


def rows_of(
    made: Sequence[PrunedFiles], top1: Sequence[dict[str, float]], timed: Sequence[dict[str, float]]
) -> list[StudyRow]:
    """Means over seeds; the first row is the whole network's."""
    rows = []
    whole_bytes = made[0].files["float32"].stat().st_size
    for key in dict.fromkeys((one.share, one.way) for one in made):
        indices = [i for i, one in enumerate(made) if (one.share, one.way) == key]
        for recipe in RECIPES:
            right = [top1[i][recipe] for i in indices]
            rows.append(
                StudyRow(
                    way=key[1],
                    share=key[0],
                    recipe=recipe,
                    seeds=tuple(made[i].seed for i in indices),
                    macs_share=mean(made[i].macs_share for i in indices),
                    params_share=mean(made[i].params_share for i in indices),
                    size_ratio=mean(made[i].files[recipe].stat().st_size for i in indices)
                    / whole_bytes,
                    top1_percent=(mean(right), min(right), max(right)),
                    drop_points=top1[0][recipe] - mean(right),
                    latency_ratio=timed[indices[0]][recipe] / timed[0][recipe],
                )
            )
    return rows


def print_rows(rows: Sequence[StudyRow]) -> None:
    headings = ("recipe", "MACs", "params", "size", "top-1", "least…most", "drop", "latency")
    lines = table("network", *headings)
    for row in rows:
        middle, least, most = row.top1_percent
        lines.add_row(
            row.way or "whole",
            row.recipe,
            f"{row.macs_share:.3f}",
            f"{row.params_share:.3f}",
            f"{row.size_ratio:.3f}",
            f"{middle:.1f} %",
            f"{least:.1f}…{most:.1f}" if len(row.seeds) > 1 else "–",
            f"{row.drop_points:+.1f}",
            f"{row.latency_ratio:.2f}",
        )
    out = console()
    out.print(lines)
    out.print(
        "shares are of the whole network, size of its float file, latency of the same recipe's "
        "file on one core, all files in turn"
    )


@click.command()
@click.option("--variant", required=True)
@click.option("--weights", required=True, help="A checkpoint of the whole network.")
@click.option("--data", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--val", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder of the runs.")
@click.option("--shares", default="0.7,0.5", show_default=True)
@click.option("--seeds", default="0,1,2", show_default=True)
@click.option("--epochs", default=10, show_default=True)
@click.option("--steps", default=2, show_default=True)
@json_option
@force_option
def command(**given: Any) -> None:
    """Compare ways of pruning; prints a table."""
    claim_outputs({"--json": given["json_to"]}, overwrite=given["force"])
    shares = [float(share) for share in given["shares"].split(",")]
    seeds = [int(seed) for seed in given["seeds"].split(",")]
    extra = ["--epochs", str(given["epochs"]), "--steps", str(given["steps"])]
    made = make_all(given, shares, seeds, extra)
    rows = rows_of(made, evaluate_all(made, given["val"]), time_all(made))
    if given["json_to"] != "-":
        print_rows(rows)
    if given["json_to"]:
        document = {"format": FORMAT, "version": 1, "rows": [asdict(row) for row in rows]}
        write_json(document, given["json_to"], overwrite=given["force"])


if __name__ == "__main__":
    run_study(command)
