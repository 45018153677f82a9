"""What the file of a SavedModel says, before TensorFlow loads it. TensorFlow itself is not needed.

Loading runs parts of it: whatever makes and fills a lookup table or another resource, whatever
saves and restores an object in its own way, and all that a SavedModel of TensorFlow 1 initializes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from edge_effnet.errors import ModelError
from edge_effnet.model_files.saved_model import refuse_operators, touches_more

# With effects of their own, which a network needs: its variables, calls, draws in training. The
# last three save and restore variables; every SavedModel has them.
_STATEFUL = frozenset(
    "Assert AssignAddVariableOp AssignSubVariableOp AssignVariableOp DisableCopyOnRead If"
    " Multinomial RandomShuffle RandomStandardNormal RandomUniform RandomUniformInt ReadVariableOp"
    " RngReadAndSkip StatefulPartitionedCall StatefulStandardNormalV2 StatefulUniform"
    " StatelessRandomGetKeyCounter TruncatedNormal VarHandleOp VarIsInitializedOp Variable"
    " VariableV2 While MergeV2Checkpoints RestoreV2 SaveV2".split()
)
_WRITING = frozenset({"MergeV2Checkpoints", "SaveV2"})
_PLAIN_OBJECTS = frozenset(
    "bare_concrete_function captured_tensor constant function user_object variable".split()
)
_PLAIN_CLASSES = frozenset({"", "tf.TrackableConstant"})  # the others make lookup tables
_INIT_SIGNATURE = "__saved_model_init_op"
_INIT_COLLECTIONS = ("saved_model_main_op", "legacy_init_op")


def refuse_unsafe(saved: Any, definition: Callable[[str], Any], folder: Path) -> None:
    """Refuse what would run when it is loaded, and operators that touch more than tensors.

    Args:
        saved: the ``SavedModel`` message.
        definition: TensorFlow's of an operator by its name; None where it has none.

    Raises:
        ModelError: names the operators or objects.
    """
    for meta in saved.meta_graphs:
        operators = {node.op for nodes in _all_nodes(meta) for node in nodes}
        functions = {function.signature.name for function in meta.graph_def.library.function}
        refused = {name for name in operators - functions if not _harmless(name, definition)}
        if not meta.object_graph_def.nodes:
            refused |= _run_at_start(meta) & _WRITING
        refuse_operators(folder, frozenset(refused))
        odd = sorted({kind for kind in map(_odd_object, meta.object_graph_def.nodes) if kind})
        if odd:
            raise ModelError(
                f"{folder} holds more than a network",
                found=", ".join(odd),
                expected="variables and functions only; other objects run code when they are "
                "loaded, and are never loaded",
                fix="export the network without lookup tables and the like: "
                "model.export('NAME') of a network of Keras's own layers",
            )


def _harmless(name: str, definition: Callable[[str], Any]) -> bool:
    found = definition(name)
    # Of some that read files TensorFlow says that they have no effects, and may run them while it
    # converts.
    if found is None or touches_more(name):
        return False
    return name in _STATEFUL or not found.is_stateful


def _odd_object(node: Any) -> str | None:
    """What an object is that does more than to be there; None of any other."""
    kind = str(node.WhichOneof("kind") or "user_object")
    if kind not in _PLAIN_OBJECTS:
        return kind
    if node.registered_name not in _PLAIN_CLASSES:
        return str(node.registered_name)
    if node.saveable_objects or node.registered_saver:
        return "an object with its own way to be restored"
    return None


def _all_nodes(meta: Any) -> Iterator[Any]:
    yield meta.graph_def.node
    for function in meta.graph_def.library.function:
        yield function.node_def


def _run_at_start(meta: Any) -> set[str]:
    """The operators that TensorFlow runs when it loads a SavedModel of TensorFlow 1."""
    nodes = {node.name: node for node in meta.graph_def.node}
    functions = {f.signature.name: f.node_def for f in meta.graph_def.library.function}
    starts = [tensor.name for tensor in meta.signature_def[_INIT_SIGNATURE].outputs.values()]
    for name in _INIT_COLLECTIONS:
        if name in meta.collection_def:
            starts += meta.collection_def[name].node_list.value
    waiting = [_node_name(name) for name in (*starts, meta.saver_def.restore_op_name)]
    seen, operators = set[str](), set[str]()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in nodes:
            continue
        seen.add(name)
        waiting += map(_node_name, nodes[name].input)
        called = [nodes[name].op]
        while called:
            operator = called.pop()
            if operator not in operators:
                operators.add(operator)
                called += [node.op for node in functions.get(operator, ())]
    return operators


def _node_name(tensor: str) -> str:
    return tensor.lstrip("^").partition(":")[0]
