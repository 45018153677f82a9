from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from edge_effnet.arrays import Float32Array
from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess
from edge_effnet.training.config import Augment, TrainConfig
from edge_effnet.training.data.augment import OPERATIONS, augment, plan_mix, random_crop

PHOTO = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def mix(
    images: Pixels, truth: Float32Array, config: TrainConfig, random: np.random.Generator
) -> tuple[Pixels | Float32Array, Float32Array]:
    plan = plan_mix(len(images), images.shape[1], config, random)
    assert plan is not None
    return plan.mixed(images, images[plan.partner]), plan.truth(truth, truth[plan.partner])


@pytest.mark.parametrize("kind", get_args(Augment))
def test_same_numbers_same_image(kind: str) -> None:
    config = TrainConfig(data="photos", augment=kind, flip=True, min_crop=0.35)  # type: ignore[arg-type]
    one, other = augment(PHOTO, config, 32, random(1)), augment(PHOTO, config, 32, random(1))
    assert one.shape == (32, 32, 3)
    assert one.dtype == np.uint8
    assert one.flags.c_contiguous
    np.testing.assert_array_equal(one, other)
    many = {augment(PHOTO, config, 32, random(seed)).tobytes() for seed in range(12)}
    assert len(many) == (2 if kind == "none" else 12)


def test_the_operations_keep_their_order() -> None:
    """A run that an earlier version began draws the same ones when it is resumed."""
    assert list(OPERATIONS) == (
        "rotate,shear x,shear y,shift x,shift y,brightness,contrast,color,sharpness,posterize,"
        "solarize,equalize,auto contrast"
    ).split(",")


def test_none_is_the_preprocessing_and_its_mirror_image() -> None:
    config = TrainConfig(data="photos", augment="none", flip=True, min_crop=0.35)
    plain = preprocess(PHOTO, Preprocess(32, 32))
    made = {augment(PHOTO, config, 32, random(seed)).tobytes() for seed in range(20)}
    assert made == {plain.tobytes(), plain[:, ::-1].tobytes()}


@pytest.mark.parametrize("kind", get_args(Augment))
def test_without_flip_left_stays_left(kind: str) -> None:
    half = np.zeros((64, 64, 3), np.uint8)
    half[:, 32:] = 255
    config = TrainConfig(data="photos", augment=kind, flip=False, min_crop=0.9)  # type: ignore[arg-type]
    for seed in range(40):
        image = augment(half, config, 32, random(seed)).astype(int)
        # A solarized image is darker where it was brighter.
        if abs(image[:, 24:28].mean() - image[:, 4:8].mean()) > 100 and kind != "randaugment":
            assert image[:, 24:28].mean() > image[:, 4:8].mean()


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_keeps_the_shape_and_changes_something(name: str) -> None:
    smooth = np.linspace(30, 200, 32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    for amount in (-0.8, 0.8):
        made = OPERATIONS[name](smooth, amount)
        assert made.shape == smooth.shape
        assert made.dtype == np.uint8
        assert (made != smooth).any()


@pytest.mark.parametrize("shape", [(60, 90, 3), (1, 1, 3), (2, 400, 3), (33, 32, 3)])
def test_crops_of_any_image(shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 7, np.uint8)
    for seed in range(5):
        made = random_crop(image, 24, 0.35, random(seed))
        assert made.shape == (24, 24, 3)
        assert (made == 7).all()


def test_mixed_truths_add_up_to_one() -> None:
    images = random().integers(0, 256, (8, 16, 16, 3), dtype=np.uint8)
    truth = np.eye(4, dtype=np.float32)[random().integers(0, 4, 8)]
    plain = TrainConfig(data="photos", augment="none", flip=False, min_crop=1.0)
    assert plan_mix(8, 16, plain, random()) is None
    for config in (
        TrainConfig(data="photos", augment="none", flip=False, min_crop=1.0, mixup=0.4),
        TrainConfig(data="photos", augment="none", flip=False, min_crop=1.0, cutmix=1.0),
        TrainConfig(data="photos", augment="none", flip=False, min_crop=1.0, mixup=0.4, cutmix=1.0),
    ):
        for seed in range(20):
            mixed, shares = mix(images, truth, config, random(seed))
            assert mixed.shape == images.shape
            assert mixed.min() >= 0
            assert mixed.max() < 255.01
            np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)


def test_cutmix_shares_are_areas() -> None:
    images = np.stack([np.full((10, 10, 3), value, np.uint8) for value in (0, 100)])
    truth = np.eye(2, dtype=np.float32)
    config = TrainConfig(data="photos", augment="none", flip=False, min_crop=1.0, cutmix=1.0)
    for seed in range(20):
        mixed, shares = mix(images, truth, config, random(seed))
        np.testing.assert_allclose(shares[0, 1], (mixed[0, :, :, 0] == 100).mean(), atol=1e-6)
