"""Batches of quantization-aware training: varied calibration images and float's answers to them.

Everything random derives from (seed, step), so a batch is the same whenever it is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from converters.calibration.dead_leaves import generated_image
from converters.calibration.representative import Calibration
from converters.quantization.qat.config import MOST_PASSES, MOST_STEPS, QatConfig
from converters.tflite_graph.activations import open_with_all_tensors
from converters.tflite_graph.segments import logit_names
from edge_effnet.arrays import Float32Array
from edge_effnet.data.threads import ahead
from edge_effnet.image.preprocessing import Pixels, in_channels, normalize, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.tflite.reader import parse_structure
from edge_effnet.training.data.augment import random_crop


@dataclass
class Batches:
    """Images and float's logits for each step; the next one is prepared meanwhile.

    Attributes:
        model: the float model, which teaches.
        labels: class index of each calibration image, or None.
    """

    model: bytes
    calibration: Calibration
    config: QatConfig
    labels: Sequence[int] | None = None
    _teacher: Any = field(init=False, repr=False)
    _logits: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._teacher = open_with_all_tensors(self.model)
        structure = parse_structure(self.model, "the float model")
        name = logit_names(structure)[0]
        self._logits = next(i for i, t in enumerate(structure.tensors) if t.name == name)

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.calibration) // self.config.batch)

    @property
    def steps(self) -> int:
        return self.config.steps or min(MOST_PASSES * self.steps_per_epoch, MOST_STEPS)

    def batch(self, step: int) -> tuple[Float32Array, Float32Array]:
        """Images, batch x height x width x 3, and what should be answered, batch x classes.

        With labels the answers are followed by one-hot classes: batch x (2 classes). Every
        batch is full: the last one of an epoch takes its missing images from the beginning.

        Raises:
            DataError: an image cannot be read.
        """
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.config.seed, epoch)).permutation(len(self.calibration))
        first = position * self.config.batch
        chosen = [int(order[i % len(order)]) for i in range(first, first + self.config.batch)]
        random = np.random.default_rng((self.config.seed, epoch, position))
        images = np.stack([self._image(index, random) for index in chosen])
        answers = np.stack([self._answer(image) for image in images])
        if self.labels is not None:
            truth = np.eye(answers.shape[1], dtype=np.float32)[[self.labels[i] for i in chosen]]
            answers = np.concatenate([answers, truth], axis=1)
        return images, answers

    def from_step(self, first: int) -> Iterator[tuple[Float32Array, Float32Array]]:
        """Each step's batch from ``first`` to the last, prepared ahead."""
        return ahead(self.batch, range(first, self.steps), 1)

    def _image(self, index: int, random: np.random.Generator) -> Float32Array:
        spec, images = self.calibration.preprocess, self.calibration.images
        if images is None:
            raw = generated_image(index, self.calibration.seed, spec.height, spec.width)
        else:
            raw = read_image(images.samples[index].path)
        pixels: Pixels
        if spec.height == spec.width and self.config.min_crop < 1:
            crop = random_crop(raw, spec.height, self.config.min_crop, random)
            pixels = in_channels(crop, spec.channels)
        elif images is None:
            pixels = in_channels(raw, spec.channels)
        else:
            pixels = preprocess(raw, spec)
        if self.config.flip and random.random() < 0.5:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        return normalize(pixels, spec)

    def _answer(self, image: Float32Array) -> Float32Array:
        source = self._teacher.get_input_details()[0]["index"]
        self._teacher.set_tensor(source, image[None])
        self._teacher.invoke()
        return np.asarray(self._teacher.get_tensor(self._logits), np.float32).reshape(-1)
