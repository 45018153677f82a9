"""Ours against the stock TensorFlow converter: what int8 costs, on the same images, in one run.

    python -m benchmarks.quantization_quality --variant v2-b0 --weights FILE \\
        --calibration photos/ --data val.csv --max-drop 0.5

Both get the same float network and the same calibration images, and are judged by the same
labelled ones: top-1, agreement with float, size, and time of one inference, in turn. Options
that are not listed here go to ``edge-effnet convert``.
"""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.table import Table

from edge_effnet.artifact import Card, write_artifact
from edge_effnet.commands.image_options import refuse_bad_output
from edge_effnet.commands.options import console, force_option, json_option, megabytes, write_json
from edge_effnet.commands.progress import progress_of
from edge_effnet.data.listing import Dataset, balanced_sample, load_dataset, load_images
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.image import normalize, preprocess, read_image
from edge_effnet.measure.latency import interleaved_latency
from edge_effnet.metrics import Comparison, compare_predictions
from edge_effnet.native_log import native_output_hidden
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.runtime.evaluation import predict_many
from edge_effnet.variant_files import find_variant

FORMAT = "edge-effnet/quantization-quality"


@dataclass(frozen=True)
class Candidate:
    """One way to int8, measured.

    Attributes:
        comparison: against float, on the images that judge.
        latency_ratio: median of one inference on one core, over float's, the files in turn.
    """

    name: str
    size_bytes: int
    comparison: Comparison
    latency_ratio: float

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "size_bytes": self.size_bytes,
            "latency_ratio": self.latency_ratio,
            **self.comparison.to_json(),
        }


def convert_ours(arguments: Sequence[str], out: Path) -> tuple[Path, Path]:
    """The float file and our int8 file, by the installed command.

    Raises:
        EdgeEffnetError: the conversion failed or missed its limit; its own lines are on stderr.
    """
    command = [sys.executable, "-m", "edge_effnet", "convert", "--int8", *arguments]
    ended = subprocess.run([*command, "--out", str(out)], stdout=subprocess.DEVNULL, check=False)
    if ended.returncode:
        raise EdgeEffnetError(
            "edge-effnet convert did not give an int8 file",
            found=f"exit code {ended.returncode}",
            fix="see its message above",
        )
    (reference,) = out.glob("*-float32.tflite")
    return reference, reference.with_name(reference.name.replace("float32", "int8"))


def convert_stock(
    reference: Path, variant: str, weights: str, images: Dataset, destination: Path
) -> None:
    """What ``tf.lite.TFLiteConverter`` makes of the same network and images: full int8.

    Written with the labels and preprocessing of ``reference``, so that it is asked the same.
    """
    import tensorflow as tf

    from edge_effnet.network.backend import keras_module
    from edge_effnet.network.resolve import load, resolve_weights

    keras = keras_module()

    classifier = open_classifier(reference)
    how, labels = classifier.how, classifier.labels
    spec = find_variant(variant)
    resolved = resolve_weights(spec, weights, runs=Path("runs"))
    network = load(spec, resolved, resolution=how.height, classes=resolved.classes or len(labels))

    def pictures() -> Iterator[list[np.ndarray[Any, Any]]]:
        for sample in images.samples:
            yield [normalize(preprocess(read_image(sample.path), how), how)[None]]

    pixels = keras.Input((how.height, how.width, 3), batch_size=1)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(pixels, network(pixels)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = pictures
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    with native_output_hidden(), contextlib.redirect_stdout(io.StringIO()):
        model = converter.convert()
    write_artifact(destination, model, Card("stock", labels, how))


def judge(files: Sequence[tuple[str, Path]], data: Dataset) -> list[Candidate]:
    """Measure float (the first file) and the others on the same images."""
    paths = [path for _, path in files]
    with progress_of("judging") as progress:
        reference, *others = predict_many(paths, data, progress=progress)
    calls = []
    for path in paths:
        classifier = open_classifier(path)
        grey = np.full((classifier.how.height, classifier.how.width, 3), 128, np.uint8)
        tensor = classifier.tensor(grey)
        calls.append(lambda ask=classifier.scores_of_input, given=tensor: ask(given))
    float_time, *times = [found.median_ms for found in interleaved_latency(calls, min_seconds=3)]
    return [
        Candidate(
            name,
            path.stat().st_size,
            compare_predictions(reference, found),
            time_ms / float_time,
        )
        for (name, path), found, time_ms in zip(files[1:], others, times, strict=True)
    ]


def print_candidates(candidates: Sequence[Candidate], reference: Path) -> None:
    """A table: float, the stock converter, ours."""
    out = console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("int8 by")
    for heading in ("top-1", "drop", "agreement", "95 %", "score error", "size", "of float's time"):
        table.add_column(heading, justify="right")
    for candidate in candidates:
        found = candidate.comparison
        low, high = found.agreement_interval_percent
        table.add_row(
            candidate.name,
            f"{found.candidate.top1_percent:.1f} %" if found.candidate else "–",
            f"{found.paired.drop_points:+.2f}" if found.paired else "–",
            f"{found.agreement_percent:.2f} %",
            f"{low:.1f}–{high:.1f}",
            f"{found.score_error.mean_l1:.3f}",
            megabytes(candidate.size_bytes),
            f"{candidate.latency_ratio:.2f}",
        )
    out.print(table)
    first = candidates[0].comparison
    if first.reference:
        out.print(
            f"float: {first.reference.top1_percent:.1f} %, "
            f"{megabytes(reference.stat().st_size)}; {first.images} images"
        )


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--variant", required=True, metavar="NAME")
@click.option("--weights", default="auto", show_default=True, metavar="auto|imagenet|FILE")
@click.option("--calibration", required=True, type=click.Path(path_type=Path))
@click.option("--calibration-images", default=200, show_default=True, type=click.IntRange(1))
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Judges; labelled.")
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0))
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
    json_to: str | None,
    force: bool,
    others: tuple[str, ...],
) -> None:
    """Compare our int8 with the stock TensorFlow converter's."""
    refuse_bad_output(json_to, overwrite=force)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        arguments = ["--variant", variant, "--weights", weights, "--seed", str(seed)]
        arguments += ["--calibration", str(calibration), "--data", str(data)]
        arguments += ["--calibration-images", str(calibration_images), *others]
        reference, ours = convert_ours(arguments, out)
        stock = out / "stock-int8.tflite"
        images = balanced_sample(load_images(calibration), calibration_images, seed)
        convert_stock(reference, variant, weights, images, stock)
        judges = load_dataset(data, labels=open_classifier(reference).labels)
        candidates = judge(
            [("float", reference), ("TensorFlow", stock), ("edge-effnet", ours)], judges
        )
        print_candidates(candidates, reference)
        if json_to is not None:
            result = {
                "format": FORMAT,
                "version": 1,
                "variant": variant,
                "images": len(judges),
                "candidates": [candidate.to_json() for candidate in candidates],
            }
            write_json(result, json_to, overwrite=force)


def main() -> None:
    """Run the command; what a user can mend is one line."""
    try:
        command()
    except EdgeEffnetError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
