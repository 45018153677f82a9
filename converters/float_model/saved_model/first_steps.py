"""How a frozen graph of TensorFlow begins. TensorFlow itself is not needed here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_STEPS = frozenset("Add AddV2 Cast Identity Mul RealDiv Sub".split())


def first_steps(graph: Any, array_of: Callable[[Any], Any]) -> tuple[float, float]:
    """Mean factor and offset of the arithmetic between a graph's input and the rest.

    Args:
        graph: a ``GraphDef`` with one ``Placeholder``, its variables folded.
        array_of: the array in a ``TensorProto``.
    """
    nodes = {node.name: node for node in graph.node}
    current = next(node.name for node in graph.node if node.op == "Placeholder")
    scale, offset = 1.0, 0.0
    while True:
        readers = [n for n in graph.node if n.op != "Shape" and current in _inputs(n)]
        if len(readers) != 1 or readers[0].op not in _STEPS:
            return scale, offset
        (reader,) = readers
        if reader.op not in ("Cast", "Identity"):
            other = [nodes[name] for name in _inputs(reader) if name != current]
            if len(other) != 1 or other[0].op != "Const" or _inputs(reader)[0] != current:
                return scale, offset
            value = float(np.mean(array_of(other[0].attr["value"].tensor)))
            if reader.op in ("Mul", "RealDiv"):
                if not value:
                    return scale, offset
                factor = value if reader.op == "Mul" else 1 / value
                scale, offset = scale * factor, offset * factor
            else:
                offset += -value if reader.op == "Sub" else value
        current = reader.name


def _inputs(node: Any) -> list[str]:
    return [name.lstrip("^").partition(":")[0] for name in node.input]
