"""A network whose cost can be matched, and that trains in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.spec import StageSpec, VariantSpec
from edge_effnet.architecture.variants import VARIANTS


@pytest.fixture(scope="session")
def small() -> VariantSpec:
    """Two stages of one block, whose channels go in single steps: its cost can be matched."""
    stages = tuple(StageSpec("mbconv", 1, 3, 2, 2, 16, width) for width in (16, 24))
    return replace(
        VARIANTS["b0"], name="small", stages=stages, stem_width=16, head_width=32, divisor=1,
        resolution=40, official_weights=None, published=None,
    )  # fmt: skip


@pytest.fixture(scope="session")
def small_file(small: VariantSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("variant") / "small.json"
    write_variant(path, small)
    return path
