"""The ``--layers`` part of ``edge-effnet compare``; that command names it as a string."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from converters.analysis.layer_error import measure_layers
from converters.analysis.layer_error_plot import layer_error_plot
from converters.analysis.layer_error_table import print_layer_errors
from converters.calibration.representative import network_input
from converters.float_model.tflite_files.reader import read_tflite_model
from edge_effnet.artifact import split_archive
from edge_effnet.data.dataset import Dataset
from edge_effnet.data.division.split import balanced_sample
from edge_effnet.errors import DataError
from edge_effnet.files.write import write_atomically
from edge_effnet.heads.tasks import is_quantized
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.plots import missing_extra
from edge_effnet.system.cores import available_cores
from edge_effnet.tflite.reader import parse_structure, read_model_bytes
from edge_effnet.ui.progress import stages

IMAGES = 16
_FLOAT_TRIALS = 5


def compare_layers(
    reference: Path,
    candidate: Path,
    dataset: Dataset,
    preprocess: tuple[Preprocess, Preprocess],
    *,
    workers: int | None,
    plot: Path | None,
    table: bool,
    overwrite: bool,
) -> dict[str, Any]:
    """Measure, print and draw the layers of two files; returns what ``--json`` writes.

    Args:
        preprocess: of the reference and of the candidate.
        plot: SVG or PNG file to write, or None.
        table: whether to print.

    Raises:
        ModelError: not a float file and the int8 file made from it.
        DataError: no image can be read.
        MissingExtra: a plot is wanted and Matplotlib is not installed.
    """
    if plot is not None and (missing := missing_extra()):
        raise missing
    model, quantized = (
        _as_read(reference),
        split_archive(read_model_bytes(candidate), str(candidate))[0],
    )
    sample = balanced_sample(dataset, len(dataset), seed=0)
    images, inputs = (list(islice(_readable(sample, one), IMAGES)) for one in preprocess)
    if not images:
        raise DataError(f"none of the images of {dataset.source} can be read", fix="replace them")
    with stages() as stage:
        done = None

        def progress(count: int, total: int) -> None:
            nonlocal done
            done = done or stage(f"measuring the layers of {candidate.name}", total)
            done(count)

        errors = measure_layers(
            model,
            quantized,
            images,
            inputs=inputs,
            float_trials=_FLOAT_TRIALS,
            workers=workers or available_cores(),
            progress=progress,
        )
    if table:
        print_layer_errors(errors)
    if plot is not None:
        title = f"{candidate.name} against {reference.name}"
        write_atomically(plot, layer_error_plot(errors, title, plot.suffix), overwrite=overwrite)
    return errors.to_json()


def _as_read(reference: Path) -> bytes:
    """The float model as ``convert`` reads it: a user's own file too, such as one with operator
    codes in the old field only."""
    model = split_archive(read_model_bytes(reference), str(reference))[0]
    if is_quantized(parse_structure(model, str(reference))):
        return model  # refused as any other that is no float model
    return read_tflite_model(reference).model


def _readable(dataset: Dataset, preprocess: Preprocess) -> Any:
    for sample in dataset.samples:
        try:
            yield network_input(sample.path, preprocess)
        except DataError:
            continue
