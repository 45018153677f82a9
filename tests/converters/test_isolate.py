"""One tensor changed, everything else float: the cut network answers as the whole one does."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from converters import isolate
from converters.isolate import (
    Dissection,
    cut_behind,
    noise_share,
    run_part,
    stored_in_int8,
    typical_share,
)
from converters.ranges import logit_names
from converters.search import logits
from edge_effnet.tflite_file import Operator

from .conftest import TinyModel


@pytest.fixture(scope="module")
def dissection(tiny: TinyModel) -> Dissection:
    places = {tensor.name: index for index, tensor in enumerate(tiny.structure.tensors)}
    return Dissection(tiny.model, tiny.structure, places[logit_names(tiny.structure)[0]])


def excited(tiny: TinyModel) -> Operator:
    """The product of channels and their gates in the first block."""
    return next(
        op
        for op in tiny.structure.operators
        if "se_excite" in tiny.structure.tensors[op.outputs[0]].name
    )


def test_unchanged_it_answers_as_the_whole_network(tiny: TinyModel, dissection: Dissection) -> None:
    pictures = list(islice(tiny.calibration.inputs(), 3))
    whole = logits(tiny.model, tiny.structure, pictures, workers=1)
    for operator in tiny.structure.operators[1:-1:7]:
        tensor = dissection.isolate(operator.outputs[0], pictures)
        assert tensor.typical_share(lambda values: values) == 0
        np.testing.assert_allclose(tensor.wanted, whole, atol=1e-4)


def test_the_gate_is_cut_off_from_the_channels_it_gates(
    tiny: TinyModel, dissection: Dissection
) -> None:
    product = excited(tiny)
    channels, gate = product.inputs
    cut = cut_behind(tiny.structure, gate, dissection.answer)
    assert cut.sources[0] == gate
    assert channels in cut.sources  # made before the cut, read behind it
    assert product.index == cut.rear[0]
    assert not set(cut.front) & set(cut.rear)
    # Closed gates leave the block's input alone: the answer must move.
    tensor = dissection.isolate(gate, list(islice(tiny.calibration.inputs(), 2)))
    assert tensor.typical_share(np.zeros_like) > 1e-6


def test_a_part_that_the_fast_kernels_refuse_runs_without_them(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    structure = tiny.structure
    first = structure.operators[0]
    part = Dissection(tiny.model, structure, structure.outputs[0]).part(
        [first.index], structure.inputs, first.outputs
    )
    given = [picture[None] for picture in islice(tiny.calibration.inputs(), 3)]

    def outputs() -> list[np.ndarray]:
        source, target = structure.inputs[0], first.outputs[0]
        return run_part(part, source, given, target, lambda _, values: values, workers=2)

    wanted = outputs()
    opened = isolate._open

    def refusing(model: bytes, *, fast: bool = True) -> object:
        if fast:
            raise RuntimeError("failed to create XNNPACK runtime")
        return opened(model, fast=False)

    monkeypatch.setattr(isolate, "_open", refusing)
    for ours, theirs in zip(outputs(), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_a_ruined_answer_is_one_ruined_picture_however_loud() -> None:
    quiet = np.array([[1, 2, 3]], np.float32)
    wanted = np.concatenate([quiet, quiet, quiet, 100 * quiet])
    answer = np.concatenate([quiet, quiet, quiet, np.float32(1e6) * quiet[:, ::-1]])
    assert noise_share(wanted, answer) == pytest.approx(1 / 4, abs=1e-3)
    assert noise_share(wanted, wanted + 7) == pytest.approx(0, abs=1e-9)
    # A quarter of all amplitudes, squared.
    assert typical_share(wanted, answer) == pytest.approx(1 / 16, abs=1e-3)
    assert typical_share(wanted, wanted + 7) == pytest.approx(0, abs=1e-9)


def test_a_picture_that_is_cut_weighs_less_than_ordinary_noise_on_all() -> None:
    wanted = np.tile(np.array([[3, -1, -2]], np.float32), (8, 1))
    ordinary = wanted + 0.2 * np.array([[1, -1, 0]], np.float32)
    one_cut = wanted.copy()
    one_cut[0] *= 0.6
    assert noise_share(wanted, one_cut) > noise_share(wanted, ordinary)
    assert typical_share(wanted, one_cut) < typical_share(wanted, ordinary)


@given(
    st.floats(-50, 50),
    st.floats(-50, 50),
    st.lists(st.floats(-60, 60), min_size=1, max_size=20),
)
def test_eight_bits_are_half_a_step_off_and_clip(a: float, b: float, values: list[float]) -> None:
    low, high = min(a, b, 0.0), max(a, b, 0.0)
    step = max(high - low, 1e-9) / 255
    given_values = np.array(values, np.float32)
    stored = stored_in_int8(given_values, min(a, b), max(a, b))
    # The zero point is rounded too, so the ends may lie half a step off.
    inside = np.clip(given_values, low, high)
    assert np.all(np.abs(stored - inside) <= 1.01 * step + 1e-4)
    assert stored_in_int8(np.zeros(1, np.float32), a, b) == 0
