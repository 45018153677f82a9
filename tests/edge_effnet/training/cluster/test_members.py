"""``TF_CONFIG``: who belongs to the group, and which one this process is."""

from __future__ import annotations

import json

import pytest

from edge_effnet.errors import UsageProblem
from edge_effnet.training.cluster.members import Member, member_from_environment


def found(cluster: object, kind: str = "worker", index: int = 0) -> Member | None:
    text = json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})
    return member_from_environment({"TF_CONFIG": text})


def test_workers_and_a_chief() -> None:
    assert found({"worker": ["a:1", "b:2"]}, index=1) == Member(("a:1", "b:2"), 1)
    both = {"chief": ["c:3"], "worker": ["a:1", "b:2"], "ps": ["p:9"]}
    assert found(both, "chief") == Member(("c:3", "a:1", "b:2"), 0)
    assert found(both, "worker", 1) == Member(("c:3", "a:1", "b:2"), 2)


def test_a_group_of_one_is_none() -> None:
    assert member_from_environment({}) is None
    assert member_from_environment({"TF_CONFIG": ""}) is None
    assert member_from_environment({"TF_CONFIG": "{}"}) is None
    assert found({"worker": ["a:1"]}) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "JSONDecodeError"),
        ("[1]", "AttributeError"),
        ('{"cluster": {"worker": ["a:1", "b:2"]}}', "KeyError: 'task'"),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "ps", "index": 0}}',
            "the task is a 'ps'; a worker or the chief can train",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
            "worker 2 of 2",
        ),
        (
            '{"cluster": {"worker": ["a:1", "a:1"]}, "task": {"type": "worker", "index": 0}}',
            "one address is named twice",
        ),
        (
            '{"cluster": {"worker": ["a", "b:2"]}, "task": {"type": "worker", "index": 0}}',
            "'a' is no HOST:PORT",
        ),
    ],
)
def test_what_describes_no_group_is_one_line(text: str, why: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        member_from_environment({"TF_CONFIG": text})
    assert why in str(caught.value)
    assert "unset TF_CONFIG" in str(caught.value)
