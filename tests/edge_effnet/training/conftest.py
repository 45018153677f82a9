"""A network so small that it trains in seconds, and images it can learn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import BlockSpec, VariantSpec
from edge_effnet.architecture.variants import VARIANTS

SIDE = 32


@pytest.fixture(scope="session")
def tiny() -> VariantSpec:
    """Two blocks in the style of B0, with dropout and a skip: every random stream is in use."""
    blocks = (
        BlockSpec("block1a", "mbconv", 3, 2, 8, 16, 4, 8, expand=True, skip=False),
        BlockSpec("block1b", "mbconv", 3, 1, 8, 16, 4, 8, expand=True, skip=True),
    )
    return replace(
        VARIANTS["b0"],
        name="tiny",
        blocks=blocks,
        stem_width=8,
        head_width=16,
        dropout=0.1,
        resolution=SIDE,
        official_weights=None,
        published=None,
    )


@pytest.fixture(scope="session")
def tiny_file(tiny: VariantSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variant") / "tiny.json"
    write_variant(path, tiny)
    return path


@pytest.fixture(scope="session")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder per colour, 16 noisy images each; never to be changed."""
    return draw_colours(tmp_path_factory.mktemp("colours"), 16)


def draw_colours(folder: Path, count: int, seed: int = 3) -> Path:
    random = np.random.default_rng(seed)
    for place, colour in enumerate(("blue", "green", "red")):
        (folder / colour).mkdir(parents=True)
        for number in range(count):
            pixels = random.integers(0, 90, (40, 48, 3), dtype=np.uint8)
            pixels[:, :, place] += np.uint8(120)
            assert cv2.imwrite(str(folder / colour / f"{number}.png"), pixels)
    return folder
