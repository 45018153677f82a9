"""``edge-effnet evaluate``: the accuracy of one model on labelled images."""

from __future__ import annotations

from pathlib import Path

import click

from edge_effnet.commands.image_options import (
    data_option,
    labels_option,
    preprocess_option,
    print_data,
    refuse_bad_output,
    strict_option,
    threads_option,
    top_option,
)
from edge_effnet.commands.options import force_option, json_option, write_json


@click.command("evaluate")
@click.argument("model", type=click.Path(path_type=Path))
@data_option
@labels_option
@preprocess_option
@top_option
@json_option
@force_option
@strict_option
@threads_option
def command(
    model: Path,
    data: Path,
    labels: Path | None,
    preprocess: str | None,
    top: int,
    json_to: str | None,
    force: bool,
    strict: bool,
    threads: int | None,
) -> None:
    """Measure a model's accuracy on images whose classes are known.

    Top-1 with its interval, top-k, precision, recall and F1 of each class, the commonest
    mistakes and the calibration error. Labels and preprocessing come from inside the model
    where it carries them.

    \b
    Examples:
      edge-effnet evaluate b0-int8.tflite --data photos/
      edge-effnet evaluate b0-int8.tflite --data val/labels.csv --json -
      edge-effnet evaluate other.tflite --data photos/ --labels names.txt \\
          --preprocess mean=127.5,std=127.5
    """
    from edge_effnet.commands import tables
    from edge_effnet.commands.progress import progress_of
    from edge_effnet.data.labels import read_labels
    from edge_effnet.data.listing import load_dataset
    from edge_effnet.metrics import summarize
    from edge_effnet.runtime.classifier import open_classifier
    from edge_effnet.runtime.evaluation import predict

    refuse_bad_output(json_to, overwrite=force)
    names = read_labels(labels, data) if labels else None
    classifier = open_classifier(model, labels=names, preprocess=preprocess)
    tables.print_notice(classifier.notice)
    dataset = load_dataset(data, labels=classifier.names, classes=len(classifier.labels))
    print_data(dataset)
    with progress_of(f"evaluating {model.name}") as progress:
        predictions = predict(
            model,
            dataset,
            labels=dataset.labels or names,
            preprocess=preprocess,
            workers=threads,
            strict=strict,
            progress=progress,
        )
    summary = summarize(predictions, top=top)
    if json_to != "-":
        tables.print_summary(summary, dataset.source)
    if json_to is not None:
        document = {**summary.to_json(), **dataset.reading_json()}
        write_json(document, json_to, overwrite=force)
