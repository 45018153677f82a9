"""What is told of answers, and when: states that have held for a while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edge_effnet.camera.answers import Decision
from edge_effnet.heads.kinds import Task
from edge_effnet.printable import printable

ANSWER = "answer"
MOST_LABELS = 50
"""Labels that have a state each, of a head that answers several."""
MOST_VALUES = 10
LONGEST_STATE = 255
"""Characters that Home Assistant keeps of a state."""
ON, OFF = "ON", "OFF"


def label_key(index: int) -> str:
    return f"label-{index}"


def value_key(index: int) -> str:
    return f"value-{index}"


def states_of(shown: Decision, task: Task, labels: Sequence[str]) -> dict[str, str]:
    """The state of each entity: the answer; of several labels, each label too; or the values."""
    if task == "value":
        values = shown.values[:MOST_VALUES]
        return {value_key(index): f"{value:.4g}" for index, value in enumerate(values)}
    states = {ANSWER: printable(shown.label)[:LONGEST_STATE]}
    if task == "labels" and len(labels) <= MOST_LABELS:
        answered = {item.label for item in shown.answers}
        for index, label in enumerate(labels):
            states[label_key(index)] = ON if label in answered else OFF
    return states


class SteadyStates:
    """Passes a state on when it has not changed for ``steady_s``; a number, which hardly ever
    stays the same, so often at most."""

    def __init__(self, steady_s: float, task: Task) -> None:
        self._steady_s, self._task = steady_s, task
        self._since: dict[str, tuple[str, float]] = {}
        self._told: dict[str, str] = {}
        self._told_s: dict[str, float] = {}

    @property
    def told(self) -> Mapping[str, str]:
        """The latest of each."""
        return self._told

    def changed(self, states: Mapping[str, str], now_s: float) -> dict[str, str]:
        """Which of these are to be told now, at ``now_s`` of any clock that runs on."""
        fresh = {key: state for key, state in states.items() if self._is_due(key, state, now_s)}
        self._told.update(fresh)
        self._told_s.update(dict.fromkeys(fresh, now_s))
        return fresh

    def _is_due(self, key: str, state: str, now_s: float) -> bool:
        before, since_s = self._since.get(key, ("", now_s))
        if state != before:
            since_s = now_s
        self._since[key] = (state, since_s)
        if self._task == "value":
            since_s = self._told_s.get(key, float("-inf"))
        return state != self._told.get(key) and now_s - since_s >= self._steady_s
