"""Where the float model comes from: a variant with weights, a ``.keras`` or a ``.tflite``.

All three end as the same thing: the bytes of a float ``.tflite`` and what is known of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.architecture.files import variant_to_json
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.artifact import read_artifact, split_archive
from edge_effnet.data.labels import imagenet_labels, listed, refuse_reordered
from edge_effnet.errors import DataError, ModelError, UsageProblem
from edge_effnet.heads.head import Head, find_head, fit_names, fix_of_names
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.image.preprocessing import Preprocess, parse_preprocess
from edge_effnet.tflite.editor import writable_constant
from edge_effnet.tflite.reader import Structure, parse_structure, read_model_bytes

_SUFFIX = "-float32"


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

    @property
    def classes(self) -> int:
        return self.head.classes


def from_variant(
    spec: VariantSpec,
    *,
    weights: str,
    runs: Path,
    resolution: int | None,
    labels: Sequence[str] | None,
    preprocess: str | None,
    head: HeadChoice | None = None,
) -> Source:
    """Build a variant, load its weights and export it. Needs the ``train`` extra.

    Raises:
        WeightsError: no weights, or they do not fit.
        MissingExtra: TensorFlow is not installed.
    """
    from converters.float_model.export import export_network
    from edge_effnet.network.backend import keras_module
    from edge_effnet.network.weights.resolve import load, resolve_weights

    keras_module()  # where it is missing, say so before a download
    resolved = resolve_weights(spec, weights, runs=runs)
    side = resolution or resolved.resolution or spec.resolution
    classes = resolved.classes or (len(labels) if labels else None)
    network = load(spec, resolved, resolution=side, classes=classes)
    notices = [resolved.notice] if resolved.notice else []
    if labels:
        refuse_reordered(labels, resolved.labels, f"the weights {weights}")
    names = tuple(labels) if labels else resolved.labels
    width = int(network.output_shape[-1])
    if names is None and len(imagenet_labels()) == width:
        names = imagenet_labels()
        if resolved.kind == "file":
            notices.append("1000 classes and no labels given: taken to be ImageNet's")
    names = checked_names(names, Head("softmax", width), spec.name)  # before the export's minute
    model = export_network(network, spec)
    structure = parse_structure(model, spec.name)
    default = Preprocess(side, side)
    if any(step["step"] == "sparsified" for step in resolved.steps):
        notices.append(
            "many weights are zero, which no recipe makes use of: only a compressed download "
            "shrinks (edge-effnet prune --target-macs makes it faster)"
        )
    return Source(
        name=spec.name,
        model=model,
        structure=structure,
        head=find_head(structure, spec.name, choice=head),
        preprocess=parse_preprocess(preprocess, default) if preprocess else default,
        labels=names,
        variant=variant_to_json(spec),
        weights=resolved.origin,
        steps=(*resolved.steps, exported_step(model)),
        notices=tuple(notices),
    )


def checked_names(names: Sequence[str] | None, head: Head, name: str) -> tuple[str, ...] | None:
    """The names of a head's answers, as ``fit_names`` completes them.

    Raises:
        DataError: they are not as many as the answers.
    """
    fitting = fit_names(names, head)
    if fitting is None and names is not None:
        raise DataError(
            f"the labels are not those of {name}",
            found=f"{len(names)} labels: {listed(names)}",
            expected=f"{head.classes}: its {head.kind} head tells so many "
            f"{'labels' if head.task == 'labels' else 'classes'} apart",
            fix=fix_of_names(names, head),
        )
    return fitting


def from_file(
    path: Path,
    *,
    labels: Sequence[str] | None,
    preprocess: str | None,
    head: HeadChoice | None = None,
) -> Source:
    """A user's own float model, ``.keras`` or ``.tflite``.

    Raises:
        ModelError: not such a file, damaged, or already quantized.
        UsageProblem: a file of another kind.
    """
    if path.suffix == ".keras":
        from converters.float_model.export import export_keras_file

        if not path.is_file():
            raise ModelError(f"{path} does not exist", fix="check the path")
        model = export_keras_file(path)
        structure = parse_structure(model, str(path))
        height, width = _image_size(structure, path)
        default = Preprocess(height, width)
        found = find_head(structure, path.name, choice=head)
        return Source(
            name=path.stem,
            model=model,
            structure=structure,
            head=found,
            preprocess=parse_preprocess(preprocess, default) if preprocess else default,
            labels=checked_names(labels, found, path.name),
            variant=None,
            weights=file_origin(path),
            steps=(exported_step(model),),
            notices=()
            if preprocess
            else (f"{path.name} is taken to expect pixels 0–255; --preprocess says otherwise",),
        )
    if path.suffix == ".tflite":
        return _from_tflite(path, labels, preprocess, head)
    raise UsageProblem(
        f"{path} is no model that can be converted",
        found=path.suffix or "no ending",
        expected=".keras or a float .tflite",
        fix="weights (.h5) go with a variant: --variant b0 --weights FILE",
    )


def _from_tflite(
    path: Path,
    labels: Sequence[str] | None,
    preprocess: str | None,
    head: HeadChoice | None,
) -> Source:
    data = read_model_bytes(path)
    model = split_archive(data)[0]
    structure = parse_structure(model, str(path))
    _refuse_quantized(structure, path)
    artifact = read_artifact(path)
    height, width = _image_size(structure, path)
    if artifact.preprocess is None and preprocess is None:
        raise ModelError(
            f"{path} does not say how pixels become its input",
            found="neither a model card nor TFLite metadata",
            fix="add --preprocess mean=127.5,std=127.5 (or mean=0,std=1 for pixels 0–255)",
        )
    default = artifact.preprocess or Preprocess(height, width)
    card = artifact.card
    found = find_head(structure, path.name, choice=head, stated=card.head if card else None)
    if labels:
        refuse_reordered(labels, artifact.labels, str(path))
    return Source(
        name=path.stem.removesuffix(_SUFFIX),
        model=model,
        structure=structure,
        head=found,
        preprocess=parse_preprocess(preprocess, default) if preprocess else default,
        labels=checked_names(labels or artifact.labels, found, path.name),
        variant=card.variant if card else None,
        weights=card.weights if card else file_origin(path),
        steps=card.steps if card else (),
    )


def _refuse_quantized(structure: Structure, path: Path) -> None:
    stored = {tensor.dtype for tensor in structure.tensors if tensor.constant_bytes > 1024}
    ends = {structure.tensors[i].dtype for i in (*structure.inputs, *structure.outputs)}
    if ends != {"float32"} or stored & {"int8", "uint8", "int4", "float16"}:
        raise ModelError(
            f"{path} is already quantized",
            found=", ".join(sorted((ends | stored) - {"float32", "int32"})) + " tensors",
            expected="a float32 model",
            fix="convert from the float model; quantizing twice only loses accuracy",
        )


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


def _image_size(structure: Structure, path: Path) -> tuple[int, int]:
    shapes = [structure.tensors[index].shape for index in structure.inputs]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][0] != 1 or shapes[0][3] != 3:
        raise ModelError(
            f"{path} does not take one RGB image",
            found=f"input shapes {[list(shape) for shape in shapes]}",
            expected="one of [1, height, width, 3]",
            fix="export the model with a fixed batch of 1 and channels last",
        )
    return shapes[0][1], shapes[0][2]


def file_origin(path: Path) -> dict[str, Any]:
    """What a card says of a file of weights."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"kind": "file", "file": path.name, "sha256": digest}


def exported_step(model: bytes) -> dict[str, Any]:
    """What a card says of an export."""
    return {
        "step": "exported",
        "by": f"tensorflow {metadata.version('tensorflow')}",
        "sha256": hashlib.sha256(model).hexdigest(),
    }
