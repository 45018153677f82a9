"""A model file with everything needed to ask it about an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.arrays import Float32Array
from edge_effnet.artifact import Card, read_artifact
from edge_effnet.data.label_files import LabelFile, choose_names
from edge_effnet.data.labels import listed, same_names
from edge_effnet.errors import ModelError
from edge_effnet.heads.head import Head, find_head, fit_names, fix_of_names, numbers
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.heads.tasks import refuse_other_tasks, refuse_unfixed_input
from edge_effnet.heads.unknown import Unknown
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize, preprocess
from edge_effnet.metrics import refuse_other_head, require_same_labels
from edge_effnet.plurals import counted
from edge_effnet.runtime.input_pixels.input_tensor import keeps_pixels
from edge_effnet.runtime.input_pixels.known import InputPixels, input_pixels
from edge_effnet.runtime.interpreter import open_interpreter
from edge_effnet.runtime.tensors import TensorFormat, dequantize_out, quantize_in, tensor_format


@dataclass(frozen=True)
class Classifier:
    """An open classifier. One per thread: an interpreter is not shared.

    Attributes:
        labels: names in index order, one for each score.
        names: the same, where somebody named them; None where ``labels`` only counts them.
        label_file: beside the model, where the names are from one.
        head: what its answer means.
        pixels: what images go through, and how that is known.
        card: the model card, None for a file that was not made by this toolkit.
        notice: what the user should know about how it runs, or None.
    """

    path: Path
    labels: tuple[str, ...]
    names: tuple[str, ...] | None
    label_file: LabelFile
    head: Head
    pixels: InputPixels
    card: Card | None
    notice: str | None
    input_format: TensorFormat
    output_format: TensorFormat
    _interpreter: Any = field(repr=False)
    _input_index: int
    _output_index: int
    _similarity_index: int | None = None

    @property
    def preprocess(self) -> Preprocess:
        """What images go through."""
        return self.pixels.settings

    @property
    def notices(self) -> tuple[str, ...]:
        """What the user should know about how it runs, where its labels are from and how its
        input is made."""
        return (*self.other_notices, *self.pixels.notices)

    @property
    def other_notices(self) -> tuple[str, ...]:
        """The same without how its input is made."""
        return tuple(filter(None, (self.notice, self.label_file.notice)))

    def scores(self, pixels: Pixels) -> Float32Array:
        """Scores of a whole RGB image of any size: float32, (labels,); see ``Head.scores``."""
        return self.scores_of_input(self.tensor(preprocess(pixels, self.preprocess)))

    def tensor(self, prepared: Pixels) -> NDArray[Any]:
        """What ``preprocess`` made to the stored values of the input tensor."""
        if self._keeps_pixels:
            return prepared[None]
        return quantize_in(normalize(prepared, self.preprocess), self.input_format)[None]

    @cached_property
    def _keeps_pixels(self) -> bool:
        return keeps_pixels(self.preprocess, self.input_format)

    def scores_of_input(self, tensor: NDArray[Any]) -> Float32Array:
        """Scores of a ready input tensor: float32, (labels,); see ``Head.scores``."""
        self._interpreter.set_tensor(self._input_index, tensor)
        self._interpreter.invoke()
        stored = self._interpreter.get_tensor(self._output_index)
        return self.head.scores(dequantize_out(stored, self.output_format).reshape(-1))

    @property
    def unknown(self) -> Unknown | None:
        """When it answers "unknown"; None for a file that always answers a class, which has no
        ``similarity`` either."""
        return self.card.unknown if self.card and self._similarity_index is not None else None

    def similarity(self) -> float | None:
        """Of what it was asked about last: the largest cosine to the mean features of a class, -1
        to 1. None for a file without that."""
        if self._similarity_index is None:
            return None
        return float(self._interpreter.get_tensor(self._similarity_index).max())


def open_classifier(
    path: Path,
    *,
    labels: Sequence[str] | None = None,
    preprocess: Preprocess | str | None = None,
    head: HeadChoice | None = None,
    threads: int = 1,
    delegate: bool = True,
    ask: bool = True,
    in_memory: bool = False,
) -> Classifier:
    """Open a classifier: labels and preprocessing come from inside the file.

    Args:
        labels: for a file that carries none, or to rename classes.
        preprocess: for a file that does not say, or to override; a string as in
            ``--preprocess``.
        head: where the file's own last operator does not tell what its answer means.
        ask: whether a file is refused that does not say how pixels become its input; else
            ``pixels.known`` is False until labelled photos tell.
        in_memory: for a file that may be replaced meanwhile, see ``open_interpreter``.

    Raises:
        ModelError: not a model, not an image classifier, labels that do not fit, or a file
            that does not say how pixels become input.
        UsageProblem: a head that does not fit the model.
    """
    artifact = read_artifact(path)
    refuse_other_tasks(artifact.structure, str(path))
    refuse_unfixed_input(artifact.structure, str(path))
    opened = open_interpreter(path, threads=threads, delegate=delegate, in_memory=in_memory)
    inputs = opened.interpreter.get_input_details()
    outputs = opened.interpreter.get_output_details()
    card = artifact.card
    similarity = outputs[1]["index"] if card and card.unknown and len(outputs) > 1 else None
    form_in, form_out = _interface(path, inputs, outputs if similarity is None else outputs[:1])
    found = find_head(
        artifact.structure, str(path), choice=head, stated=card.head if card else None
    )
    chosen, label_file = choose_names(labels, artifact.labels, path, found)
    names = _names(path, chosen, found)
    pixels = input_pixels(path, artifact, preprocess)
    refuse_other_shape(path, pixels.settings, form_in.shape)
    if ask and not pixels.known:
        raise pixels.refusal()
    return Classifier(
        path=path,
        labels=names or numbers(found.classes),
        names=names,
        label_file=label_file,
        head=found,
        pixels=pixels,
        card=card,
        notice=opened.notice,
        input_format=form_in,
        output_format=form_out,
        _interpreter=opened.interpreter,
        _input_index=inputs[0]["index"],
        _output_index=outputs[0]["index"],
        _similarity_index=similarity,
    )


def _interface(
    path: Path, inputs: Sequence[dict[str, Any]], outputs: Sequence[dict[str, Any]]
) -> tuple[TensorFormat, TensorFormat]:
    """The one input and the one output; ModelError where they are not an image's and scores."""
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"{path} is not an image classifier",
            found=f"{counted(len(inputs), 'input')} and {counted(len(outputs), 'output')}",
            expected="one image in, one vector of scores out",
            fix="give a classification model",
        )
    form_in, form_out = tensor_format(inputs[0]), tensor_format(outputs[0])
    refuse_no_image(path, form_in.shape)
    if int(np.prod(form_out.shape)) != (form_out.shape[-1] if form_out.shape else 0):
        raise ModelError(
            f"{path} does not end in one score per class",
            found=f"output shape {list(form_out.shape)}",
            expected="[1, classes]",
            fix="give a classification model",
        )
    return form_in, form_out


