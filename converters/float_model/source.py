"""What a conversion begins with: the bytes of a float ``.tflite`` and what is known of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.data.labels import listed
from edge_effnet.errors import DataError, ModelError
from edge_effnet.files.read import content_hash
from edge_effnet.heads.head import Head, fit_names, fix_of_names
from edge_effnet.heads.thresholds import ClassThreshold
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.plurals import counted
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.tflite.editor import writable_constant
from edge_effnet.tflite.reader import Structure


@dataclass(frozen=True)
class Source:
    """A float model and what is known of it.

    Attributes:
        name: stem of the files made from it.
        model: the bytes of a float ``.tflite``.
        labels: names in index order, one for each class, label or value; None where nobody said.
        head: what its answer means.
        weights: their origin, for the card.
        steps: what was done so far, for the card.
        notices: lines the user must see.
        unpruned: the float model it was pruned from, the reference of it and of all made from it.
        evidence: of how pixels become its input, where neither the user nor a card said; then
            ``preprocess`` is what is known without photos, until ``settle_input``.
        thresholds: of its card, where answers and pixels are still what the card says.
    """

    name: str
    model: bytes
    structure: Structure
    head: Head
    preprocess: Preprocess
    labels: tuple[str, ...] | None
    variant: Mapping[str, Any] | None
    weights: Mapping[str, Any]
    steps: tuple[Mapping[str, Any], ...]
    notices: tuple[str, ...] = ()
    unpruned: Source | None = None
    evidence: Evidence | None = None
    thresholds: Mapping[str, ClassThreshold] = field(default_factory=dict)

    @property
    def classes(self) -> int:
        return self.head.classes


def checked_names(names: Sequence[str] | None, head: Head, name: str) -> tuple[str, ...] | None:
    """The names of a head's answers, as ``fit_names`` completes them.

    Raises:
        DataError: they are not as many as the answers.
    """
    fitting = fit_names(names, head)
    if fitting is None and names is not None:
        raise DataError(
            f"the labels are not those of {name}",
            found=f"{counted(len(names), 'label')}: {listed(names)}",
            expected=f"{head.classes}: its {head.kind} head tells so many "
            f"{'labels' if head.task == 'labels' else 'classes'} apart",
            fix=fix_of_names(names, head),
        )
    return fitting


def refuse_broken_weights(source: Source) -> None:
    """A network that diverged in training gives no number, whatever is made of it.

    Raises:
        ModelError: a weight is NaN or infinite; names the first such tensor.
    """
    model = bytearray(source.model)
    for index, tensor in enumerate(source.structure.tensors):
        if tensor.dtype != "float32" or not tensor.constant_bytes:
            continue
        values = writable_constant(model, index).view(np.float32)
        broken = int(np.count_nonzero(~np.isfinite(values)))
        if broken:
            raise ModelError(
                f"the weights of {source.name} are not all numbers",
                found=f"NaN or infinity in {broken} of {values.size} values of "
                f"{tensor.name.split(';')[0]}",
                expected="finite values",
                fix="take an earlier checkpoint; training that diverged leaves such values",
            )


def file_origin(path: Path) -> dict[str, Any]:
    """What a card says of a file of weights."""
    return {"kind": "file", "file": path.name, "sha256": content_hash(path)}


def exported_step(model: bytes) -> dict[str, Any]:
    """What a card says of an export."""
    return {
        "step": "exported",
        "by": f"tensorflow {metadata.version('tensorflow')}",
        "sha256": hashlib.sha256(model).hexdigest(),
    }
