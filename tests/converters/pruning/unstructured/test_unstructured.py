"""Zeros come on schedule, stay, and the truth about them is training."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from converters.pruning.unstructured.masks import (
    Masks,
    mask_of,
    pointwise_layers,
    sparsity_at,
    zero_share,
)
from converters.pruning.unstructured.size import file_sparsity
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from edge_effnet.tflite.editor import pack_tree, read_tree
from tests.converters.conftest import TinyModel


def test_sparsity_rises_quickly_then_settles() -> None:
    shares = [sparsity_at(step, 100, 0.8) for step in range(101)]
    assert shares[0] == 0
    assert shares[70:] == [0.8] * 31
    assert all(later >= now for now, later in itertools.pairwise(shares))
    # Zhu and Gupta 2017, equation 1: s_f + (s_i - s_f) (1 - t / n)^3
    assert shares[35] == pytest.approx(0.8 - 0.8 * 0.5**3)


@given(
    kernel=arrays(np.float32, (1, 1, 6, 10), elements=st.floats(-1, 1, width=32)),
    share=st.floats(0, 0.95),
    block=st.sampled_from([1, 2, 4]),
)
def test_a_mask_takes_the_weakest_blocks(kernel: np.ndarray, share: float, block: int) -> None:
    mask = mask_of(kernel, share, block)
    assert mask.shape == kernel.shape
    columns = [mask[0, 0][:, start : start + block] for start in range(0, 10, block)]
    assert all((part == part[:, :1]).all() for part in columns)  # whole blocks
    means = np.stack(
        [
            np.abs(kernel[0, 0][:, start : start + block]).mean(axis=1)
            for start in range(0, 10, block)
        ]
    )
    gone = np.stack([part[:, 0] == 0 for part in columns])
    assert gone.sum() == round(share * gone.size)
    if gone.any() and not gone.all():
        assert means[gone].max() <= means[~gone].min() + 1e-6


def test_masks_hold_while_the_network_learns(tiny: TinyModel) -> None:
    import keras

    network = keras.models.clone_model(tiny.network)
    masks = Masks(0.8, 1)
    masks.apply(network, 100, 100)
    assert zero_share(network) == pytest.approx(0.8, abs=0.01)
    layer = pointwise_layers(network)[0]
    zeros = np.asarray(layer.kernel) == 0
    layer.kernel.assign(np.asarray(layer.kernel) + 0.5)  # what an optimizer's momentum may do
    masks.apply(network, 101, 1000)
    assert (np.asarray(layer.kernel)[zeros] == 0).all()


def _with_zeros(model: bytes, share: float) -> bytes:
    """The same file with the smallest weights of its 1x1 kernels set to zero."""
    schema, tree = read_tree(model)
    graph = tree.subgraphs[0]
    for operator in graph.operators:
        code = tree.operatorCodes[operator.opcodeIndex].builtinCode
        tensor = graph.tensors[operator.inputs[1]] if len(operator.inputs) > 1 else None
        if code != schema.BuiltinOperator.CONV_2D or list(tensor.shape[1:3]) != [1, 1]:
            continue
        buffer = tree.buffers[tensor.buffer]
        values = np.frombuffer(bytes(buffer.data), np.float32).copy()
        values[np.abs(values) < np.quantile(np.abs(values), share)] = 0
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
    return pack_tree(tree)


def test_zeros_shrink_the_download_and_nothing_else(tiny: TinyModel) -> None:
    dense, sparse = file_sparsity(tiny.model), file_sparsity(_with_zeros(tiny.model, 0.8))
    assert dense.zero_share < 0.01
    assert sparse.zero_share == pytest.approx(0.8, abs=0.02)
    assert sparse.size_bytes == pytest.approx(dense.size_bytes, rel=0.01)
    assert sparse.compressed_bytes < 0.6 * dense.compressed_bytes
    assert any("two thirds" in reason for reason in dense.obstacles)
    assert not any("two thirds" in reason for reason in sparse.obstacles)
    assert any("stored dense" in reason for reason in sparse.obstacles)
    assert any("padding is not symmetric" in reason for reason in sparse.obstacles)


def test_a_stem_without_padding_is_no_stem_of_sparse_kernels(tiny: TinyModel) -> None:
    schema, tree = read_tree(tiny.model)
    stem = next(
        operator
        for operator in tree.subgraphs[0].operators
        if tree.operatorCodes[operator.opcodeIndex].builtinCode == schema.BuiltinOperator.CONV_2D
    )
    stem.builtinOptions.padding = schema.Padding.VALID
    assert any("padding" in reason for reason in file_sparsity(pack_tree(tree)).obstacles)


def test_int8_kernels_know_no_zeros(tiny: TinyModel) -> None:
    model = quantize(_with_zeros(tiny.model, 0.8), RECIPES["int8"], tiny.ranges, "uint8")
    truth = file_sparsity(model)
    assert truth.zero_share > 0.75
    assert any("only the download" in reason for reason in truth.obstacles)
