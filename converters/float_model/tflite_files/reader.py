"""From a ``.tflite`` as its author left it to a float model that every recipe takes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from converters.float_model.read_model import ReadModel
from converters.float_model.source import file_origin
from converters.float_model.tflite_files.checks import refuse_unreadable
from converters.float_model.tflite_files.constants import fold_constants
from converters.float_model.tflite_files.editable import EditableGraph
from converters.float_model.tflite_files.fixed_shapes import (
    fix_input,
    refuse_several_answers,
    run_once,
    write_shapes,
)
from converters.float_model.tflite_files.float_image import take_float_answer, take_float_image
from converters.float_model.tflite_files.stored_weights import restore_weights
from edge_effnet.artifact import Artifact, read_artifact, split_archive
from edge_effnet.errors import UsageProblem
from edge_effnet.heads.tasks import open_size, size_command
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.runtime.input_pixels.input_tensor import by_quantization
from edge_effnet.runtime.interpreter import look_first
from edge_effnet.tflite.reader import Structure, parse_structure, read_model_bytes


def read_tflite_model(path: Path, *, resolution: int | None = None) -> ReadModel:
    """Read a user's float model, also one with dynamic-range or float16 weights.

    Args:
        resolution: side of the input in pixels, for a model that leaves it open.

    Raises:
        ModelError: damaged, no classifier of images, quantized already, or not to be run with
            one image.
        UsageProblem: an image size is needed and not given, or given and fixed already.
        MissingExtra: the ``convert`` extra is not installed.
    """
    artifact = read_artifact(path)
    model = split_archive(read_model_bytes(path), str(path))[0]
    refuse_unreadable(artifact.structure, path)
    look_first(path)  # what refuses to run as it is may run with another image size
    image = _image(artifact.structure, path, resolution)
    graph = EditableGraph(model, path.name)
    if len(graph.outputs) > len(artifact.structure.outputs):
        # The second one of a file of ours, for "unknown": features of what is made here differ.
        graph.keep_outputs(artifact.structure.outputs)
    cast_from = take_float_image(graph)
    take_float_answer(graph)
    batch = graph.shape(graph.inputs[0])[0]
    fix_input(graph, image)
    found = restore_weights(graph)
    interpreter = run_once(graph)
    if batch > 1:
        refuse_several_answers(graph, interpreter)
    write_shapes(graph, {one["index"]: one for one in interpreter.get_tensor_details()})
    fold_constants(graph, interpreter)
    if graph.changed:
        model = graph.pack()
    card = artifact.card
    return ReadModel(
        model=model,
        structure=parse_structure(model, path.name),
        origin=card.weights if card else file_origin(path),
        steps=(*(card.steps if card else ()), *_steps(found)),
        notices=_notices(found, path),
        card=card,
        labels=artifact.labels,
        found=_found(artifact, image, cast_from=cast_from),
    )


def _found(
    artifact: Artifact, image: tuple[int, int, int], *, cast_from: str | None
) -> FoundPreprocess | None:
    """What the file says of how an image becomes its input."""
    if artifact.preprocess is not None:
        origin = "its card" if artifact.card else "its TFLite metadata"
        return FoundPreprocess(artifact.preprocess, origin)
    base = foreign_preprocess(*image)
    if cast_from == "int8":  # which holds no pixel above 127
        return FoundPreprocess(replace(base, mean=(128.0,), std=(1.0,)), "its int8 input")
    if cast_from is not None:
        return FoundPreprocess(base, "its integer input")
    evidence = by_quantization(artifact.structure, base)
    return evidence.found if evidence and evidence.strength == "stated" else None


def _image(structure: Structure, path: Path, resolution: int | None) -> tuple[int, int, int]:
    """Height, width and channels of the input."""
    _, height, width, channels = structure.tensors[structure.inputs[0]].shape
    if channels not in {1, 3}:  # first, not last
        channels, height, width = height, width, channels
    if open_size(structure):
        if resolution is None:
            raise UsageProblem(
                f"{path.name} leaves the size of its images open",
                found="no --resolution",
                expected="the side in pixels that it was trained on",
                fix=f"for example: {size_command(str(path))}",
            )
        return resolution, resolution, channels
    if resolution is not None and (height, width) != (resolution, resolution):
        raise UsageProblem(
            f"{path.name} has a fixed image size, which --resolution does not change",
            found=f"--resolution {resolution} for {height}x{width}",
            fix="leave --resolution out",
        )
    return height, width, channels


def _steps(found: Counter[str]) -> tuple[dict[str, object], ...]:
    return ({"step": "expanded", "weights": dict(found)},) if found else ()


def _notices(found: Counter[str], path: Path) -> tuple[str, ...]:
    if not found:
        return ()
    return (
        f"the weights of {path.name} were rounded before, to {' and '.join(sorted(found))}: the "
        "float model here has exactly those, so what is measured is the loss against it, not "
        "against the network that it was made from",
    )
