"""Equalization: let every channel behind a ReLU or ReLU6 fill the range that all of them share.

Integers have one step for a whole activation, so a channel that is quiet beside its loudest
neighbour keeps only a few of the 256 values. A factor for each channel in the kernel in front,
undone in the kernel behind, changes nothing in float and raises the quiet ones; it costs nothing
when the network runs. A ReLU lets any factor through. Under a ReLU6 a channel is lifted only so
far that its largest value on the calibration pictures stays clear of the 6.

A swish cannot be scaled through, so this is for the Lite and EdgeTPU networks.

Source: cross-layer equalization, Nagel et al. 2019 (arXiv:1906.04721, section 4.1). Which
factors are best follows from a model of the noise rather than from equal ranges: what helps the
activation hurts the kernel behind it, whose inputs share a step as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.tflite_graph.activations import Picture, observe
from converters.tflite_graph.graph import LAYERS, Graph, Node, Weights, read_graph, write_weights
from edge_effnet.errors import ModelError
from edge_effnet.tflite.editor import pack_tree, read_tree
from edge_effnet.tflite.reader import parse_structure

Floats = NDArray[np.float64]

_CEILINGS: Mapping[str, float] = {"relu": np.inf, "relu6": 6.0}
# What calibration did not see may be larger: a channel is lifted no further than this allows.
_ROOM = 1.25
_LARGEST_FACTOR = 64.0
# Shares of the full correction that are tried, and how much of its noise a tensor must lose.
_EXPONENTS = (0.25, 0.5, 0.75, 1.0)
_WORTHWHILE = 0.9


@dataclass(frozen=True)
class Place:
    """A rectified activation whose channels can be scaled, by tensor names.

    Attributes:
        held: the output of the layer in front, and what padding makes of it.
        readers: outputs of the layers behind, which undo the factors.
        ceiling: the value above which the activation cuts.
    """

    held: tuple[str, ...]
    readers: tuple[str, ...]
    ceiling: float


@dataclass(frozen=True)
class Seen:
    """What the pictures showed of a place, channel by channel: arrays of shape (channels,).

    Attributes:
        reach: mean over pictures of the largest value.
        peak: the largest over all pictures.
        power: mean square.
    """

    reach: Floats
    peak: Floats
    power: Floats


def can_equalize(model: bytes) -> bool:
    """Whether a float model has channels that may be scaled."""
    try:
        return bool(find_places(read_graph(model)))
    except ModelError:  # a network of another kind
        return False


def find_places(graph: Graph) -> tuple[Place, ...]:
    """Every activation whose channels may be scaled."""
    behind: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            behind.setdefault(name, []).append(node)
    places = []
    for node in graph.nodes:
        if node.kind not in LAYERS or node.activation not in _CEILINGS:
            continue
        held = [node.output]
        readers: list[Node] = []
        for name in held:  # grows while it is read
            readers += [reader for reader in behind.get(name, []) if reader.kind != "PAD"]
            held += [pad.output for pad in behind.get(name, []) if pad.kind == "PAD"]
        if readers and all(reader.kind in LAYERS for reader in readers):
            outputs = tuple(reader.output for reader in readers)
            places.append(Place(tuple(held), outputs, _CEILINGS[node.activation]))
    return tuple(places)


def equalize(model: bytes, pictures: Sequence[Picture], *, workers: int) -> bytes:
    """A float model that computes the same but is kinder to integers.

    Scaled tensors get names of their own (``…/equalized``): their values are no longer those of
    the given model.

    Args:
        pictures: real-valued inputs, each height x width x 3.

    Returns:
        ``model`` itself where nothing is worth scaling.

    Raises:
        ModelError: see ``read_graph``.
    """
    graph = read_graph(model)
    places, layers, renamed = find_places(graph), dict(graph.layers), set[str]()
    for place, seen in zip(places, _look(model, places, pictures, workers), strict=True):
        factors = best_factors(
            seen, [_columns(layers[name]) for name in place.readers], place.ceiling
        )
        if factors is None:
            continue
        front = layers[place.held[0]]
        layers[place.held[0]] = Weights(_f32(front.kernel * factors), _f32(front.bias * factors))
        for name in place.readers:
            rear = layers[name]
            depthwise = rear.kernel.ndim == _DEPTHWISE
            undone = 1 / factors if depthwise else 1 / factors[:, None]
            layers[name] = Weights(_f32(rear.kernel * undone), rear.bias)
        renamed.update(place.held)
    return _rename(write_weights(model, layers), renamed) if renamed else model


def _look(
    model: bytes, places: Sequence[Place], pictures: Sequence[Picture], workers: int
) -> Iterator[Seen]:
    def look(_: int, values: list[NDArray[Any]]) -> list[Floats]:
        rows = [value.reshape(-1, value.shape[-1]).astype(np.float64) for value in values]
        return [np.stack([part.max(axis=0), (part**2).mean(axis=0)]) for part in rows]

    tensors = parse_structure(model, "the float model").tensors
    index = {tensor.name: place for place, tensor in enumerate(tensors)}
    watched = [index[place.held[0]] for place in places]
    pages = observe(model, watched, pictures, look, workers=workers)
    for column in range(len(places)):
        largest, power = np.stack([page[column] for page in pages], axis=1)
        yield Seen(largest.mean(axis=0), largest.max(axis=0), power.mean(axis=0))


_DEPTHWISE = 3  # axes of such a kernel; see ``Weights``


def _columns(weights: Weights) -> Floats:
    """A kernel as ``noise_energy`` takes it."""
    kernel = weights.kernel.astype(np.float64)
    if kernel.ndim == _DEPTHWISE:
        return kernel.reshape(1, -1, kernel.shape[-1])
    return np.moveaxis(kernel, -1, 0).reshape(kernel.shape[-1], -1, kernel.shape[-2])


def _f32(values: NDArray[Any]) -> NDArray[np.float32]:
    return values.astype(np.float32)


def _rename(model: bytes, names: set[str]) -> bytes:
    _, tree = read_tree(model)
    for tensor in tree.subgraphs[0].tensors:
        if tensor.name.decode() in names:
            tensor.name += b"/equalized"
    return pack_tree(tree)


def best_factors(seen: Seen, kernels: Sequence[Floats], ceiling: float) -> Floats | None:
    """The factors of least noise, or None where none is worth its while.

    Args:
        kernels: of each layer behind; see ``noise_energy``.
        ceiling: the value above which the activation cuts.
    """
    whole = 1 / np.maximum(seen.reach, 1e-6 * max(float(seen.reach.max()), 1e-12))
    room = np.maximum(ceiling / np.maximum(_ROOM * seen.peak, 1e-12), 1.0)
    best, least = None, _WORTHWHILE * noise_energy(np.ones_like(whole), seen, kernels)
    for exponent in _EXPONENTS:
        factors = whole**exponent
        factors = np.minimum(np.minimum(factors / factors.min(), room), _LARGEST_FACTOR)
        energy = noise_energy(factors, seen, kernels)
        if energy < least:
            best, least = factors, energy
    return best


def noise_energy(factors: Floats, seen: Seen, kernels: Sequence[Floats]) -> float:
    """Energy of the rounding noise behind the layers that read a place.

    With factors s, channels c and kernel columns w_c: the activation's step is the largest
    s_c reach_c over 255, and a rounding error of it goes on by w_c / s_c. The kernel's own
    step, one for each output o, is the largest w_oc / s_c over 127, and its error is multiplied
    by the channels. Errors are uniform within a step: step² / 12 each.

    Args:
        factors: of shape (channels,).
        kernels: outputs x taps x channels. A depthwise one, whose every channel has an output
            and a step of its own, is 1 x taps x channels.
    """
    step = float((factors * seen.reach).max()) / 255
    total = 0.0
    for kernel in kernels:
        total += float(((kernel / factors) ** 2).sum()) * step**2
        if len(kernel) > 1:  # a depthwise one's own steps take the factors along
            own = np.abs(kernel / factors).max(axis=(1, 2)) / 127
            total += float((own**2).sum() * (factors**2 * seen.power).sum()) * kernel.shape[1]
    return total / 12
