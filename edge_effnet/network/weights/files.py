"""Weight files as plain arrays by layer name, read without running anything they contain.

Three layouts are told apart by content, not by suffix:

- official: the HDF5 of ``keras.applications`` (a group per layer, in root or, in a whole saved
  model, below ``model_weights``). Our checkpoints are this plus one attribute, ``edge_effnet``,
  which holds JSON: the variant, labels, resolution, steps …
- keras: the ``.keras`` archive. Only its configuration (JSON) and its weights (HDF5) are read;
  no layer of it is ever instantiated, so there is no code to trust.
- structural: ``.weights.h5``, where layers are numbered per class in the order of the network.

``h5py`` alone is needed here, not Keras. Batch normalization is always gamma, beta, mean,
variance.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edge_effnet.errors import EdgeEffnetError, ModelError, WeightsError
from edge_effnet.files.damage import DAMAGE, reason
from edge_effnet.files.json_text import parse_json
from edge_effnet.files.limits import CONFIG_BYTES, MEMBER_BYTES
from edge_effnet.files.read import open_file
from edge_effnet.files.zip_members import open_zip, read_member
from edge_effnet.model_files import identify, quoted, refusal
from edge_effnet.network.weights.first_read import open_hdf5
from edge_effnet.network.weights.hdf5 import member

Array = NDArray[Any]
LayerWeights = dict[str, list[Array]]
Layout = Literal["official", "keras", "structural"]
NamedLayers = list[tuple[str, str]]  # (class, name) in the order of the network

METADATA = "edge_effnet"
HEAD = "predictions"
_NESTED = ("Functional", "Sequential", "Model")
KINDS = "official-layout .h5, .keras or .weights.h5, or timm's .safetensors"

# The classes of layer that hold weights in our networks, and what .weights.h5 calls them.
_STRUCTURAL = {
    "BatchNormalization": "batch_normalization",
    "Conv2D": "conv2d",
    "Dense": "dense",
    "DepthwiseConv2D": "depthwise_conv2d",
    "Normalization": "normalization",
}


@dataclass(frozen=True)
class WeightFile:
    """An open weight file.

    Attributes:
        group: the HDF5 group that holds the layers.
        layers: of the network that was saved; None where the layout does not say.
    """

    layout: Layout
    group: Any
    metadata: dict[str, Any] | None
    layers: NamedLayers | None


def read_weights(path: Path, layers: NamedLayers) -> LayerWeights:
    """All weights of a file by layer name; half precision comes back as float32.

    Args:
        layers: class and name of every layer of the network that will take the weights, in
            order; the structural layout has no names of its own.

    Raises:
        WeightsError: missing, no weight file, damaged, or with values that are not numbers.
    """
    with open_weights(path) as file:
        if file.layout == "official":
            found = _by_name(file.group)
        else:
            found = _by_position(file.group, file.layers or layers)
    refuse_not_finite(path, found)
    return found


def refuse_not_finite(path: Path, weights: LayerWeights) -> None:
    """Raise WeightsError where a value is no number."""
    for name, arrays in weights.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise WeightsError(
                f"{path} cannot be used",
                found=f"values in {name} that are not finite",
                fix="the training that wrote it has diverged; take an earlier checkpoint",
            )


def count_classes(file: WeightFile) -> int | None:
    """Width of the file's classifier; None where it has none. Reads shapes, not values."""
    if file.layout == "official":
        group = file.group.get(HEAD)
        names = _strings(group.attrs, "weight_names") if group is not None else []
        shapes = [member(group, name).shape for name in names]
    else:
        dense = file.group.get("layers/dense/vars")
        shapes = [dense[key].shape for key in sorted(dense)] if dense is not None else []
    return int(shapes[0][-1]) if shapes and len(shapes[0]) == 2 else None


@contextmanager
def open_weights(path: Path) -> Iterator[WeightFile]:
    """Open a weight file of any layout; damage met inside the block is reported too.

    Raises:
        WeightsError: missing, no weight file, or damaged.
    """
    archive = _is_archive(path)
    try:
        if archive:
            layers, content = _unpack(path)
            with open_hdf5(path, WeightsError, content) as root:
                yield WeightFile("keras", root, None, layers)
            return
        with open_hdf5(path, WeightsError) as root:
            group = root.get("model_weights", root)
            official = bool(_strings(group.attrs, "layer_names"))
            if not official and "layers" not in root:
                raise WeightsError(
                    f"{path} is no weight file",
                    found="HDF5 without layers",
                    expected=KINDS,
                    fix="give the file that the network's weights were saved to",
                )
            layout: Layout = "official" if official else "structural"
            yield WeightFile(layout, group, _metadata(root), None)
    except EdgeEffnetError:
        raise
    except DAMAGE as error:
        raise WeightsError(
            f"{path} is damaged",
            found=reason(error),
            expected=KINDS,
            fix="copy or download it again",
        ) from error


