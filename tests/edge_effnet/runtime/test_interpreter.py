"""Interpreters of models in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.runtime.interpreter import open_bytes

MakeModel = Callable[..., Path]


@pytest.mark.parametrize(
    "how", [{}, {"preserve": True}, {"xnnpack": False}, {"preserve": True, "xnnpack": False}]
)
def test_a_model_in_memory_answers_alike_however_it_is_opened(
    colour_model: MakeModel, how: dict[str, bool]
) -> None:
    model = colour_model().read_bytes()
    answers = []
    for interpreter in (open_bytes(model), open_bytes(bytearray(model), **how)):
        source = interpreter.get_input_details()[0]
        pixels = np.arange(np.prod(source["shape"])).reshape(source["shape"])
        interpreter.set_tensor(source["index"], pixels.astype(source["dtype"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-6)


def test_what_the_runtime_refuses_is_its_own_error() -> None:
    with pytest.raises((RuntimeError, ValueError)):
        open_bytes(b"no model")
