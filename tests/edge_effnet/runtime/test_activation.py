"""Class-activation maps: their mean is the score's logit, and they point at the right place."""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.data.signs.folder import write_folder
from edge_effnet.image.preprocessing import preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.activation import find_ending, open_mapper
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.tflite.reader import read_structure
from tests.edge_effnet.conftest import SIDE

MakeModel = Callable[..., Path]


def test_a_map_says_where_the_colour_is(colour_model: MakeModel) -> None:
    mapper = open_mapper(colour_model())
    assert mapper is not None
    image = np.zeros((1, SIDE, SIDE, 3), np.float32)
    image[0, 1, 2] = (0, 255, 0)  # one green pixel
    green = mapper.map(image, 1)
    assert green.shape == (SIDE, SIDE)
    assert np.argwhere(green > 0).tolist() == [[1, 2]]
    assert green.max() == pytest.approx(10)
    assert not mapper.map(image, 0).any()


def test_the_mean_of_a_map_is_the_logit_of_a_network_in_int8(tmp_path: Path) -> None:
    path = Path(str(importlib.resources.files("edge_effnet"))) / "assets/demo/b0-int8.tflite"
    mapper, classifier = open_mapper(path), open_classifier(path)
    assert mapper is not None
    write_folder(tmp_path, 80, size=106, seed=1, split="test")
    apart = []
    for file in sorted(tmp_path.rglob("*.jpg")):
        tensor = classifier.tensor(preprocess(read_image(file), classifier.preprocess))
        scores = classifier.scores_of_input(tensor)
        known = np.flatnonzero(scores > 4 / 256)  # below, int8 keeps too little for a logarithm
        logits = np.array([mapper.map(tensor, index).mean() for index in known])
        # What is left is the bias, a constant that softmax does not see, and int8's rounding.
        if len(known) > 1 and np.ptp(logits) > 1:
            apart.append(np.ptp(logits - np.log(scores[known])))
    assert len(apart) >= 15
    assert np.median(apart) < 0.25
    assert max(apart) < 1  # logits that are 1.5 to 4 apart


def test_a_network_with_another_end_has_no_map(colour_model: MakeModel) -> None:
    structure = read_structure(colour_model())
    assert find_ending(structure) is not None
    without_average = replace(structure, operators=structure.operators[1:])
    assert find_ending(without_average) is None
    without_layer = replace(structure, operators=structure.operators[2:])
    assert find_ending(without_layer) is None
