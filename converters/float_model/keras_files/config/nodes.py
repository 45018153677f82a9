"""The connections of a functional network, brought from every version's form into Keras 3's.

Keras 2 writes a call as ``[["conv", 0, 0, {}]]`` or ``["conv", 0, 0, {"y": 127.5}]`` and counts
the calls of a nested network from 1; Keras 3 writes ``{"args": …, "kwargs": …}`` and counts
from 0. Source: ``functional.py`` of both (reconstruct_from_config, functional_from_config).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from converters.float_model.keras_files.config.layer_classes import MODELS

_CONSTANT = "_CONSTANT_VALUE"  # Keras 2 for 1 - x: ["_CONSTANT_VALUE", -1, 1.0, {"y": …}]

_ARGUMENTS = frozenset({"__ellipsis__", "__numpy__", "__slice__", "__tensor__"})
"""What an argument of a call may be beside tensors of the network, numbers and texts."""


def safe_name(name: str) -> str:
    """A layer's name without the ``/`` that Keras 3 does not take (``conv1/conv`` of DenseNet)."""
    return name.replace("/", "_")


class Connections:
    """How the layers of one functional network refer to each other.

    Args:
        layers: as they stand in its configuration.
        old: whether Keras 2 wrote it.
    """

    def __init__(self, layers: list[dict[str, Any]], *, old: bool) -> None:
        self._calls = {str(layer["name"]): len(layer["inbound_nodes"]) for layer in layers}
        self._nested = {str(x["name"]) for x in layers if x["class_name"] in MODELS}
        self._functional = {
            str(x["name"]) for x in layers if x["class_name"] in MODELS - {"Sequential"}
        }
        self._old = old

    def node(self, node: Any) -> dict[str, Any]:
        """A call in Keras 3's form.

        Raises:
            ValueError: of no known form.
        """
        if isinstance(node, Mapping):
            return {"args": self._revived(node["args"]), "kwargs": self._revived(node["kwargs"])}
        inputs = [node] if self._is_reference(node) else list(node)
        if not all(map(self._is_reference, inputs)):
            raise ValueError(f"a connection of unknown form: {str(node)[:80]}")
        values = [self._value(item) for item in inputs]
        kwargs = dict(inputs[0][3]) if len(inputs[0]) > 3 else {}
        kwargs = {k: self._revived(v) for k, v in kwargs.items() if k != "name" and v is not None}
        return {"args": [values[0] if len(values) == 1 else values], "kwargs": kwargs}

    def ends(self, references: Any) -> list[Any]:
        """``input_layers`` or ``output_layers``: one ``[name, call, index]``, or a list of such."""
        found = [self._end(*reference[:3]) for reference in _leaves(references)]
        return found[0] if len(found) == 1 else found

    def _end(self, name: str, call: int, index: int) -> list[Any]:
        # Keras 3 subtracts one again where it looks up what a functional network gave.
        name = safe_name(name)
        return [name, self._call(name, call) + (name in self._functional), index]

    def _call(self, name: str, call: int) -> int:
        if self._calls.get(name, 0) <= 1:
            return 0
        return call - 1 if self._old and name in self._nested else call

    def _value(self, item: list[Any]) -> Any:
        return item[2] if item[0] == _CONSTANT else self._tensor(*item[:3])

    def _tensor(self, name: str, call: int, index: int) -> dict[str, Any]:
        name = safe_name(name)
        history = [name, self._call(name, call), index]
        config = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}

    def _is_reference(self, item: Any) -> bool:
        return (
            isinstance(item, list)
            and 3 <= len(item) <= 4
            and isinstance(item[0], str)
            and (safe_name(item[0]) in self._calls or item[0] == _CONSTANT)
            and isinstance(item[1], int)
        )

    def _revived(self, value: Any) -> Any:
        """An argument with every tensor in it, of either version, as Keras 3 writes tensors.

        Raises:
            ValueError: an object of another class in it.
        """
        if self._is_reference(value):
            return self._value(value)
        if isinstance(value, list):
            return [self._revived(item) for item in value]
        if isinstance(value, Mapping):
            kind = value.get("class_name")
            if kind == "__keras_tensor__":
                return self._tensor(*value["config"]["keras_history"])
            if kind is not None and kind not in _ARGUMENTS:  # Keras would build it
                raise ValueError(f"a call with an argument of class {kind}")
            return {name: self._revived(item) for name, item in value.items()}
        return value


def is_tensor(value: Any) -> bool:
    """Whether an argument of a node in Keras 3's form is a tensor of the network."""
    return isinstance(value, Mapping) and value.get("class_name") == "__keras_tensor__"


def _leaves(references: Any) -> Iterator[list[Any]]:
    if isinstance(references, Mapping):
        references = list(references.values())
    if references and isinstance(references[0], str):
        yield references
        return
    for item in references:
        yield from _leaves(item)
