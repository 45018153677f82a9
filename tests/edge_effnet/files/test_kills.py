"""A few of the kills that ``python -m tests.fuzz.kills`` makes by the dozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.kill_commands import COMMANDS
from tests.fuzz.kills import run


@pytest.mark.parametrize("name", ["convert", "teach", "camera", "bench"])
def test_a_killed_command_loses_nothing_and_ends_in_the_same_results(
    name: str, tmp_path: Path
) -> None:
    tally = run(COMMANDS[name], times=2, seed=1, work=tmp_path)
    assert tally.broken == []


@pytest.mark.slow
def test_a_killed_pruning_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    tally = run(COMMANDS["prune"], times=1, seed=2, work=tmp_path)
    assert tally.broken == []
