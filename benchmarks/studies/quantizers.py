"""Ways to int8 that ``quantization_quality`` compares: a row each, and how its file is asked.

A new tool is one row of ``TOOLS``. NNCF and OpenVINO are no part of this package's installation:
their rows are there where ``pip install nncf openvino`` was run.
"""

from __future__ import annotations

import contextlib
import io
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_effnet.architecture.files import find_variant
from edge_effnet.arrays import Float32Array
from edge_effnet.artifact import Card, write_artifact
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.image.preprocessing import Pixels, Preprocess, normalize, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from edge_effnet.system.native_log import native_output_hidden


@dataclass(frozen=True)
class Task:
    """What every tool is given.

    Attributes:
        reference, ours: the float file and our int8 file.
        variant, weights: as the options of ``edge-effnet convert``; the network of ``reference``.
        preprocessing: the preprocessing of ``reference``, which every tool's images go through.
        images: to calibrate with.
        folder: for what a tool writes.
    """

    reference: Path
    ours: Path
    variant: str
    weights: str
    preprocessing: Preprocess
    images: Dataset
    folder: Path

    def input_of(self, sample: Sample) -> Float32Array:
        """A calibration image as float's input, 1 x height x width x 3."""
        return normalize(
            preprocess(read_image(sample.path), self.preprocessing), self.preprocessing
        )[None]


@dataclass(frozen=True)
class Opened:
    """A network in its runtime, on one core.

    Attributes:
        size_bytes: of all its files.
        tensor: prepared pixels, height x width x 3, to its input.
        scores: of such an input: float32, (classes,).
    """

    size_bytes: int
    tensor: Callable[[Pixels], NDArray[Any]]
    scores: Callable[[NDArray[Any]], Float32Array]


@dataclass(frozen=True)
class Tool:
    """One row of the comparison.

    Attributes:
        runtime: what its file was run with: a time is that runtime's.
        packages: that must be installed beside ours.
    """

    name: str
    runtime: str
    make: Callable[[Task], Opened]
    packages: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The packages that are not installed."""
        return tuple(package for package in self.packages if find_spec(package) is None)


def in_litert(path: Path) -> Opened:
    """A ``.tflite`` in the TFLite runtime."""
    classifier = open_classifier(path)
    return Opened(path.stat().st_size, classifier.tensor, classifier.scores_of_input)


def in_openvino(path: Path, preprocessing: Preprocess) -> Opened:
    """A ``.tflite`` or an OpenVINO ``.xml`` with its ``.bin`` in OpenVINO, on the CPU.

    On CPUs that compute in bfloat16 OpenVINO would do so unasked; what is left float is float32
    here, as in the other runtime.
    """
    import openvino

    core = openvino.Core()
    settings = {
        "INFERENCE_NUM_THREADS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    compiled = core.compile_model(core.read_model(path), "CPU", settings)

    def tensor(prepared: Pixels) -> Float32Array:
        return normalize(prepared, preprocessing)[None]

    def scores(given: NDArray[Any]) -> Float32Array:
        return np.array(compiled(given)[0], np.float32).reshape(-1)

    files = (path, path.with_suffix(".bin")) if path.suffix == ".xml" else (path,)
    return Opened(sum(file.stat().st_size for file in files), tensor, scores)


def by_tensorflow(task: Task) -> Opened:
    """What ``tf.lite.TFLiteConverter`` makes of the network: full int8.

    Written with the labels and preprocessing of the float file, so that it is asked the same.
    """
    from edge_effnet.network.backend import keras_module
    from edge_effnet.network.weights.resolve import load, resolve_weights

    keras = keras_module()  # first: it keeps TensorFlow's start quiet
    import tensorflow as tf

    preprocessing, labels = task.preprocessing, open_classifier(task.reference).labels
    spec = find_variant(task.variant)
    resolved = resolve_weights(spec, task.weights, runs=Path("runs"))
    network = load(
        resolved, resolution=preprocessing.height, classes=resolved.classes or len(labels)
    )

    pixels = keras.Input((preprocessing.height, preprocessing.width, 3), batch_size=1)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(pixels, network(pixels)))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [task.input_of(sample)] for sample in task.images.samples
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    with (
        native_output_hidden(),
        contextlib.redirect_stdout(io.StringIO()),
        warnings.catch_warnings(),
    ):
        # "Statistics for quantized inputs were expected": it takes them from the images.
        warnings.simplefilter("ignore", UserWarning)
        model = converter.convert()
    path = task.folder / "tensorflow-int8.tflite"
    write_artifact(path, model, Card("stock", labels, preprocessing))
    return in_litert(path)


def by_nncf(task: Task, preset: str) -> Opened:
    """NNCF's post-training int8 of the float file, its own defaults but for the preset.

    Args:
        preset: ``performance`` (symmetric activations) or ``mixed`` (asymmetric ones, which
            NNCF advises for networks without ReLU).
    """
    import nncf
    import openvino

    with contextlib.redirect_stdout(sys.stderr):  # its progress bars
        model = nncf.quantize(
            openvino.Core().read_model(task.reference),
            nncf.Dataset(task.images.samples, task.input_of),
            preset=nncf.QuantizationPreset(preset),
            subset_size=len(task.images),
        )
    path = task.folder / f"nncf-{preset}.xml"
    openvino.save_model(model, path)
    return in_openvino(path, task.preprocessing)


_NNCF = ("nncf", "openvino")
TOOLS = (
    Tool("float32", "LiteRT", lambda task: in_litert(task.reference)),
    Tool("TensorFlow", "LiteRT", by_tensorflow),
    Tool("edge-effnet", "LiteRT", lambda task: in_litert(task.ours)),
    Tool(
        "float32",
        "OpenVINO",
        lambda task: in_openvino(task.reference, task.preprocessing),
        ("openvino",),
    ),
    Tool("NNCF", "OpenVINO", partial(by_nncf, preset="performance"), _NNCF),
    Tool("NNCF, mixed", "OpenVINO", partial(by_nncf, preset="mixed"), _NNCF),
)
"""The first is what the others are compared with."""
