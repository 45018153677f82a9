"""What is told of answers, and when: states that have held for a while."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from functools import cache

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


@cache
def label_keys(labels: tuple[str, ...]) -> tuple[str, ...]:
    """A key for each label, of ``a-z0-9_-``, no two the same. It is made of the name, not of the
    place: after a training with one class more, each stays what it was."""
    keys = list[str]()
    for label in labels:
        key = f"label-{_slug(label)}"
        while key in keys:
            key += "-2"
        keys.append(key)
    return tuple(keys)


def _slug(label: str) -> str:
    """What an id can hold of a label; of other letters than these, a hash."""
    decomposed = unicodedata.normalize("NFKD", label)
    letters = [one for one in decomposed if not unicodedata.combining(one)]
    plain = re.sub(r"[^a-z0-9]+", "-", "".join(letters).lower()).strip("-")[:48]
    if plain and all(one.isascii() or not one.isalnum() for one in letters):
        return plain
    digest = hashlib.sha256(label.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{plain}-{digest}".strip("-")


def value_key(index: int) -> str:
    return f"value-{index}"


def states_of(shown: Decision, task: Task, labels: tuple[str, ...]) -> dict[str, str]:
    """The state of each entity: the answer; of several labels, each label too; or the values."""
    if task == "value":
        values = shown.values[:MOST_VALUES]
        return {value_key(index): f"{value:.4g}" for index, value in enumerate(values)}
    states = {ANSWER: printable(shown.label)[:LONGEST_STATE]}
    if task == "labels" and len(labels) <= MOST_LABELS:
        answered = {item.label for item in shown.answers}
        for key, label in zip(label_keys(labels), labels, strict=True):
            states[key] = ON if label in answered else OFF
    return states


class SteadyStates:
    """Passes a state on when it has not changed for ``steady_s``; a number, which hardly ever
    stays the same, so often at most."""

    def __init__(self, steady_s: float, task: Task) -> None:
        self._steady_s, self._task = steady_s, task
        self._since: dict[str, tuple[str, float]] = {}
        self._told: dict[str, str] = {}
        self._told_s: dict[str, float] = {}
        self._held: set[str] = set()

    @property
    def told(self) -> Mapping[str, str]:
        """The latest of each."""
        return self._told

    def forget(self) -> None:
        """All is to be seen again, and to hold again."""
        self._since.clear()
        self._held.clear()

    @property
    def settled(self) -> bool:
        """Whether each state has held since the beginning, or since ``forget``: what is told of it
        is of now."""
        return bool(self._since) and self._held >= self._since.keys()

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
        if now_s - since_s < self._steady_s:
            return False
        self._held.add(key)
        return state != self._told.get(key)
