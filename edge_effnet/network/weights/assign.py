"""Put weights into a network by layer name: everything fits, or nothing is touched."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import IMAGENET_MEAN, IMAGENET_STD
from edge_effnet.errors import WeightsError
from edge_effnet.model_files import quoted
from edge_effnet.network.build import HEAD_LAYER, NORMALIZATION_LAYER, set_layer_weights
from edge_effnet.network.weights.files import Array, LayerWeights, read_weights, whole_model
from edge_effnet.network.weights.pytorch.ports import is_port, read_port
from edge_effnet.plurals import counted

if TYPE_CHECKING:
    import keras


def read_for(model: keras.Model, path: Path, spec: VariantSpec | None = None) -> LayerWeights:
    """Read a weight file of any layout for ``model``.

    Args:
        spec: the variant that ``model`` is of; files of PyTorch's are read with it alone.

    Raises:
        WeightsError: missing, no weight file, or damaged.
    """
    if spec is not None and is_port(path):
        return read_port(path, spec)
    return read_weights(path, [(type(layer).__name__, layer.name) for layer in model.layers])


def load_layer_weights(
    model: keras.Model, weights: LayerWeights, *, source: str, allow_new_head: bool = False
) -> bool:
    """Give every layer of ``model`` its weights.

    Names and shapes must agree in both directions: a file with more blocks than the network
    would otherwise load in part (b1 has every layer of b0, in the same shapes) and give noise.
    Load before the network first runs (see ``set_layer_weights``).

    Args:
        source: the file's name, for messages.
        allow_new_head: leave the classifier as it is initialized where the file's is missing
            or has another number of classes.

    Returns:
        Whether the classifier came from the file.

    Raises:
        WeightsError: the file was made for another network, or for other classes.
    """
    weights = _with_known_normalization(weights)
    targets = {layer.name: layer for layer in model.layers if layer.weights}
    expected = {
        name: [tuple(weight.shape) for weight in layer.weights] for name, layer in targets.items()
    }
    loaded = dict(weights)
    fix = (
        f"give a file made for {model.name}, or choose the variant this file was made for; the "
        "weights of another network go with it: model.save('NAME.keras') where it was trained, "
        "then edge-effnet convert --model NAME.keras --int8"
    )
    if whole_model(Path(source)):
        command = f"edge-effnet convert --model {quoted(Path(source))} --int8 --data PHOTOS"
        fix = f"{command} takes this network as it is; else give a file made for {model.name}"
    new_head = False
    for name, shapes in expected.items():
        found = weights.get(name)
        if found is None and name == NORMALIZATION_LAYER:
            continue  # saved from a network with constants there: the variant's values stay
        if found is not None and [array.shape for array in found] == shapes:
            continue
        if name == HEAD_LAYER and (found is None or len(found) == len(shapes)):
            if allow_new_head:
                loaded.pop(name, None)
                new_head = True
                continue
            if found is not None and found[0].shape[:-1] == shapes[0][:-1]:
                raise _other_classes(source, found[0].shape[-1], shapes[0][-1])
        raise WeightsError(
            f"{source} does not fit {model.name} at layer {name}",
            found="no such layer" if found is None else _shapes([a.shape for a in found]),
            expected=_shapes(shapes),
            fix=fix,
        )
    surplus = [name for name in weights if name not in expected]
    if surplus:
        raise WeightsError(
            f"{source} does not fit {model.name}",
            found=f"{counted(len(surplus), 'layer')} more than it has, first {surplus[0]}",
            expected=f"{counted(len(expected), 'layer')} with weights",
            fix=fix,
        )
    for name, arrays in loaded.items():
        set_layer_weights(targets[name], arrays)
    return not new_head


def _with_known_normalization(weights: LayerWeights) -> LayerWeights:
    """The file's normalization under its plain name, meaning what ours means.

    The official B files store the standard deviations of ImageNet (0.229, 0.224, 0.225) in the
    place of the variance. ``Normalization`` divides by the root of that, so
    ``keras.applications`` divides once more by the same root, in a layer that it adds for
    ``weights="imagenet"`` only (https://github.com/tensorflow/tensorflow/issues/49930). Our
    graph has no such layer: it gets the true variance, std², and computes the same. Any other
    values are taken as they stand: they are what that network was trained with.
    """
    plain: LayerWeights = {}
    for name, arrays in weights.items():
        # Keras counts unnamed layers per process: normalization_3 is the fourth net's.
        if re.fullmatch(rf"{NORMALIZATION_LAYER}(_\d+)?", name):
            plain[NORMALIZATION_LAYER] = _true_variance(arrays)
        else:
            plain[name] = arrays
    return plain


def _true_variance(arrays: list[Array]) -> list[Array]:
    if len(arrays) != 3 or arrays[0].size != 3 or arrays[1].size != 3:
        return arrays
    mean, variance, count = arrays
    official = np.allclose(mean.ravel(), IMAGENET_MEAN, rtol=0, atol=1e-3) and np.allclose(
        variance.ravel(), IMAGENET_STD, rtol=0, atol=1e-3
    )
    return [mean, np.square(IMAGENET_STD, dtype=np.float32), count] if official else arrays


def _other_classes(source: str, found: int, expected: int) -> WeightsError:
    return WeightsError(
        f"{source} was made for another number of classes",
        found=counted(found, "class", "classes"),
        expected=f"{expected}",
        fix=f"use it with {counted(found, 'label')}, or train a new classifier on top of it "
        "(edge-effnet train --weights FILE --data DIR)",
    )


def _shapes(shapes: Sequence[tuple[int, ...]]) -> str:
    """``3x3x32x1``; several weights are joined by ``and``."""
    return " and ".join("x".join(map(str, shape)) or "a scalar" for shape in shapes)
