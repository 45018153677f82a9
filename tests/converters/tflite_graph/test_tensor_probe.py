"""One tensor changed, everything else float: the cut network answers as the whole one does."""

from itertools import islice

import numpy as np
import pytest

from converters.tflite_graph.activations import logits
from converters.tflite_graph.segments import logit_names
from converters.tflite_graph.subgraph import SubgraphExtractor, cut_behind
from converters.tflite_graph.tensor_probe import TensorProbe, probe_tensors
from edge_effnet.tflite.reader import Operator
from tests.converters.conftest import TinyModel


@pytest.fixture(scope="module")
def extractor(tiny: TinyModel) -> SubgraphExtractor:
    places = {tensor.name: index for index, tensor in enumerate(tiny.structure.tensors)}
    return SubgraphExtractor(tiny.model, tiny.structure, places[logit_names(tiny.structure)[0]])


def excited(tiny: TinyModel) -> Operator:
    """The product of channels and their gates in the first block."""
    return next(
        op
        for op in tiny.structure.operators
        if "se_excite" in tiny.structure.tensors[op.outputs[0]].name
    )


def test_unchanged_it_answers_as_the_whole_network(
    tiny: TinyModel, extractor: SubgraphExtractor
) -> None:
    images = list(islice(tiny.calibration.inputs(), 3))
    reference = logits(tiny.model, tiny.structure, images, workers=1)
    tensors = [operator.outputs[0] for operator in tiny.structure.operators[1:-1:7]]

    def moved(_: int, probe: TensorProbe) -> tuple[float, float]:
        unchanged = probe.typical_share(lambda values: values)
        return unchanged, probe.error_and_flips(lambda values: values)[1]

    for share, flipped in probe_tensors(extractor, tensors, images, reference, moved, workers=2):
        assert share < 1e-10
        assert flipped == 0


def test_the_gate_is_cut_off_from_the_channels_it_gates(
    tiny: TinyModel, extractor: SubgraphExtractor
) -> None:
    product = excited(tiny)
    channels, gate = product.inputs
    cut = cut_behind(tiny.structure, gate, extractor.answer)
    assert cut.sources[0] == gate
    assert channels in cut.sources  # made before the cut, read behind it
    assert product.index == cut.rear[0]
    assert not set(cut.front) & set(cut.rear)
    # Closed gates leave the block's input alone: the answer must move.
    images = list(islice(tiny.calibration.inputs(), 2))
    reference = logits(tiny.model, tiny.structure, images, workers=1)
    (moved,) = probe_tensors(
        extractor,
        [gate],
        images,
        reference,
        lambda _, probe: probe.typical_share(np.zeros_like),
        workers=1,
    )
    assert moved > 1e-6
