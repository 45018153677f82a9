"""What is trained is what the file computes: logits of the simulation against LiteRT's."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from converters.calibration.ranges import Ranges, choose_ranges, collect_statistics
from converters.calibration.representative import choose_calibration
from converters.float_model.variant_source import from_variant
from converters.quantization.qat.batches import Batches
from converters.quantization.qat.config import QatConfig
from converters.quantization.qat.simulation import Simulation, simulate
from converters.quantization.qat.training import compile_simulation
from converters.quantization.quantizer import quantize
from converters.quantization.recipes import RECIPES
from converters.tflite_graph.activations import logits
from converters.tflite_graph.graph import read_graph, write_weights
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.data.listing import load_images
from edge_effnet.tflite.reader import Structure
from tests.converters.conftest import TinyModel

IMAGENETTE = (
    *("tench", "english_springer", "cassette_player", "chain_saw", "church"),
    *("french_horn", "garbage_truck", "gas_pump", "golf_ball", "parachute"),
)


def both_answers(
    simulation: Simulation, model: bytes, structure: Structure, ranges: Ranges, images: list
) -> tuple[np.ndarray, np.ndarray, float]:
    """Logits of the simulation and of the file, and the file's output step."""
    small = quantize(model, RECIPES["int8"], ranges, "int8")
    ours = simulation.model.predict(np.stack(images), batch_size=20, verbose=0)
    theirs = logits(small, structure, images, workers=2)
    low, high = ranges[read_graph(model).logits]
    return ours, theirs, (max(high, 0) - min(low, 0)) / 255


def test_a_trained_network_is_simulated_to_the_step(reference: Path, tmp_path: Path) -> None:
    source = from_variant(
        VARIANTS["b0"],
        weights=str(reference / "models" / "b0_imagenette_96.h5"),
        runs=tmp_path,
        resolution=96,
        labels=IMAGENETTE,
        preprocess=None,
    )
    photos = load_images(reference / "images" / "imagenette" / "train")
    calibration, _ = choose_calibration(photos, source.preprocess, count=40, seed=0)
    statistics = collect_statistics(source.model, source.structure, calibration, workers=2)
    ranges = choose_ranges(statistics, source.structure, calibration, source.model)
    unseen = load_images(reference / "images" / "imagenette" / "val")
    evaluation, _ = choose_calibration(unseen, source.preprocess, count=100, seed=0)
    simulation = simulate(read_graph(source.model), ranges, QatConfig())
    ours, theirs, step = both_answers(
        simulation, source.model, source.structure, ranges, list(evaluation.inputs())
    )
    assert (np.abs(ours - theirs) <= 2 * step + 1e-4).mean() >= 0.95
    # Two scores a step apart can be a tie on another processor: then either is the same answer.
    behind = ours.max(axis=1) - ours[np.arange(len(ours)), theirs.argmax(axis=1)]
    assert (behind <= 1.01 * step).mean() >= 0.99


def test_what_was_trained_is_what_the_file_computes(mini: TinyModel) -> None:
    config = QatConfig(steps=6, batch=4, kernel_rate=0.2, bias_rate=0.5, range_rate=0.02)
    simulation = simulate(read_graph(mini.model), mini.ranges, config)
    nodes = read_graph(mini.model).nodes
    assert {"PAD", "ADD", "MUL", "MEAN"} <= {node.kind for node in nodes}
    assert {"relu", "relu6"} <= {node.activation for node in nodes}
    batches = Batches(mini.model, mini.calibration, config)
    compile_simulation(simulation, config, batches.steps)
    for images, answers in batches.from_step(0):
        simulation.model.train_on_batch(images, answers)
    ranges = {**mini.ranges, **simulation.ranges()}
    moved = [name for name, ends in mini.ranges.items() if ranges[name] != pytest.approx(ends)]
    assert len(moved) > 10
    graph = read_graph(mini.model)
    assert not {graph.source, graph.logits, *graph.exact} & set(moved)
    trained = write_weights(mini.model, simulation.weights())
    images = list(islice(mini.calibration.inputs(), 24))
    ours, theirs, step = both_answers(simulation, trained, mini.structure, ranges, images)
    before = logits(
        quantize(mini.model, RECIPES["int8"], mini.ranges, "int8"),
        mini.structure,
        images,
        workers=2,
    )
    assert np.abs(ours - theirs).max() <= 1.01 * step
    assert np.abs(ours - before).max() > 2 * step  # training did change the answers


def test_a_recipe_may_have_one_scale_for_the_dense_layer(mini: TinyModel) -> None:
    graph = read_graph(mini.model)
    one_scale = replace(RECIPES["int8"], dense_scales="tensor")
    simulation = simulate(graph, mini.ranges, QatConfig(), one_scale)
    images = list(mini.calibration.inputs())
    ours = simulation.model.predict(np.stack(images), batch_size=24, verbose=0)
    small = quantize(mini.model, one_scale, mini.ranges, "int8")
    theirs = logits(small, mini.structure, images, workers=1)
    low, high = mini.ranges[graph.logits]
    assert np.abs(ours - theirs).max() <= 1.01 * (high - low) / 255
