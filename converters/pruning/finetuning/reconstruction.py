"""Least squares instead of training: each block's projection is solved anew.

After slicing, a block's projection reads fewer channels. Least squares gives the kernel with which
those channels say best what all of them said (He et al. 2017, arXiv:1707.06168): block by block
on the narrowed network's own activations, so that each block also makes up for those before it.
It takes images, no labels, and seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from converters.pruning.selection.groups import channel_groups
from edge_effnet.architecture.spec import VariantSpec, network_plan
from edge_effnet.architecture.topology import operators
from edge_effnet.arrays import Float32Array
from edge_effnet.network.backend import keras_module

if TYPE_CHECKING:
    import keras

ROWS = 16384  # samples of a plane that an equation system is made of, at most
RIDGE = 0.01  # of the mean square of an input: keeps the solution near what it was
_BATCH = 64


def reconstruct(
    pruned: keras.Model,
    original: keras.Model,
    spec: VariantSpec,
    kept: Mapping[str, NDArray[np.int64]],
    images: NDArray[np.uint8],
    *,
    seed: int,
    advance: Callable[[int], None] = lambda _done: None,
) -> None:
    """Solve the 1x1 projection of every block of ``pruned`` to what ``original`` has there.

    Args:
        spec: the variant of the pruned network.
        kept: indices of its channels among the original's, by group.
        images: N x side x side x 3, pixels 0–255; some hundreds.
        seed: of the sampled positions.
        advance: called with the number of blocks done.
    """
    made_by = {
        axis.layer: group.name for group in channel_groups(spec).values() for axis in group.made
    }
    layers = operators(spec)
    kernels = {layer.name: layer.kernel for layer in layers}
    last = {layer.part: layer.name for layer in layers}
    rng = np.random.default_rng(seed)
    ours = theirs = images.astype(np.float32)
    our_input, their_input = pruned.inputs[0], original.inputs[0]
    for done, block in enumerate(network_plan(spec).blocks, start=1):
        project = f"{block.name}_project_conv"
        before = _Part(pruned, our_input, pruned.get_layer(project).input)
        target = _Part(original, their_input, original.get_layer(project).output)
        if kernels[project] == 1:
            channels = kept[made_by[project]]
            _solve(pruned, project, before(ours), target(theirs)[..., channels], rng)
        our_output = pruned.get_layer(last[block.name]).output
        their_output = original.get_layer(last[block.name]).output
        ours = _Part(pruned, our_input, our_output)(ours)
        theirs = _Part(original, their_input, their_output)(theirs)
        our_input, their_input = our_output, their_output
        advance(done)


@dataclass(frozen=True)
class _Part:
    """A network between two of its tensors."""

    network: keras.Model
    start: Any
    end: Any

    def __call__(self, values: Float32Array) -> Float32Array:
        part = keras_module().Model(self.start, self.end)
        return np.concatenate(
            [
                np.asarray(part(values[first : first + _BATCH], training=False))
                for first in range(0, len(values), _BATCH)
            ]
        )


def _solve(
    network: keras.Model,
    project: str,
    inputs: Float32Array,
    target: Float32Array,
    rng: np.random.Generator,
) -> None:
    """The kernel nearest to the old one that maps ``inputs`` to ``target``; what is left of the
    mean goes into the normalization behind it."""
    layer = network.get_layer(project)
    norm = network.get_layer(project.removesuffix("conv") + "bn")
    x = inputs.reshape(-1, inputs.shape[-1])
    y = target.reshape(-1, target.shape[-1])
    rows = np.sort(rng.permutation(len(x))[:ROWS])
    x, y = x[rows].astype(np.float64), y[rows].astype(np.float64)
    kernel = np.asarray(layer.get_weights()[0][0, 0], np.float64)
    x_mean, y_mean = x.mean(axis=0), y.mean(axis=0)
    x, y = x - x_mean, y - y_mean
    square = x.T @ x
    square[np.diag_indices_from(square)] += RIDGE * np.trace(square) / len(square) + 1e-12
    kernel += np.linalg.solve(square, x.T @ (y - x @ kernel))
    layer.set_weights([kernel[None, None].astype(np.float32)])
    gamma, beta, mean, variance = norm.get_weights()
    shift = y_mean - x_mean @ kernel  # what the pruned output lacks
    norm.set_weights([gamma, beta, (mean - shift).astype(np.float32), variance])
