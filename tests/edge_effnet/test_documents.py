"""JSON to dataclasses: nothing is turned into something else, and the first fault has a place."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.documents import AtLeast, Fits, Malformed, structure, unstructure
from edge_effnet.errors import UsageProblem


@dataclass(frozen=True)
class Inner:
    share: float
    counts: tuple[Annotated[int, AtLeast(0)], ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    path: Path
    inner: Annotated[tuple[Inner, ...], AtLeast(1)]
    more: Annotated[dict[str, Any], Fits(dict[str, int])]


GOOD = {"name": "a", "path": "b/c", "inner": [{"share": 1, "counts": [1, 2]}], "more": {"x": 1}}


def test_a_document_survives_the_way_there_and_back() -> None:
    made = structure({**GOOD, "newer": 1}, Outer)
    assert made == Outer("a", Path("b/c"), (Inner(1, (1, 2)),), {"x": 1})
    assert unstructure(made) == GOOD


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": 1}, "name: 1 is no str"),
        ({"path": 1}, "path: 1 is no str"),
        ({"inner": []}, "inner: 0 entries where at least 1 belong"),
        ({"inner": [{}]}, r"inner\[0\].share: missing"),
        ({"inner": [{"share": True}]}, r"inner\[0\].share: True is no float"),
        ({"inner": [{"share": 1e999}]}, r"inner\[0\].share: inf is no finite number"),
        ({"inner": [{"share": 1, "counts": [0, -1]}]}, r"inner\[0\].counts\[1\]: -1 is under 0"),
        ({"inner": 3}, "inner: of another kind"),
        ({"more": {"x": "y"}}, "more.*'y' is no int"),
    ],
)
def test_the_first_fault_is_named_with_its_place(change: dict[str, Any], words: str) -> None:
    with pytest.raises(Malformed, match=words):
        structure({**GOOD, **change}, Outer)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=8))
def test_anything_else_is_refused_without_a_crash(value: Any) -> None:
    with pytest.raises(Malformed):
        structure(value, Outer)


def test_unknown_keys_are_refused_where_they_may_not_be() -> None:
    with pytest.raises(Malformed, match="the document: unknown newer"):
        structure({**GOOD, "newer": 1}, Outer, unknown_keys=False)
    assert structure(GOOD, Outer, unknown_keys=False).name == "a"


def test_what_a_class_refuses_itself_is_said_in_its_words() -> None:
    @dataclass(frozen=True)
    class Even:
        value: int
        kind: Literal["even"] = "even"

        def __post_init__(self) -> None:
            if self.value % 2:
                raise UsageProblem("an odd number", fix="give an even one")

    with pytest.raises(UsageProblem, match="an odd number"):
        structure({"value": 1}, Even)
    with pytest.raises(Malformed, match="kind: 'odd' is none of even"):
        structure({"value": 2, "kind": "odd"}, Even)
