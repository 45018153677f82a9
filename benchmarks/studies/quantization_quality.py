"""Ours against other ways to int8: what each costs, on the same images, in one run.

    python -m benchmarks.studies.quantization_quality --variant v2-b0 --weights FILE \\
        --calibration photos/ --data val.csv --max-drop 0.5

All get the same float network and the same calibration images, and are evaluated on the same
labelled ones: top-1, agreement with float, size, and time of one inference on one core, in turn.
The stock TensorFlow converter comes with the ``train`` extra; NNCF and OpenVINO take part where
they are installed. Options that are not listed here go to ``edge-effnet convert``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.studies.cli import run_installed, run_study
from benchmarks.studies.quantizers import TOOLS, Opened, Task, Tool
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.data.listing import load_dataset, load_images
from edge_effnet.errors import UsageProblem
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.measure.latency import interleaved_latency
from edge_effnet.metrics import Comparison, Predictions, compare_predictions
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluating.predict import predict
from edge_effnet.ui.console import console, megabytes
from edge_effnet.ui.options import force_option, json_option
from edge_effnet.ui.output import claim_outputs, write_json
from edge_effnet.ui.progress import progress_of, stages
from edge_effnet.ui.tables import table

FORMAT, VERSION = "edge-effnet/quantization-quality", 2


@dataclass(frozen=True)
class ToolResult:
    """One row of ``TOOLS``, measured.

    Attributes:
        comparison: against float in LiteRT (the first row), on the evaluation images.
        latency_ms: median of one inference on one core, the rows in turn; ``runtime``'s.
        latency_ratio: over the first row's.
    """

    name: str
    runtime: str
    size_bytes: int
    comparison: Comparison
    latency_ms: float
    latency_ratio: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "runtime": self.runtime,
            "size_bytes": self.size_bytes,
            "latency_ms": self.latency_ms,
            "latency_ratio": self.latency_ratio,
            **self.comparison.to_json(),
        }


def convert_ours(arguments: Sequence[str], out: Path) -> tuple[Path, Path]:
    """The float file and our int8 file, by the installed command.

    Raises:
        EdgeEffnetError: the conversion failed or missed its limit; its own lines are on stderr.
    """
    run_installed("convert", "--int8", *arguments, "--out", out)
    (reference,) = out.glob("*-float32.tflite")
    return reference, reference.with_name(reference.name.replace("float32", "int8"))


def open_all(tools: Sequence[Tool], task: Task) -> list[Opened]:
    """Each tool's network, made and opened."""
    opened = []
    with stages() as stage:
        for tool in tools:
            done = stage(f"{tool.name} ({tool.runtime})", None)
            opened.append(tool.make(task))
            done(1)
    return opened


def evaluate_all(
    tools: Sequence[Tool],
    opened: Sequence[Opened],
    reference: Path,
    data: Dataset,
    *,
    seconds: float,
) -> list[ToolResult]:
    """Measure the rows on the same images.

    Args:
        reference: the first row's file.
        seconds: of timing, all rows together.
    """
    with progress_of("evaluating float") as progress:
        truth = predict(reference, data, progress=progress)
    preprocessing = open_classifier(reference).preprocess
    scores: list[list[Any]] = [[] for _ in opened]
    with progress_of("evaluating all") as progress:
        for done, path in enumerate(truth.paths, 1):
            pixels = preprocess(read_image(path), preprocessing)
            for one, own in zip(opened, scores, strict=True):
                own.append(one.scores(one.tensor(pixels)))
            progress(done, len(truth.paths))
    grey = np.full(preprocessing.shape, 128, np.uint8)
    calls = [partial(one.scores, one.tensor(grey)) for one in opened]
    times = [found.median_ms for found in interleaved_latency(calls, min_seconds=seconds)]

    def predictions(own: list[Any]) -> Predictions:
        return replace(truth, scores=np.stack(own))

    return [
        ToolResult(
            tool.name,
            tool.runtime,
            one.size_bytes,
            compare_predictions(truth, predictions(own)),
            time_ms,
            time_ms / times[0],
        )
        for tool, one, own, time_ms in zip(tools, opened, scores, times, strict=True)
    ]


