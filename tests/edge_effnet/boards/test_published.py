"""Published latencies, and how far off an estimate from one of them is on the others."""

from __future__ import annotations

import re
from pathlib import Path

from edge_effnet.architecture.cost import cost
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.estimate import LONGEST, SHORTEST
from edge_effnet.boards.published import CHECKS, NETWORKS, REFERENCES
from edge_effnet.boards.table import BOARDS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "boards.md"


def test_every_figure_names_a_board_a_page_and_what_was_measured() -> None:
    for row in (*REFERENCES, *NETWORKS):
        assert row.board in BOARDS
        assert row.source.url.startswith("https://")
        assert len(row.source.conditions) > 20


def test_multiply_adds_of_our_networks_are_those_we_count() -> None:
    ours = list(NETWORKS)
    ours += [one for check in CHECKS for one in (check.known, check.other)]
    for row in ours:
        if row.network in VARIANTS:
            assert abs(row.macs / cost(VARIANTS[row.network]).macs - 1) < 0.01


def test_estimates_of_depthwise_networks_are_as_far_off_as_is_said() -> None:
    shares = [1 / (1 + check.error) for check in CHECKS if not check.dense]
    assert len(shares) == 14
    assert SHORTEST < min(shares) < SHORTEST + 0.1
    assert LONGEST - 0.1 < max(shares) < LONGEST


def test_dense_convolutions_take_at_most_what_is_estimated() -> None:
    errors = [check.error for check in CHECKS if check.dense]
    assert len(errors) == 7
    assert min(errors) > -0.05
    assert 2 < max(errors) < 2.1  # three times as fast as estimated


def test_the_page_shows_every_check() -> None:
    """Rows as | pi3 | MobileNetV1 | float | 150 | 114 | +31 % |."""
    cells = re.findall(r"^\| (.+?) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    for check in CHECKS:
        estimated = check.known.latency_ms * check.other.macs / check.known.macs
        row = (
            check.known.board,
            check.other.network,
            check.other.precision,
            f"{estimated:.3g}",
            f"{check.other.latency_ms:g}",
            f"{100 * check.error:+.0f} %",
        )
        assert " | ".join(row) in cells
