"""A user's own model file: what it is, decided by its content, and what it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from converters.float_model.choice import model_name
from converters.float_model.keras_files.reader import read_keras_model
from converters.float_model.read_model import ReadModel
from converters.float_model.source import Source, checked_names, file_origin
from converters.float_model.tflite_files.checks import refuse_too_large
from converters.float_model.tflite_files.reader import read_tflite_model
from edge_effnet.artifact import Card
from edge_effnet.data.label_files import choose_names
from edge_effnet.errors import EdgeEffnetError, MissingExtra, ModelError
from edge_effnet.heads.head import Head, find_head
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.heads.tasks import refuse_other_tasks
from edge_effnet.heads.thresholds import ClassThreshold
from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.model_files import identify, refusal, unpacked
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.file_evidence import (
    contradiction,
    evidence_of,
    unlikely_line,
    with_told,
)
from edge_effnet.tflite.reader import Structure

_TFLITE = ("tflite", "tflite-package")


def from_file(
    path: Path,
    *,
    labels: Sequence[str] | None,
    preprocess: str | None,
    head: HeadChoice | None = None,
    resolution: int | None = None,
) -> Source:
    """A user's own float model, of Keras or TFLite.

    Args:
        resolution: side of the input in pixels, for a model that takes any.

    Raises:
        ModelError: not such a file, damaged, or already quantized.
    """
    read = _read(path, resolution)
    settings, evidence, doubt = _preprocess_of(read, path, preprocess)
    card = read.card
    found = find_head(read.structure, path.name, choice=head, stated=card.head if card else None)
    names, label_file = choose_names(labels, read.labels, path, found)
    return Source(
        name=model_name(path),
        model=read.model,
        structure=read.structure,
        head=found,
        preprocess=settings,
        labels=checked_names(names, found, path.name),
        variant=card.variant if card else None,
        weights=read.origin,
        steps=read.steps,
        notices=(*read.notices, *filter(None, [label_file.notice, doubt])),
        evidence=evidence,
        thresholds=_thresholds(card, found, settings, names),
    )


def _thresholds(
    card: Card | None, head: Head, settings: Preprocess, names: Sequence[str] | None
) -> Mapping[str, ClassThreshold]:
    """Those of a card that still says how pixels become the input and what the scores mean."""
    if card is None or card.preprocess != settings or tuple(names or ()) != card.labels:
        return {}
    return card.thresholds if card.head is None or card.head.kind == head.kind else {}


def _read(path: Path, resolution: int | None) -> ReadModel:
    """Read a file by what is in it, and a zip archive by the model in it."""
    found = identify(path)
    if "convert" not in found.kind.uses:
        raise refusal(found, "convert")
    if found.kind.code in _TFLITE:
        return read_tflite_model(path, resolution=resolution)
    read = _read_keras(path, resolution)
    refuse_other_tasks(read.structure, str(path))
    refuse_too_large(read.structure, path)
    return read


def _read_keras(path: Path, resolution: int | None) -> ReadModel:
    """Read a Keras file or a SavedModel, also one in a zip archive."""
    with unpacked(path) as model:
        if model == path:
            return read_keras_model(path, resolution=resolution)
        try:
            if "convert" not in identify(model).kind.uses:
                raise refusal(identify(model), "convert")
            read = read_keras_model(model, resolution=resolution)
        except EdgeEffnetError as error:
            raise _said_of(path, model, error) from error
        own = f"{model.name} "
        notices = tuple(
            f"{path.name} {line.removeprefix(own)}" if line.startswith(own) else line
            for line in read.notices
        )
        return replace(read, origin=file_origin(path), notices=notices)


def _said_of(path: Path, model: Path, error: EdgeEffnetError) -> EdgeEffnetError:
    """An error about an unpacked model, with the name of the user's archive."""
    if isinstance(error, MissingExtra):
        return error
    parts = (error.what, error.found, error.expected, error.fix)
    what, found, expected, fix = (part and part.replace(str(model), str(path)) for part in parts)
    return type(error)(what or "", found=found, expected=expected, fix=fix or "")


def _preprocess_of(
    read: ReadModel, path: Path, asked: str | None
) -> tuple[Preprocess, Evidence | None, str | None]:
    """How an image becomes the model's input; where neither the user nor a card says so, from
    what that is known; and a line where the file speaks against what the user says."""
    _refuse_other_inputs(read.structure, path)
    if read.card is not None:
        settings = read.card.preprocess
        return parse_preprocess(asked, settings) if asked else settings, None, None
    stated = read.found.settings if read.found and identify(path).kind.code in _TFLITE else None
    evidence = evidence_of(read.model, read.structure, stated=stated, found=read.found)
    if stated is not None and read.found is not None:
        evidence = replace(evidence, reason=read.found.reason)
    told = with_told(evidence, asked) if asked else evidence
    settings = told.settings if isinstance(told, Evidence) else told
    _refuse_other_depth(settings, read.structure, path)
    if isinstance(told, Evidence):
        return settings, told, None
    doubt = contradiction(evidence, told)
    if evidence.strength == "open":
        doubt = unlikely_line(read.model, read.structure, told)
    return told, None, doubt and f"{path.name}: {doubt}"


def _refuse_other_depth(told: Preprocess, structure: Structure, path: Path) -> None:
    shape = structure.tensors[structure.inputs[0]].shape[1:]
    if told.shape != shape:
        raise ModelError(
            f"{path} takes another number of channels than --preprocess makes",
            found=f"{told.depth} with channels={told.channels}",
            expected=f"{shape[-1]}",
            fix="leave channels= out of --preprocess",
        )


def _refuse_other_inputs(structure: Structure, path: Path) -> None:
    """Raise ModelError where the model does not take one image."""
    shapes = [structure.tensors[index].shape for index in structure.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][3] not in (1, 3):
        raise ModelError(
            f"{path} does not take one image",
            found=f"input shapes {[list(shape) for shape in shapes]}",
            expected="one of [1, height, width, 3], or 1 at the end for grey images",
            fix="export the part of it that classifies one image, with channels last",
        )