def refuse_no_image(path: Path, shape: tuple[int, ...]) -> None:
    """Raises ModelError where an input of this shape is not that of one image."""
    if len(shape) != 4 or shape[0] != 1 or shape[3] not in (1, 3) or 0 in shape:
        raise ModelError(
            f"{path} does not take one image",
            found=f"input shape {list(shape)}",
            expected="[1, height, width, 3], or 1 at the end for grey images",
            fix="export the model with a fixed batch of 1 and channels last",
        )


def refuse_other_shape(path: Path, settings: Preprocess, shape: tuple[int, ...]) -> None:
    """Raises ModelError where the input has another shape than preprocessing makes."""
    if settings.shape != shape[1:]:
        said, has = ("x".join(map(str, each)) for each in (settings.shape, shape[1:]))
        raise ModelError(
            f"{path} has another input than its preprocessing makes",
            found=f"{said} (height, width, channels) from its preprocessing, {has} in its tensor",
            fix="leave channels= out of --preprocess, or convert the model again",
        )


def _names(path: Path, given: Sequence[str] | None, head: Head) -> tuple[str, ...] | None:
    names = fit_names(given, head)
    if names is None and given is not None:
        raise ModelError(
            f"{path} and its labels do not fit",
            found=f"{counted(len(given), 'label')}: {listed(given)}",
            expected=f"{head.classes}, one for each {'class' if head.binary else 'score'}",
            fix=fix_of_names(given, head),
        )
    return names


def common_names(models: Sequence[Classifier]) -> tuple[str, ...] | None:
    """The class names of models that are compared: of those that have names, however spelled.

    Raises:
        ModelError: the names or their number differ, so that an index means two things, or one
            answers a class, say, and the other a number.
    """
    first = next((model for model in models if model.names), models[0])
    for other in models:
        if other.head.task != first.head.task:
            refuse_other_head((first.path.name, other.path.name), (first.head, other.head))
        differ = other.names is not None and not same_names(first.labels, other.labels)
        if differ or len(first.labels) != len(other.labels):
            require_same_labels(first.labels, other.labels, (first.path.name, other.path.name))
    return first.names
