"""Parts of a network run as models of their own."""

from itertools import islice

import numpy as np
import pytest

from converters.tflite_graph import subgraph
from converters.tflite_graph.subgraph import SubgraphExtractor, run_part
from tests.converters.conftest import TinyModel


def test_a_part_that_xnnpack_refuses_runs_without_it(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    structure = tiny.structure
    first = structure.operators[0]
    part = SubgraphExtractor(tiny.model, structure, structure.outputs[0]).extract(
        [first.index], structure.inputs, first.outputs
    )
    given = [image[None] for image in islice(tiny.calibration.inputs(), 3)]

    def outputs() -> list[np.ndarray]:
        source, target = structure.inputs[0], first.outputs[0]
        return run_part(part, source, given, target, lambda _, values: values, workers=2)

    expected = outputs()
    opened = subgraph.open_bytes

    def refusing(model: bytes, *, xnnpack: bool = True) -> object:
        if xnnpack:
            raise RuntimeError("failed to create XNNPACK runtime")
        return opened(model, xnnpack=False)

    monkeypatch.setattr(subgraph, "open_bytes", refusing)
    for ours, theirs in zip(outputs(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