def print_results(results: Sequence[ToolResult], missing: Sequence[str]) -> None:
    """A table, a row for each network, and what could not take part."""
    out = console()
    figures = (
        "top-1",
        "drop",
        "agreement",
        "95 % interval",
        "score error",
        "size",
        "median",
        "ratio",
    )
    rows = table("int8 by", "runtime", *figures, words=(1,))
    for result in results:
        found = result.comparison
        low, high = found.agreement_interval_percent or (0.0, 100.0)
        error = found.score_error
        rows.add_row(
            result.name,
            result.runtime,
            found.candidate.headline.text if found.candidate else "–",
            f"{found.paired.drop_points:+.1f}" if found.paired else "–",
            f"{found.agreement_percent:.1f} %",
            f"{low:.1f}–{high:.1f}",
            f"{error.mean_l1:.3f}" if error else "–",
            megabytes(result.size_bytes),
            f"{result.latency_ms:.1f} ms",
            f"{result.latency_ratio:.2f}",
        )
    out.print(rows)
    out.print(
        f"int8 by these tools against float32, on {results[0].comparison.images} images; times "
        "are of one core and of the runtime named, in turn; scores of .tflite come in steps of "
        "1/256, OpenVINO's do not, which flatters its score error",
        style="dim",
    )
    if missing:
        out.print(
            f"left out, not installed: {', '.join(missing)} (pip install {' '.join(missing)})"
        )


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--variant", required=True, metavar="NAME")
@click.option("--weights", default="auto", show_default=True, metavar="auto|imagenet|FILE")
@click.option("--calibration", required=True, type=click.Path(path_type=Path))
@click.option("--calibration-images", default=200, show_default=True, type=click.IntRange(1))
@click.option(
    "--data", required=True, type=click.Path(path_type=Path), help="Labelled evaluation images."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0), help="Timing.")
@json_option
@force_option
@click.argument("others", nargs=-1, type=click.UNPROCESSED)
def command(
    variant: str,
    weights: str,
    calibration: Path,
    calibration_images: int,
    data: Path,
    seed: int,
    seconds: float,
    json_to: str | None,
    force: bool,
    others: tuple[str, ...],
) -> None:
    """Compare our int8 with that of other tools."""
    claim_outputs({"--json": json_to}, overwrite=force)
    if weights == "random":
        raise UsageProblem(
            "random weights are others for every tool",
            found="--weights random",
            expected="one network for all",
            fix="give a weight file",
        )
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["--variant", variant, "--weights", weights, "--seed", str(seed)]
        arguments += ["--calibration", str(calibration), "--data", str(data)]
        arguments += ["--calibration-images", str(calibration_images), *others]
        reference, ours = convert_ours(arguments, Path(folder))
        classifier = open_classifier(reference)
        evaluation_set = load_dataset(data, labels=classifier.names, classes=len(classifier.labels))
        images = balanced_sample(load_images(calibration), calibration_images, seed)
        task = Task(reference, ours, variant, weights, classifier.preprocess, images, Path(folder))
        tools = [tool for tool in TOOLS if not tool.missing]
        missing = sorted({package for tool in TOOLS for package in tool.missing})
        results = evaluate_all(
            tools, open_all(tools, task), reference, evaluation_set, seconds=seconds
        )
    if json_to != "-":
        print_results(results, missing)
    if json_to is not None:
        document = {
            "format": FORMAT,
            "version": VERSION,
            "variant": variant,
            "images": results[0].comparison.images,
            "calibration_images": len(images),
            "missing": missing,
            "candidates": [result.to_json() for result in results],
        }
        write_json(document, json_to, overwrite=force)


if __name__ == "__main__":
    run_study(command)
