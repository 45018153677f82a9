"""A whole model file as the teacher of ``train --teacher``: Keras's, or a float ``.tflite``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np

from converters.float_model.file_source import from_file
from converters.float_model.input_pixels import settle_input
from converters.float_model.source import file_origin
from edge_effnet.arrays import Float32Array
from edge_effnet.data.threads import ahead
from edge_effnet.errors import ModelError
from edge_effnet.runtime.input_pixels.running import open_running
from edge_effnet.runtime.tensors import dequantize_out, quantize_in, tensor_format
from edge_effnet.stages import StartStage, no_progress
from edge_effnet.training.teacher.teacher import Teacher, log_scores


def open_teacher(
    path: Path, *, data: Path | None, workers: int, stage: StartStage = no_progress
) -> Teacher:
    """Open a model file as ``convert --model`` reads it, to be asked for scores.

    Args:
        data: labelled images, which tell how pixels become the input where the file does not.
        workers: threads that ask it, each an interpreter of its own.

    Raises:
        ModelError: no model, quantized, not one that answers a class, or nothing tells how pixels
            become its input.
        MissingExtra: a Keras file, and TensorFlow is not installed.
    """
    source = from_file(path, labels=None, preprocess=None)
    source = settle_input(source, data=data, calibration=None, workers=workers, stage=stage)
    head = source.head
    if head.task != "classes":
        raise ModelError(
            f"{path} cannot teach a classifier",
            found=f"a {head.kind} head, for {head.task}",
            expected="a network that answers one class",
            fix="give another teacher",
        )
    first = open_running(source.model)
    if first is None:
        raise ModelError(
            f"{path} does not run on this machine", fix="give another teacher, or a .keras file"
        )
    idle: SimpleQueue[Any] = SimpleQueue()
    for interpreter in (first, *(open_running(source.model) for _ in range(workers - 1))):
        idle.put(interpreter)
    inputs, outputs = first.get_input_details()[0], first.get_output_details()[0]
    form_in, form_out = tensor_format(inputs), tensor_format(outputs)

    def scores(ready: Float32Array) -> Float32Array:
        interpreter = idle.get()
        try:
            interpreter.set_tensor(inputs["index"], quantize_in(ready, form_in)[None])
            interpreter.invoke()
            stored = interpreter.get_tensor(outputs["index"])
            return head.scores(dequantize_out(stored, form_out).reshape(-1))
        finally:
            idle.put(interpreter)

    def answer(ready: Float32Array) -> Float32Array:
        with closing(ahead(scores, ready, workers)) as found:
            return log_scores(np.stack(list(found)))

    return Teacher(
        name=str(path),
        path=path,
        labels=source.labels,
        classes=head.classes,
        preprocess=source.preprocess,
        answer=answer,
        # Of the file itself: what a card says is of the weights that it was made from.
        origin=file_origin(path) if path.is_file() else dict(source.weights),
        steps=source.steps,
        notices=source.notices,
    )