def whole_model(path: Path) -> bool:
    """Whether a file holds a network of its own, which ``convert --model`` takes as it is."""
    try:
        return "convert" in identify(path).kind.uses
    except ModelError:
        return False


def _is_archive(path: Path) -> bool:
    """Whether a file is a zip archive, rather than HDF5; anything else is refused."""
    try:
        found = identify(path)
        if "weights" not in found.kind.uses:
            raise refusal(found, "weights")
    except ModelError as error:
        raise WeightsError(error.what, found=error.found, expected=KINDS, fix=error.fix) from error
    return found.kind.code == "keras-zip"


def _unpack(path: Path) -> tuple[NamedLayers, bytes]:
    """Layers and HDF5 content of a ``.keras`` archive, with what cannot be ours refused."""
    with open_file(path) as file, open_zip(file) as archive:
        text = read_member(archive, "config.json", CONFIG_BYTES, str(path), WeightsError)
        content = read_member(archive, "model.weights.h5", MEMBER_BYTES, str(path), WeightsError)
    config = json.loads(text)  # Keras writes Infinity, as the limit of a ReLU
    layers: NamedLayers = []
    for layer in config["config"].get("layers", []):
        kind = str(layer["class_name"])
        foreign = not str(layer.get("module") or "").startswith("keras.")
        if foreign or kind in ("Lambda", *_NESTED):
            raise WeightsError(
                f"{path} holds a layer that is no part of an EfficientNet",
                found=f"{layer['config'].get('name')} ({kind})",
                expected="a flat network of Keras's own layers; Lambda and custom layers could "
                "run code and are never loaded",
                fix=f"edge-effnet convert --model {quoted(path)} --int8 --data PHOTOS takes it so"
                if kind in _NESTED and not foreign
                else "save the network as keras.applications builds it, or its weights alone",
            )
        layers.append((kind, str(layer["config"]["name"])))
    return layers, content


def _by_name(group: Any) -> LayerWeights:
    found: LayerWeights = {}
    for name, layer in _listed(group, "layer_names"):
        arrays = [_array(weight) for _, weight in _listed(layer, "weight_names")]
        if arrays:
            found[name] = arrays
    return found


def _listed(group: Any, attribute: str) -> Iterator[tuple[str, Any]]:
    """The parts that an attribute names, each once: a small file could name any number."""
    seen: set[str] = set()
    for name in _strings(group.attrs, attribute):
        path = "/".join(part for part in name.split("/") if part not in ("", "."))
        if path in seen:
            raise ValueError(f"{name} is listed twice")
        seen.add(path)
        yield name, member(group, name)


def _by_position(root: Any, layers: Iterable[tuple[str, str]]) -> LayerWeights:
    """Give numbered layers their names; what has no counterpart keeps its number."""
    found: LayerWeights = {}
    seen: Counter[str] = Counter()
    taken: set[str] = set()
    groups = root["layers"]
    for kind, name in layers:
        stem = _STRUCTURAL.get(kind)
        if stem is None:
            continue
        key = f"{stem}_{seen[stem]}" if seen[stem] else stem
        seen[stem] += 1
        taken.add(key)
        if key in groups and (arrays := _numbered(groups[key])):
            found[name] = arrays
    for key in groups:
        if key not in taken and (arrays := _numbered(groups[key])):
            found[key] = arrays
    return found


def _numbered(group: Any) -> list[Array]:
    variables = group.get("vars", {})
    return [_array(variables[key]) for key in sorted(variables, key=int)]


def _array(dataset: Any) -> Array:
    array = np.asarray(dataset[()])
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{dataset.name} holds {array.dtype}, not numbers")
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _strings(attributes: Any, name: str) -> list[str]:
    """A list of strings, which Keras spreads over NAME0, NAME1 … where it is long."""
    if name in attributes:
        values = list(attributes[name])
    else:
        values, part = [], 0
        while f"{name}{part}" in attributes:
            values += list(attributes[f"{name}{part}"])
            part += 1
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _metadata(root: Any) -> dict[str, Any] | None:
    parts = _strings(root.attrs, METADATA)
    if not parts:
        return None
    metadata = parse_json("".join(parts))
    if not isinstance(metadata, dict):
        raise TypeError(f"its attribute {METADATA} is no JSON object")
    return metadata
