"""Rescaling and normalization folded into the first convolution."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from converters.float_model.fold_normalization import fold_normalization, with_folded_normalization
from converters.float_model.source import Source
from converters.tflite_graph.graph import read_graph
from edge_effnet.heads.head import find_head
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure
from tests.converters.conftest import SIDE as TINY_SIDE
from tests.converters.conftest import TinyModel
from tests.converters.network_builder import NetworkBuilder, answer

SIDE, MADE = 7, 4
MEAN, GAIN = np.array([-1.0, -0.9, -1.1], np.float32), np.float32(1 / 127.5)
BLACK, WHITE = np.zeros(3), np.ones(3)


def normalizing(
    *,
    padded: str,
    behind: bool = False,
    depthwise: bool = False,
    more: tuple[int, ...] | None = None,
) -> bytes:
    """Pixels of 0–1 are scaled, shifted, padded and convolved; ``behind``, scaled and shifted;
    ``more``, a constant of this shape is added."""
    net, rng = NetworkBuilder(), np.random.default_rng(0)
    side, channels = SIDE, 6 if depthwise else MADE

    def add(kind: str, read: int, name: str, constant: np.ndarray, **settings: int) -> int:
        shape = net.graph.tensors[read].shape
        made = net.tensor(name, tuple(shape))
        constants = net.tensor(f"{name}/constant", constant.shape, constant)
        net.operator(kind, [read, constants], made, f"{kind.title()}Options", **settings)
        return made

    source = net.tensor("pixels", (1, SIDE, SIDE, 3))
    x = add("MUL", source, "scaled", np.array(GAIN))
    x = add("SUB", x, "shifted", -MEAN.reshape(1, 1, 1, 3))
    if padded == "pad":
        side += 3
        sizes = np.array([[0, 0], [1, 2], [2, 1], [0, 0]], np.int32)
        made = net.tensor("padded", (1, side, side, 3))
        net.operator("PAD", [x, net.tensor("sizes", (4, 2), sizes)], made, "PadOptions")
        x = made
    size = -(-side // 2) if padded == "same" else (side - 3) // 2 + 1
    shape = (1, 3, 3, channels) if depthwise else (channels, 3, 3, 3)
    kernel = rng.normal(size=shape).astype(np.float32)
    bias = rng.normal(size=channels).astype(np.float32)
    made = net.tensor("convolved", (1, size, size, channels))
    net.operator(
        "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
        [x, net.tensor("kernel", shape, kernel), net.tensor("bias", (channels,), bias)],
        made,
        "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions",
        strideH=2,
        strideW=2,
        dilationHFactor=1,
        dilationWFactor=1,
        padding=0 if padded == "same" else 1,
        fusedActivationFunction=0 if behind or more else 1,
        **({"depthMultiplier": 2} if depthwise else {}),
    )
    if behind:
        made = add("MUL", made, "gained", rng.uniform(-2, 50, channels).astype(np.float32))
        constant = rng.normal(size=channels).astype(np.float32)
        made = add("ADD", made, "moved", constant, fusedActivationFunction=3)
    if more is not None:
        made = add("ADD", made, "added", rng.normal(size=more).astype(np.float32))
    answers = net.tensor("answer", (1, size, size, channels))
    net.operator("LOGISTIC", [made], answers)
    return net.pack(source, [answers])


@pytest.mark.parametrize("padded", ["same", "valid", "pad"])
@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("depthwise", [False, True])
def test_a_folded_model_answers_as_before(*, padded: str, behind: bool, depthwise: bool) -> None:
    model = normalizing(padded=padded, behind=behind, depthwise=depthwise)
    folded = fold_normalization(model, BLACK, WHITE)
    assert folded is not None
    assert 1 < folded.steps < 3
    pixels = np.random.default_rng(1).random((1, SIDE, SIDE, 3), np.float32)
    assert np.abs(answer(folded.model, pixels) - answer(model, pixels)).max() < 1e-5


def test_only_padded_borders_need_more_than_a_bias() -> None:
    def operators(padded: str) -> list[str]:
        folded = fold_normalization(normalizing(padded=padded, behind=True), BLACK, WHITE)
        assert folded is not None
        return [op.name for op in parse_structure(folded.model, "folded").operators]

    assert operators("valid") == ["CONV_2D", "LOGISTIC"]
    assert operators("same") == ["CONV_2D", "ADD", "LOGISTIC"]
    assert operators("pad") == ["PAD", "CONV_2D", "ADD", "LOGISTIC"]


def test_what_its_pixels_fit_stays_as_it_is(tiny: TinyModel) -> None:
    model = normalizing(padded="same")
    assert fold_normalization(model, BLACK, 255 * WHITE) is None
    settings = Preprocess(TINY_SIDE, TINY_SIDE)
    source = as_source(tiny.model, settings)
    assert with_folded_normalization(source) == (source, ())


def test_the_author_is_told_of_the_cure() -> None:
    source = as_source(normalizing(padded="same"), Preprocess(SIDE, SIDE, std=(255.0,)))
    folded, (line,) = with_folded_normalization(source)
    assert "2 of 255 steps" in line
    assert "feed 0–255" in line
    assert folded.steps[-1]["step"] == "folded"
    raw = replace(source, preprocess=Preprocess(SIDE, SIDE))
    assert with_folded_normalization(raw) == (raw, ())


def test_a_folded_model_can_be_trained() -> None:
    folded = fold_normalization(normalizing(padded="same"), BLACK, WHITE)
    assert folded is not None
    graph = read_graph(folded.model)
    borders = next(name for name in graph.constants if name.endswith(";borders"))
    assert graph.constants[borders].shape == (1, 4, 4, MADE)
    assert np.abs(graph.constants[borders][0, 1:-1, 1:-1]).max() == 0


@pytest.mark.parametrize("shape", [(1, 1, 4, 1), (1, 4, 1, 1), (1, 1, 1, 4)])
def test_a_constant_for_each_column_is_none_for_each_channel(shape: tuple[int, ...]) -> None:
    """An image made 4 x 4 with 4 channels has as many columns as channels."""
    model = normalizing(padded="same", more=shape)
    pixels = np.random.default_rng(1).random((1, SIDE, SIDE, 3), np.float32)
    folded = fold_normalization(model, BLACK, WHITE)
    assert folded is not None
    assert np.abs(answer(folded.model, pixels) - answer(model, pixels)).max() < 1e-5


def as_source(model: bytes, settings: Preprocess) -> Source:
    structure = parse_structure(model, "net")
    return Source(
        "net", model, structure, find_head(structure, "net"), settings, None, None, {}, ()
    )
