"""A variant of the table with its weights, exported to a float ``.tflite``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from converters.float_model.source import Source, checked_names, exported_step
from edge_effnet.architecture.files import variant_to_json
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.data.labels import imagenet_labels, refuse_reordered
from edge_effnet.heads.head import Head, find_head
from edge_effnet.heads.kinds import HeadChoice
from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure


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
    spec = resolved.spec
    side = resolution or resolved.resolution or spec.resolution
    classes = resolved.classes or (len(labels) if labels else None)
    networks = [load(resolved, resolution=side, classes=classes)]  # the export frees it
    notices = [resolved.notice] if resolved.notice else []
    if resolved.resolution not in (None, side):
        notices.append(
            f"the weights of {spec.name} were trained at {resolved.resolution} px; at {side} px "
            f"the network may be much less accurate (edge-effnet train --resolution {side})"
        )
    if labels:
        refuse_reordered(labels, resolved.labels, f"the weights {weights}")
    names = tuple(labels) if labels else resolved.labels
    width = int(networks[0].output_shape[-1])
    if names is None and len(imagenet_labels()) == width:
        names = imagenet_labels()
        if resolved.kind == "file":
            notices.append("1000 classes and no labels given: taken to be ImageNet's")
    names = checked_names(names, Head("softmax", width), spec.name)  # before the export's minute
    model = export_network(networks.pop(), spec)
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
