"""Stages that nobody watches."""

from edge_effnet.stages import StartStage, no_progress


def test_a_stage_can_be_started_without_a_watcher() -> None:
    start: StartStage = no_progress
    for steps in (None, 2):
        assert start("reading images", steps)(1) is None  # type: ignore[func-returns-value]
