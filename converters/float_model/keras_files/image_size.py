"""The one image that a network takes: its height, width and channels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_effnet.errors import ModelError
from edge_effnet.heads.tasks import size_command

if TYPE_CHECKING:
    import keras

_LARGEST = 4096  # pixels a side; more would only be a damaged file


def image_shape(
    shape: Sequence[int | None],
    resolution: int | None,
    path: Path,
    *,
    inside: tuple[int, int] | None = None,
) -> tuple[int, int, int]:
    """Height, width and channels.

    Args:
        shape: of the network's input, without the batch; None where a dimension is open.
        resolution: asked for; for networks that take images of any size.
        inside: the size to which the network itself brings every image.

    Raises:
        ModelError: it takes something else, or another size than asked for, or any and none
            was asked for.
    """
    shape = tuple(shape)
    if len(shape) == 2 and None not in shape:
        shape = (*shape, 1)  # grey images without a dimension for it, as MNIST's are kept
    if len(shape) != 3:
        raise _no_image(shape, path)
    height, width, channels = shape
    if channels not in (1, 3):
        raise _no_image(shape, path)
    if height is None or width is None:
        side = resolution or height or width
        found = inside if side is None else (side, side)
        if found is None:
            raise ModelError(
                f"{path} takes images of any size",
                found=f"an input of shape {_shown(shape)}",
                expected="one fixed size, which the device's kernels are prepared for",
                fix="add --resolution with the side it was trained at, for example: "
                + size_command(str(path)),
            )
        return (*found, channels)
    if resolution is not None and (height, width) != (resolution, resolution):
        raise ModelError(
            f"{path} takes images of {height}x{width} pixels only",
            found=f"--resolution {resolution}",
            fix="leave --resolution out",
        )
    if max(height, width) > _LARGEST or min(height, width) < 1:
        raise _no_image(shape, path)
    return height, width, channels


def resized_inside(network: keras.Model) -> tuple[int, int] | None:
    """The size to which a layer of the network itself brings every image."""
    layers = [layer for layer in network.layers if type(layer).__name__ != "InputLayer"]
    if not layers:
        return None
    first = layers[0]
    if hasattr(first, "layers"):
        return resized_inside(first)
    if type(first).__name__ == "Resizing":
        return int(first.height), int(first.width)
    return None


def _no_image(shape: tuple[Any, ...], path: Path) -> ModelError:
    first = len(shape) == 3 and shape[0] in (1, 3)
    return ModelError(
        f"{path} does not take one image",
        found=f"an input of shape {_shown(shape)}" + (", channels first" if first else ""),
        expected="(height, width, 3), or 1 at the end for grey images",
        fix="build it with channels last (data_format='channels_last') and convert that"
        if first
        else "convert a network that classifies images",
    )


def _shown(shape: tuple[Any, ...]) -> str:
    return f"({', '.join('any' if side is None else str(side) for side in shape)})"
