"""A network in parts holds what the whole one holds, a few tensors at a time."""

from itertools import islice, pairwise

import numpy as np
import pytest

from converters.tflite_graph import parts
from converters.tflite_graph.activations import collect_activations
from converters.tflite_graph.parts import divide, images_at_once
from tests.converters.conftest import TinyModel


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tiny: TinyModel) -> TinyModel:
    """A model that is large beside the limits."""
    monkeypatch.setattr(parts, "_PART_BYTES", 1)
    return tiny


def _made(tiny: TinyModel) -> list[int]:
    return [operator.outputs[0] for operator in tiny.structure.operators]


def test_parts_cover_the_network_and_read_one_tensor(small: TinyModel) -> None:
    found = divide(small.model, _made(small))
    assert len(found) > 3
    for before, after in pairwise(found):
        assert before.end == after.source
        assert before.end in before.tensors
        assert not before.tensors & after.tensors
    assert set(_made(small)) <= set().union(*(part.tensors for part in found))
    assert sum(len(part.model) for part in found) < 2 * len(small.model)


def test_no_part_runs_behind_the_last_tensor_that_is_asked_for(small: TinyModel) -> None:
    whole, first = (
        divide(small.model, asked) for asked in (_made(small), [small.structure.inputs[0]])
    )
    assert len(first) == 1 < len(whole)


def test_a_small_network_stays_whole(tiny: TinyModel) -> None:
    (part,) = divide(tiny.model, _made(tiny))
    assert part.model is tiny.model
    assert images_at_once([part]) is None


@pytest.mark.parametrize("held", [1, 1_000_000_000])
def test_values_are_those_of_the_whole_network(
    tiny: TinyModel, monkeypatch: pytest.MonkeyPatch, held: int
) -> None:
    """Whether images pass one by one or all together."""
    tensors = [*tiny.structure.inputs, *_made(tiny)[::-1]]
    images = list(islice(tiny.calibration.inputs(), 5))
    done: list[int] = []

    def collect() -> list[list[tuple[int, np.ndarray]]]:
        return collect_activations(
            tiny.model,
            tensors,
            iter(images),
            lambda index, place, values: (100 * index + place, values.copy()),
            workers=2,
            progress=lambda: done.append(1),
        )

    whole = collect()
    monkeypatch.setattr(parts, "_PART_BYTES", 1)
    monkeypatch.setattr(parts, "_HELD_BYTES", held)
    for index, (ours, theirs) in enumerate(zip(collect(), whole, strict=True)):
        for place, (found, expected) in enumerate(zip(ours, theirs, strict=True)):
            assert found[0] == expected[0] == 100 * index + place
            np.testing.assert_array_equal(found[1], expected[1])
    assert len(done) == 2 * len(images)
