"""What operators are told by constants: shapes, axes, borders and ranges."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edge_effnet.tflite.reader import Tensor

_LARGEST_BORDER = 1 << 16

Constants = Callable[[int], tuple[int, ...] | None]
"""The values of an operator's input by its place; None where it is no constant."""


def constant_problems(name: str, source: Tensor, constants: Constants) -> Iterator[str]:
    """What is wrong with the constants of an operator.

    Args:
        name: of the operator.
        source: its first input.
    """
    check = _CHECKS.get(name)
    if check is not None:
        yield from check(source, constants)


def _reshape(_: Tensor, constants: Constants) -> Iterator[str]:
    shape = constants(1)
    if shape is not None and (shape.count(-1) > 1 or min(shape) < -1):
        yield f"a new shape of {list(shape)[:9]}"


def _transpose(source: Tensor, constants: Constants) -> Iterator[str]:
    order, rank = constants(1), len(source.shape)
    if order is not None and sorted(axis % max(rank, 1) for axis in order) != list(range(rank)):
        yield f"an order of {list(order)[:9]} for {rank} dimensions"


def _axes(source: Tensor, constants: Constants) -> Iterator[str]:
    axes, rank = constants(1) or (), max(len(source.shape), 1)
    if not all(-rank <= axis < rank for axis in axes):
        yield f"axes {list(axes)[:9]} of {rank} dimensions"


def _borders(place: int) -> Callable[[Tensor, Constants], Iterator[str]]:
    def check(_: Tensor, constants: Constants) -> Iterator[str]:
        borders = constants(place) or ()
        if not all(0 <= border <= _LARGEST_BORDER for border in borders):
            yield f"borders of {list(borders)[:9]}"

    return check


def _slice(source: Tensor, constants: Constants) -> Iterator[str]:
    begin, size = constants(1), constants(2)
    if begin is None or size is None or -1 in source.open_shape:
        return
    if not len(begin) == len(size) == len(source.shape) or any(
        first < 0 or count < -1 or first + max(count, 0) > side
        for first, count, side in zip(begin, size, source.shape, strict=True)
    ):
        yield f"a slice from {list(begin)[:9]} of sizes {list(size)[:9]}"


_CHECKS: dict[str, Callable[[Tensor, Constants], Iterator[str]]] = {
    "RESHAPE": _reshape,
    "TRANSPOSE": _transpose,
    **dict.fromkeys(("MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD"), _axes),
    **dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), _borders(1)),
    **dict.fromkeys(("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND"), _borders(2)),
    "SLICE": _slice,
}
