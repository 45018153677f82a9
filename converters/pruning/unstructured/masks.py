"""Single weights to zero, for those who want a smaller download: shapes stay, time stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.network.backend import keras_module

if TYPE_CHECKING:
    import keras

RAMP = 0.7  # of the steps: sparsity grows; in the rest the remaining weights settle
EVERY = 10  # steps between new masks


def sparsity_at(step: int, total: int, final: float) -> float:
    """Share of zeros after ``step`` of ``total`` steps: quick at first, when many weights can
    go, slow at the end. Source: Zhu & Gupta 2017, arXiv:1710.01878, equation 1, from 0.

    >>> sparsity_at(0, 100, 0.8), sparsity_at(70, 100, 0.8), sparsity_at(100, 100, 0.8)
    (0.0, 0.8, 0.8)
    """
    done = min(1.0, step / max(1.0, RAMP * total))
    return final * (1 - (1 - done) ** 3)


def mask_of(kernel: NDArray[np.float32], share: float, block: int) -> NDArray[np.float32]:
    """Ones and zeros of a kernel's shape: the ``share`` of blocks with the least mean absolute
    weight is zero.

    Args:
        kernel: (1, 1, in, out).
        block: consecutive outputs of one input that go together; 1 prunes single weights. A
            rest of outputs that fills no block makes a smaller one.
    """
    inputs, outputs = kernel.shape[2:]
    pad = -outputs % block
    filled = np.pad(np.abs(kernel[0, 0]), ((0, 0), (0, pad)))
    sizes = np.minimum(block, outputs - block * np.arange(filled.shape[1] // block))
    means = filled.reshape(inputs, -1, block).sum(axis=2) / sizes
    gone = round(share * means.size)
    mask = np.ones(means.size, np.float32)
    mask[np.argsort(means, axis=None, kind="stable")[:gone]] = 0
    full = np.repeat(mask.reshape(means.shape), block, axis=1)[:, :outputs]
    return full[None, None]


def pointwise_layers(network: keras.Model) -> list[Any]:
    """The 1x1 convolutions: nearly all weights, and what sparse kernels exist for."""
    conv = keras_module().layers.Conv2D
    return [
        layer for layer in network.layers if isinstance(layer, conv) and layer.kernel_size == (1, 1)
    ]


@dataclass
class Masks:
    """Keeps the pruned weights of a network at zero while it trains.

    Attributes:
        kept: a mask per layer, of the last time it was chosen.
    """

    final: float
    block: int
    kept: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def apply(self, network: keras.Model, step: int, total: int) -> None:
        """After a training step: choose the masks anew where it is time, and multiply."""
        choose = not self.kept or step % EVERY == 0 or step == total
        share = sparsity_at(step, total, self.final)
        for layer in pointwise_layers(network):
            kernel = np.asarray(layer.get_weights()[0])
            if choose:
                self.kept[layer.name] = mask_of(kernel, share, self.block)
            layer.kernel.assign(kernel * self.kept[layer.name])


def zero_share(network: keras.Model) -> float:
    """Of the weights of its 1x1 convolutions."""
    kernels = [np.asarray(layer.kernel) for layer in pointwise_layers(network)]
    return float(sum((k == 0).sum() for k in kernels) / sum(k.size for k in kernels))
