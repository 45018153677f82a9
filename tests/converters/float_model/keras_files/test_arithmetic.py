"""TensorFlow's functions as Keras 3's operations: what would change the answer is refused."""

from __future__ import annotations

from typing import Any

import pytest

from converters.float_model.keras_files.config.arithmetic import as_operation, refuse_integers
from converters.float_model.keras_files.simplify import one_step_reversal, reversal

TENSOR = {"class_name": "__keras_tensor__", "config": {"keras_history": ["photo", 0, 0]}}
ALL, BACK = {"start": None, "stop": None, "step": None}, {"start": None, "stop": None, "step": -1}
ELLIPSIS = {"class_name": "__ellipsis__", "config": {}}


def called(function: str, **arguments: Any) -> dict[str, Any]:
    """A ``TFOpLambda`` of a function, its node in Keras 3's form."""
    return {
        "class_name": "TFOpLambda",
        "name": "step",
        "config": {"name": "step", "function": function},
        "inbound_nodes": [{"args": [TENSOR], "kwargs": arguments}],
    }


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("nn.gelu", {}, {"approximate": False}),
        ("nn.gelu", {"approximate": True}, {"approximate": True}),
        ("image.resize", {"size": [8, 9], "antialias": True}, {"antialias": True, "width": 9}),
        ("image.resize", {"size": [8, 9], "preserve_aspect_ratio": False}, {"antialias": False}),
        ("math.reduce_mean", {"axis": [1, 2], "keepdims": None}, {"axis": [1, 2]}),
    ],
)
def test_settings_are_tensorflows(
    function: str, arguments: dict[str, Any], expected: dict[str, Any]
) -> None:
    config = as_operation(called(function, **arguments))["config"]
    assert {name: config[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("function", "arguments", "named"),
    [
        ("image.resize", {"size": [8, 8], "preserve_aspect_ratio": True}, "preserve_aspect_ratio"),
        ("nn.softmax", {"temperature": 0}, "temperature"),
        ("cast", {"dtype": "int32"}, "rounds to int32"),
        ("cast", {"dtype": "uint8"}, "rounds to uint8"),
    ],
)
def test_what_would_change_the_answer_is_named(
    function: str, arguments: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        as_operation(called(function, **arguments))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "DT_FLOAT"])
def test_a_cast_to_float_changes_nothing(dtype: str) -> None:
    assert as_operation(called("cast", dtype=dtype))["class_name"] == "Identity"
    refuse_integers("step", {"class_name": "DTypePolicy", "config": {"name": "float32"}})


@pytest.mark.parametrize(("made", "whole"), [("DT_FLOAT", True), ("DT_INT32", False), (3, False)])
def test_a_node_of_the_graph_says_its_type_itself(made: Any, *, whole: bool) -> None:
    layer = called("")
    node = {"op": "Cast", "attr": {"DstT": {"type": made}}}
    layer |= {"class_name": "TensorFlowOpLayer", "config": {"name": "step", "node_def": node}}
    if whole:
        assert as_operation(layer)["class_name"] == "Identity"
        return
    with pytest.raises(ValueError, match="step rounds to"):
        as_operation(layer)


def _subscript(*parts: Any) -> dict[str, Any]:
    node = {"args": [TENSOR], "kwargs": {"slice_spec": list(parts)}}
    return {"name": "step", "inbound_nodes": [node]}


@pytest.mark.parametrize("parts", [(ELLIPSIS, BACK), (ALL, ALL, ALL, BACK)])
def test_channels_are_reversed(parts: tuple[Any, ...]) -> None:
    assert reversal(_subscript(*parts))["config"]["reverse"]


@pytest.mark.parametrize(
    "parts",
    [
        (ALL, ALL, BACK),  # from right to left
        (ALL, ALL, BACK, ALL),
        ({"start": 0, "stop": 0, "step": None}, ALL, ALL, BACK),
        (0, ALL, ALL, BACK),
    ],
)
def test_other_subscripts_are_no_reversal_of_channels(parts: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="step takes a part of its input"):
        reversal(_subscript(*parts))


@pytest.mark.parametrize(("before", "joined"), [([ELLIPSIS], True), ([ALL], False)])
def test_three_channels_stacked_in_turn(before: list[Any], *, joined: bool) -> None:
    def tensor(name: str) -> dict[str, Any]:
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}

    layers = [
        {
            "class_name": "GetItem",
            "name": f"channel{index}",
            "inbound_nodes": [{"args": [TENSOR, [*before, index]], "kwargs": {}}],
        }
        for index in range(3)
    ]
    stack = {
        "class_name": "Stack",
        "name": "stack",
        "config": {"axis": -1},
        "inbound_nodes": [{"args": [[tensor(f"channel{i}") for i in (2, 1, 0)]], "kwargs": {}}],
    }
    found = one_step_reversal([*layers, stack])[-1]["class_name"]
    assert found == ("PixelMatrix" if joined else "Stack")
