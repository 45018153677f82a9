"""Write our checkpoints, and look into a weight file without building its network."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_effnet.architecture.files import variant_from_json, variant_to_json
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.files.read import content_hash
from edge_effnet.files.write import write_atomically
from edge_effnet.network.backend import h5py_module, keras_module
from edge_effnet.network.weights.files import METADATA, Layout, count_classes, open_weights
from edge_effnet.network.weights.first_read import remember

if TYPE_CHECKING:
    import keras

FORMAT = 1
_ATTRIBUTE_LIMIT = 64512  # bytes; HDF5 allows 64 KiB in an object header


@dataclass(frozen=True)
class WeightsPeek:
    """What a weight file says about itself.

    Attributes:
        classes: width of its classifier; None where it has none.
        metadata: of our own checkpoints; None in the files of others.
        sha256: of the whole file, hexadecimal.
    """

    path: Path
    layout: Layout
    classes: int | None
    metadata: dict[str, Any] | None
    sha256: str


def peek(path: Path) -> WeightsPeek:
    """Look into a weight file; no Keras, no network, no weights in memory.

    Raises:
        WeightsError: missing, no weight file, or damaged.
    """
    with open_weights(path) as file:
        layout, classes, metadata = file.layout, count_classes(file), file.metadata
    return WeightsPeek(path, layout, classes, metadata, content_hash(path))


def describe(
    spec: VariantSpec, *, resolution: int, labels: tuple[str, ...] | None = None, **more: Any
) -> dict[str, Any]:
    """Metadata of a checkpoint: the keys that reading relies on, and whatever else (JSON)."""
    return {
        "format": FORMAT,
        "variant": variant_to_json(spec),
        "resolution": resolution,
        "labels": None if labels is None else list(labels),
        **more,
    }


def same_network(metadata: Mapping[str, Any], spec: VariantSpec) -> bool:
    """Whether a checkpoint was made for this variant: equal in name and every width."""
    stored = stored_variant(metadata)
    return (
        stored is not None
        and stored.name == spec.name
        and network_plan(stored) == network_plan(spec)
    )


def normalized_as(spec: VariantSpec, metadata: Mapping[str, Any]) -> VariantSpec:
    """The variant with the normalization that a checkpoint says it was trained with."""
    stored = stored_variant(metadata)
    return spec if stored is None else replace(spec, normalization=stored.normalization)


def stored_variant(metadata: Mapping[str, Any]) -> VariantSpec | None:
    """The network that a checkpoint's metadata name; None where they name none that we read."""
    try:
        return variant_from_json(metadata.get("variant", {}), "the checkpoint's variant")
    except EdgeEffnetError:  # of another version, or of another tool
        return None


def save_checkpoint(
    model: keras.Model, path: Path, metadata: Mapping[str, Any], *, half: bool = False
) -> None:
    """Write a network's weights in the official layout, with our metadata.

    ``keras.applications`` reads the file with ``load_weights``. The file appears whole or not
    at all.

    Args:
        metadata: as ``describe`` gives it.
        half: store kernels as float16, which halves the file. Vectors stay float32: they are
            few, and a batch normalization's variance may exceed float16's range.

    Raises:
        OutputError: the file cannot be written.
    """
    h5py, keras = h5py_module(), keras_module()
    layers = [layer for layer in model.layers if layer.weights]
    # In memory first: HDF5 crashes the process when the disk fills up while it closes a file.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as root:
        _write_strings(root.attrs, "layer_names", [layer.name for layer in layers])
        root.attrs["backend"] = keras.config.backend().encode()
        root.attrs["keras_version"] = keras.__version__.encode()
        # Split into short strings: a few thousand labels exceed what one attribute may hold.
        text = json.dumps(dict(metadata))
        pieces = [text[start : start + 8192] for start in range(0, len(text), 8192)]
        _write_strings(root.attrs, METADATA, pieces)
        for layer in layers:
            group = root.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}" for weight in layer.weights]
            _write_strings(group.attrs, "weight_names", names)
            for name, weight in zip(names, layer.weights, strict=True):
                values = keras.ops.convert_to_numpy(weight)
                kernel = values.ndim > 1
                group[name] = values.astype(np.float16) if half and kernel else values
    write_atomically(path, buffer.getvalue(), overwrite=True)
    remember(path)


def _write_strings(attributes: Any, name: str, values: list[str]) -> None:
    """The inverse of reading them: parts NAME0, NAME1 … where one attribute is too small."""
    data = np.array([value.encode() for value in values])
    size = _ATTRIBUTE_LIMIT // data.itemsize
    if len(data) <= size:
        attributes[name] = data
        return
    for index, start in enumerate(range(0, len(data), size)):
        attributes[f"{name}{index}"] = data[start : start + size]
