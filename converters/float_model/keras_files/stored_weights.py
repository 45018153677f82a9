"""The weights of a whole ``.h5`` into the network that was rebuilt from its configuration.

Every top layer has a group. A nested network's group holds the weights of all its layers: those
that were trained first, then the others, which depends on what was frozen. So they are matched
by the name of their layer where that is unambiguous, else in Keras's order; shapes must agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.float_model.keras_files.config.nodes import safe_name
from edge_effnet.network.weights.hdf5 import member

if TYPE_CHECKING:
    import keras

Named = list[tuple[str, Any]]  # name and data set


def assign_weights(network: keras.Model, group: Any) -> None:
    """Give every layer its weights.

    Args:
        group: ``model_weights``.

    Raises:
        ValueError: a layer's weights are missing, of another shape, or not finite numbers.
    """
    names = strings(group, "layer_names")
    stored = {safe_name(name): _weights_of(member(group, name)) for name in names}
    for layer in network.layers:
        if not layer.weights:
            continue
        found = stored.get(layer.name)
        if not found:
            raise ValueError(f"no weights for the layer {layer.name}")
        leaves = list(_leaves(layer))
        by_name = _by_name(leaves, found)
        if by_name is None:
            _put(layer.trainable_weights + layer.non_trainable_weights, found, layer.name)
        else:
            for leaf, weights in by_name:
                _put(leaf.trainable_weights + leaf.non_trainable_weights, weights, leaf.name)
        for leaf in leaves:
            if hasattr(leaf, "finalize_state"):
                leaf.finalize_state()


def strings(group: Any, name: str) -> list[str]:
    """A list of strings, which Keras spreads over NAME0, NAME1 … where it is long."""
    values = list(group.attrs.get(name, ()))
    part = 0
    while f"{name}{part}" in group.attrs:
        values += list(group.attrs[f"{name}{part}"])
        part += 1
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values]


def _weights_of(group: Any) -> Named:
    """A group's weights in order; the state of random generators is none."""
    found = [(name, member(group, name)) for name in strings(group, "weight_names")]
    return [(name, values) for name, values in found if values.dtype.kind == "f" or _count(name)]


def _count(name: str) -> bool:
    """Whether whole numbers are how many images a ``Normalization`` has seen."""
    return name.rpartition("/")[2].partition(":")[0] == "count"


def _leaves(layer: Any) -> Iterator[Any]:
    """The layers with weights within a layer, itself where it is no network."""
    if hasattr(layer, "layers"):
        for inner in layer.layers:
            yield from _leaves(inner)
    elif layer.weights:
        yield layer


def _by_name(leaves: list[Any], found: Named) -> list[tuple[Any, Named]] | None:
    """Each layer with its weights; None where names do not say it without a doubt."""
    groups: dict[str, Named] = {}
    for name, values in found:
        groups.setdefault(name.rpartition("/")[0], []).append((name, values))
    matched = []
    for leaf in leaves:
        fitting = [prefix for prefix in groups if leaf.name in _names_in(prefix)]
        if len(fitting) != 1 or not _fits(leaf, groups[fitting[0]]):
            return None
        matched.append((leaf, groups.pop(fitting[0])))
    return None if groups else matched


def _names_in(prefix: str) -> set[str]:
    """What the layer may be called whose weight is named ``model/conv1/conv/kernel``."""
    parts = prefix.split("/")
    return {safe_name("/".join(parts[start:])) for start in range(len(parts))}


def _fits(leaf: Any, weights: Named) -> bool:
    shapes = [tuple(w.shape) for w in leaf.trainable_weights + leaf.non_trainable_weights]
    return shapes == [tuple(values.shape) for _, values in weights]


def _put(variables: list[Any], weights: Named, name: str) -> None:
    wanted = [tuple(variable.shape) for variable in variables]
    given = [tuple(values.shape) for _, values in weights]
    if wanted != given:
        raise ValueError(
            f"the weights of {name} do not fit: {_differing(given, wanted)} instead of "
            f"{_differing(wanted, given)}"
        )
    for variable, (stored, values) in zip(variables, weights, strict=True):
        array = np.asarray(values[()])
        if not np.isfinite(array).all():
            raise ValueError(f"values of {stored} that are not finite")
        variable.assign(array.astype(np.float32) if array.dtype.kind == "f" else array)


def _differing(shapes: list[Any], others: list[Any]) -> str:
    """How many weights, and the shape of the first that is another than the others'."""
    pairs = zip(shapes, [*others, *[None] * len(shapes)], strict=False)
    first = next((shape for shape, other in pairs if shape != other), None)
    return f"{len(shapes)}" + (f", one of shape {first}" if first is not None else "")
