"""The images of ``edge-effnet demo``: where they come from, and the one that shows the answers."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import cv2
import numpy as np

from edge_effnet.image.preprocessing import Pixels, Preprocess, preprocess

IMAGES = 12  # at most
COLUMNS = 4
TILE_PX = 240
_CAPTION_PX = 26
# Drawn from a split and a seed of its own: neither training nor the comparison saw them.
_SEED = 20_000
_PHOTOS = {
    "cat.jpg": frozenset({"tabby", "tiger cat", "Egyptian cat"}),
    "espresso.jpg": frozenset({"espresso", "cup"}),
}
_RIGHT, _WRONG, _UNKNOWN = (120, 230, 120), (255, 110, 110), (230, 230, 230)


@dataclass(frozen=True)
class DemoImage:
    """One image.

    Attributes:
        truths: the labels that are right; empty where nobody has said.
        answers: label and score by model, once the models were asked.
    """

    name: str
    pixels: Pixels
    truths: frozenset[str]
    answers: dict[str, tuple[str, float]]


def drawn_signs() -> list[DemoImage]:
    """Signs that no model has seen."""
    from edge_effnet.data.signs.render import render_sample, split_index
    from edge_effnet.data.signs.table import LABELS

    images = []
    for number in range(IMAGES):
        pixels, label = render_sample(split_index("test", number), _SEED, TILE_PX)
        images.append(DemoImage(LABELS[label], pixels, frozenset({LABELS[label]}), {}))
    return images


def photos(folder: Path | None) -> list[DemoImage]:
    """The first photos of a folder, or those of this package.

    Raises:
        DataError: the folder has none, or one cannot be read.
    """
    from edge_effnet.data.listing import load_images
    from edge_effnet.image.reading import read_image

    if folder is not None:
        paths = [sample.path for sample in load_images(folder, part=None).samples[:IMAGES]]
        return [DemoImage(path.name, read_image(path), frozenset(), {}) for path in paths]
    own = Path(str(resources.files("edge_effnet") / "assets" / "demo" / "photos"))
    return [DemoImage(name, read_image(own / name), truths, {}) for name, truths in _PHOTOS.items()]


def ask(models: dict[str, Path], images: list[DemoImage]) -> None:
    """Give each image the answer of each model."""
    from edge_effnet.runtime.classifier import open_classifier

    for name, path in models.items():
        classifier = open_classifier(path)
        for image in images:
            scores = classifier.scores(image.pixels)
            best = int(np.argmax(scores))
            image.answers[name] = (classifier.labels[best], float(scores[best]))


def write_image(images: list[DemoImage], path: Path) -> None:
    """The images in a grid, each with what the models call it; wrong answers in red."""
    from edge_effnet.files.write import write_atomically

    tiles = [_tile(image) for image in images]
    columns = min(COLUMNS, len(tiles))
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    grid = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".jpg", grid, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    write_atomically(path, encoded.tobytes(), overwrite=True)


def _tile(image: DemoImage) -> Pixels:
    lines = len(image.answers)
    canvas = np.full((TILE_PX + _CAPTION_PX * lines + 8, TILE_PX, 3), 24, np.uint8)
    canvas[:TILE_PX] = preprocess(image.pixels, Preprocess(TILE_PX, TILE_PX, crop=1.0))
    for line, (model, (label, score)) in enumerate(image.answers.items(), start=1):
        colour = _RIGHT if label in image.truths else _WRONG if image.truths else _UNKNOWN
        text = f"{model}: {label} {score:.2f}"
        corner = (6, TILE_PX + _CAPTION_PX * line - 6)
        cv2.putText(canvas, text, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5, colour, 1, cv2.LINE_AA)
    return canvas
