"""What a file of ``teach`` costs."""

from __future__ import annotations

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.taught import taught_cost


def test_two_float_layers_stand_for_the_thousand_classes() -> None:
    spec = VARIANTS["lite0"]
    whole, taught = cost(spec), taught_cost(spec, 10)
    assert whole.parameters - taught.parameters == 1001_000 + 280_000 - 2 * 10 * 1281
    assert taught.int8_bytes < whole.int8_bytes


def test_the_size_of_a_file_that_was_taught_16_classes() -> None:
    """3,849,109 bytes with its card, which remembers 48 photos."""
    assert abs(taught_cost(VARIANTS["lite0"], 16).int8_bytes / 3_849_109 - 1) < 0.02
