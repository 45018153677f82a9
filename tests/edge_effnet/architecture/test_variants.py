"""Rows and what they expand to."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.architecture.spec import (
    BlockSpec,
    block_letter,
    network_plan,
    round_repeats,
    round_width,
)
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import UsageProblem

WIDTHS = st.floats(1, 4096)
DIVISORS = st.sampled_from([1, 4, 8, 16])


@pytest.mark.parametrize("name", VARIANTS)
def test_every_row_expands_to_a_chain_of_blocks(name: str) -> None:
    plan = network_plan(VARIANTS[name])
    widths = [plan.stem_width, *(block.width_out for block in plan.blocks)]
    assert [block.width_in for block in plan.blocks] == widths[:-1]
    assert math.prod(block.stride for block in plan.blocks) == 16  # the stem halves once more
    assert len({block.name for block in plan.blocks}) == len(plan.blocks)
    assert all(block.width_se == 0 for block in plan.blocks if block.kind == "fused")


@pytest.mark.parametrize(
    ("name", "blocks", "stem", "last", "head"),
    [
        ("b0", 16, 32, 320, 1280),
        ("b7", 55, 64, 640, 2560),
        ("lite4", 30, 32, 448, 1280),  # stem and head fixed, first and last stage not deepened
        ("edgetpu-s", 18, 32, 192, 1280),
        ("v2-b0", 21, 32, 192, 1280),
        ("v2-s", 40, 24, 256, 1280),
        ("v2-l", 79, 32, 640, 1280),
    ],
)
def test_published_sizes(name: str, blocks: int, stem: int, last: int, head: int) -> None:
    plan = network_plan(VARIANTS[name])
    assert len(plan.blocks) == blocks
    assert (plan.stem_width, plan.blocks[-1].width_out, plan.head_width) == (stem, last, head)


def test_blocks_are_named_as_in_keras_applications() -> None:
    names = [block.name for block in network_plan(VARIANTS["b0"]).blocks]
    assert names[:5] == ["block1a", "block2a", "block2b", "block3a", "block3b"]
    assert names[-1] == "block7a"
    assert network_plan(VARIANTS["v2-l"]).blocks[71].name == "block6y"
    assert [block_letter(index) for index in (0, 25, 26, 27, 52)] == ["a", "z", "aa", "ab", "ba"]


def test_edgetpu_widens_by_the_declared_width() -> None:
    """Its first stage declares 24 channels while the stem gives 32: 24 × 4, not 32 × 4."""
    first = network_plan(VARIANTS["edgetpu-s"]).blocks[0]
    assert (first.width_in, first.width_expanded) == (32, 96)


@pytest.mark.parametrize(
    ("width", "rounded"),
    [
        (32 * 1.1, 32),  # B2's stem
        (16 * 1.1, 16),
        (24 * 1.4, 32),  # B4: 33.6
        (40 * 1.2, 48),
        (11.9, 16),  # 8 would lose a third
        (3, 8),  # never below one divisor
        (80 * 1.8, 144),
    ],
)
def test_widths_round_as_published(width: float, rounded: int) -> None:
    assert round_width(width) == rounded


@given(WIDTHS, DIVISORS)
def test_a_rounded_width_is_a_multiple_and_loses_at_most_a_tenth(
    width: float, divisor: int
) -> None:
    rounded = round_width(width, divisor)
    assert rounded % divisor == 0
    assert rounded >= 0.9 * width
    assert rounded <= max(divisor, width + divisor)


@given(WIDTHS, WIDTHS, DIVISORS, st.sampled_from([0.0, 0.9]))
def test_rounding_keeps_the_order_of_widths(
    one: float, other: float, divisor: int, share: float
) -> None:
    small, large = sorted((one, other))
    assert round_width(small, divisor, share) <= round_width(large, divisor, share)


@given(st.integers(1, 30), st.integers(5, 400))
def test_repeats_round_up(repeats: int, hundredths: int) -> None:
    """Whole numbers are the judge here: ``20 * 0.05`` may be a hair over 1 in floats."""
    exact = -(-repeats * hundredths // 100)
    rounded = round_repeats(repeats * (hundredths / 100))
    assert rounded in (exact, exact + (repeats * hundredths % 100 == 0))
    assert rounded >= 1


BLOCK = BlockSpec("block1a", "mbconv", 3, 1, 16, 96, 4, 16, expand=True, skip=True)


def test_a_row_can_carry_its_blocks() -> None:
    """What a pruner makes: every width is its own, stages and multipliers are not asked."""
    thin = replace(BLOCK, name="block2a", width_expanded=41, width_out=12, skip=False)
    spec = replace(
        VARIANTS["b7"], name="pruned", stem_width=16, head_width=100, blocks=(BLOCK, thin)
    )
    plan = network_plan(spec)
    assert plan.blocks == (BLOCK, thin)
    assert (plan.stem_width, plan.head_width) == (16, 100)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"stride": 2}, "cannot have a skip connection"),
        ({"width_out": 24}, "cannot have a skip connection"),
        ({"expand": False}, "no expansion layer"),
        ({"width_expanded": 0}, "a size that no network can have"),
        ({"kernel": 0}, "a size that no network can have"),
        ({"width_se": -1}, "a size that no network can have"),
        ({"name": "stem"}, "no name of a block"),
    ],
)
def test_impossible_blocks_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        replace(BLOCK, **changes)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"resolution": 0}, "resolution 0"),
        ({"width": -1.0}, "width -1.0"),
        ({"depth": math.nan}, "depth nan"),
        ({"dropout": 1.0}, "dropout 1.0"),
        ({"divisor": 0}, "divisor 0"),
        ({"stages": ()}, "0 stages"),
        ({"blocks": (BLOCK,), "stem_width": 24}, "width_in 16; expected 24"),
        ({"blocks": (BLOCK, BLOCK), "stem_width": 16}, "two blocks of one name"),
    ],
)
def test_impossible_rows_are_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(UsageProblem, match=said):
        replace(VARIANTS["b0"], **changes)


def test_letters_stay_unique_in_deep_stages() -> None:
    letters = [block_letter(index) for index in range(200)]
    assert len(set(letters)) == 200
    assert all(len(one) <= len(other) for one, other in pairwise(letters))
