"""A large network is converted in parts; the joined file is that of the whole."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from converters.float_model.export import export_network
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.network.build import build
from edge_effnet.runtime.interpreter import open_bytes
from edge_effnet.tflite.reader import Structure, parse_structure

B0 = VARIANTS["b0"]
SIDE = 48


@pytest.fixture(scope="module")
def models() -> tuple[bytes, bytes]:
    """B0 as a whole and in parts."""
    network = build(B0, classes=5, resolution=SIDE)
    whole, parted = (export_network(network, B0, weights) for weights in (10**9, 10**6))
    return whole, parted


def test_it_answers_the_same_bit_for_bit(models: tuple[bytes, bytes]) -> None:
    image = np.random.default_rng(0).uniform(0, 255, (1, SIDE, SIDE, 3)).astype(np.float32)
    answers = []
    for model in models:
        interpreter = open_bytes(model)
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
        assert interpreter.get_signature_list()["serving_default"]["inputs"] == ["image"]
    assert np.array_equal(*answers)


def test_it_has_the_same_operators_in_the_same_order(models: tuple[bytes, bytes]) -> None:
    whole, parted = (parse_structure(model, "b0") for model in models)
    assert [op.name for op in parted.operators] == [op.name for op in whole.operators]
    assert _ends(parted) == _ends(whole)


def test_what_a_part_makes_is_named_after_its_layer(models: tuple[bytes, bytes]) -> None:
    parted = parse_structure(models[1], "b0")
    names = [parted.tensors[op.outputs[0]].name for op in parted.operators]
    assert len([name for name in names if name.endswith("_add/Add") and "/" not in name[:-4]]) > 1


def test_every_tensor_has_a_name_of_its_own(models: tuple[bytes, bytes]) -> None:
    names = Counter(tensor.name for tensor in parse_structure(models[1], "b0").tensors)
    assert max(names.values()) == 1


def _ends(structure: Structure) -> list[str]:
    return [structure.tensors[index].name for index in (*structure.inputs, *structure.outputs)]
