"""Takes out of a model's tree what nothing refers to any more."""

from __future__ import annotations

from typing import Any

import numpy as np


def drop_unused(tree: Any) -> None:
    """Drop tensors of the main graph that no operator and no interface names, and empty the
    buffers of those gone; the others are numbered anew, in order.

    Args:
        tree: as ``read_tree`` gives it; changed.
    """
    graph = tree.subgraphs[0]
    signatures = [
        entry
        for signature in tree.signatureDefs or []
        if not signature.subgraphIndex
        for entry in (*(signature.inputs or []), *(signature.outputs or []))
    ]
    used = {*map(int, graph.inputs), *map(int, graph.outputs)}
    used.update(entry.tensorIndex for entry in signatures)
    for operator in graph.operators:
        for indices in (operator.inputs, operator.outputs, operator.intermediates):
            used.update(map(int, [] if indices is None else indices))
    used.discard(-1)
    new = {-1: -1, **{old: index for index, old in enumerate(sorted(used))}}

    def renumbered(indices: Any) -> Any:
        return None if indices is None else np.array([new[int(i)] for i in indices], np.int32)

    graph.tensors = [graph.tensors[index] for index in sorted(used)]
    graph.inputs, graph.outputs = renumbered(graph.inputs), renumbered(graph.outputs)
    for operator in graph.operators:
        operator.inputs = renumbered(operator.inputs)
        operator.outputs = renumbered(operator.outputs)
        operator.intermediates = renumbered(operator.intermediates)
    for entry in signatures:
        entry.tensorIndex = new[entry.tensorIndex]
    empty_unused_buffers(tree)


def empty_unused_buffers(tree: Any) -> None:
    """Empty the buffers that nothing refers to any more."""
    used = {tensor.buffer for graph in tree.subgraphs for tensor in graph.tensors}
    used |= {entry.buffer for entry in tree.metadata or []}
    for index, buffer in enumerate(tree.buffers):
        if index not in used:
            buffer.data = None
