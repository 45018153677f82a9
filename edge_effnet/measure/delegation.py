"""Which operators a delegate (XNNPACK, say) took, where the runtime tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NODE = "DELEGATE"


@dataclass(frozen=True)
class Delegation:
    """How a model's operators are divided.

    Attributes:
        operators: in the model, without the delegate's own nodes.
        delegated: of them, how many a delegate runs.
        partitions: pieces the delegate runs; each partition boundary adds delegate hand-over cost.
        left: operators the runtime's own kernels run, by type, commonest first.
    """

    operators: int
    delegated: int
    partitions: int
    left: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        return self.delegated / self.operators if self.operators else 0.0


def delegation(interpreter: Any) -> Delegation | None:
    """Read the division off an interpreter with tensors allocated; None where it does not tell.

    Neither runtime has a public call for it. Both list all nodes, replaced ones too, in
    ``_get_ops_details``; a future version may drop that.
    """
    try:
        nodes = interpreter._get_ops_details()
        outputs = [int(detail["index"]) for detail in interpreter.get_output_details()]
        return divide(nodes, outputs)
    except (AttributeError, KeyError, TypeError, ValueError, RuntimeError):
        return None


def divide(nodes: Sequence[Mapping[str, Any]], outputs: Sequence[int]) -> Delegation:
    """Find the nodes that really run by walking back from the model's outputs.

    A delegate's node replaces others without removing them from the list. Of two makers of a
    tensor, the delegate's node is the one that runs; what is never reached was replaced.

    Args:
        nodes: with ``op_name``, ``inputs`` and ``outputs`` (tensor indices, -1 for none).
        outputs: tensor indices of the model's outputs.
    """
    makers: dict[int, int] = {}
    for index, node in enumerate(nodes):
        for tensor in node["outputs"]:
            if node["op_name"] == NODE or int(tensor) not in makers:
                makers[int(tensor)] = index
    running: set[int] = set()
    waiting = list(outputs)
    while waiting:
        index = makers.get(waiting.pop(), -1)
        if index >= 0 and index not in running:
            running.add(index)
            waiting += [int(tensor) for tensor in nodes[index]["inputs"] if int(tensor) >= 0]
    own = [node["op_name"] for node in nodes if node["op_name"] != NODE]
    left = Counter(nodes[index]["op_name"] for index in running if nodes[index]["op_name"] != NODE)
    return Delegation(
        operators=len(own),
        delegated=len(own) - left.total(),
        partitions=sum(node["op_name"] == NODE for node in nodes),
        left=tuple(left.most_common()),
    )
