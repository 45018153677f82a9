"""A large network converted in parts, whose files are joined.

TensorFlow's converter holds some eight copies of the weights at once: 6 GB for the largest
networks. Converted part by part, it holds those of a part. The parts are cut where only one
tensor is live, behind the sum that ends a block, so the operators are the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from converters.tflite_graph.names import name_apart
from converters.tflite_graph.unused import drop_unused
from edge_effnet.network.backend import keras_module
from edge_effnet.tflite.editor import operator_code, pack_tree, read_tree

if TYPE_CHECKING:
    import keras

PART_WEIGHTS = 12_000_000
"""Of a part, about; networks with up to twice as many are one."""


def in_parts(network: keras.Model, part_weights: int) -> list[keras.Model]:
    """Networks that compute, one after the other, what the given one does.

    Args:
        network: without nested ones.
        part_weights: of a part, about.
    """
    keras = keras_module()
    whole = network.count_params() <= 2 * part_weights
    cuts = [] if whole else _cuts(network, part_weights)
    begins, ends = [network.inputs[0], *cuts], [*cuts, network.outputs[0]]
    if not cuts:
        return [network]
    return [keras.Model(begin, end) for begin, end in zip(begins, ends, strict=True)]


def _cuts(network: keras.Model, part_weights: int) -> list[Any]:
    """The tensors at which the parts end, but for the last."""
    # A layer knows its nodes of all networks that it is in; these are of this one.
    by_depth = network._nodes_by_depth
    nodes = [node for depth in sorted(by_depth, reverse=True) for node in by_depth[depth]]
    last_use = {id(read): place for place, node in enumerate(nodes) for read in node.input_tensors}
    live, weights, cuts = set[int](), 0, list[Any]()
    for place, node in enumerate(nodes):
        live |= set(map(id, node.output_tensors))
        live = {tensor for tensor in live if last_use.get(tensor, -1) > place}
        weights += sum(math.prod(weight.shape) for weight in getattr(node.operation, "weights", ()))
        ends_block = type(node.operation).__name__ == "Add" and len(live) == 1
        if ends_block and weights >= part_weights:
            cuts.append(node.output_tensors[0])
            weights = 0
    return cuts


def join(models: Sequence[bytes], ends: Sequence[str]) -> bytes:
    """One model of several, each of which reads what the one before it makes.

    Args:
        ends: names for what each makes, but for the last.
    """
    schema, tree = read_tree(models[0])
    graph = tree.subgraphs[0]
    for name, model in zip(ends, models[1:], strict=True):
        _, other = read_tree(model)
        added = other.subgraphs[0]
        (end,), (begin,) = graph.outputs, added.inputs
        graph.tensors[end].name = name.encode()
        first_tensor, first_buffer = len(graph.tensors), len(tree.buffers)
        places = [first_tensor + index for index in range(len(added.tensors))]
        places[begin] = int(end)
        for tensor in added.tensors:
            tensor.buffer += first_buffer
        for operator in added.operators:
            code = other.operatorCodes[operator.opcodeIndex]
            operator.opcodeIndex = operator_code(schema, tree, code.builtinCode, code.version)
            for ends in ("inputs", "outputs"):
                found = [places[i] if i >= 0 else -1 for i in getattr(operator, ends)]
                setattr(operator, ends, np.array(found, np.int32))
        tree.buffers += other.buffers
        graph.tensors = [*graph.tensors, *added.tensors]
        graph.operators = [*graph.operators, *added.operators]
        graph.outputs = np.array([places[index] for index in added.outputs], np.int32)
        if tree.signatureDefs and other.signatureDefs:
            outputs = other.signatureDefs[0].outputs
            for entry in outputs:
                entry.tensorIndex = places[entry.tensorIndex]
            tree.signatureDefs[0].outputs = outputs
    drop_unused(tree)
    name_apart(tree.subgraphs[0].tensors)
    return pack_tree(tree)
