"""A file on a Pi is named as ``scp`` names it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.ssh.connect import Address
from benchmarks.ssh.places import parse_place
from edge_effnet.errors import UsageProblem


@pytest.mark.parametrize(
    ("text", "address", "path"),
    [
        ("pi@pi4", Address("pi4"), None),
        ("pi@pi4:", Address("pi4"), None),
        ("pi@pi4:~", Address("pi4"), None),
        ("pi@pi4:kept/", Address("pi4"), "kept"),
        ("pi@pi4:~/a b/c", Address("pi4"), "a b/c"),
        ("pi@pi4:/srv/x:y@z", Address("pi4"), "/srv/x:y@z"),
        ("pi@pi4:/", Address("pi4"), "/"),
        ("pi@pi4:2222", Address("pi4", None, 2222), None),
        ("pi@alice@10.0.0.7:2222:kept", Address("10.0.0.7", "alice", 2222), "kept"),
        ("alice@pi4:kept", Address("pi4", "alice"), "kept"),
        ("pi4:./2222", Address("pi4"), "./2222"),
        ("pi@[fe80::1]:kept", Address("fe80::1"), "kept"),
    ],
)
def test_what_is_understood(text: str, address: Address, path: str | None) -> None:
    place = parse_place(text)
    assert (place.address, place.path) == (address, path)
    if path is not None:
        assert parse_place(place.with_path(path)) == place


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("pi@pi4:kept", "ssh pi@pi4"),
        ("pi4:kept", "ssh pi4"),
        ("alice@pi4:2222:kept", "ssh -p 2222 alice@pi4"),
        ("pi@alice@pi4", "ssh alice@pi4"),
    ],
)
def test_the_ssh_command_has_the_user_who_was_typed(text: str, command: str) -> None:
    assert parse_place(text).ssh == command


@pytest.mark.parametrize("text", ["", "pi@", "pi@:kept", "pi@-oProxy:x", "a b:c", "pi@pi4:99999"])
def test_what_is_not(text: str) -> None:
    with pytest.raises(UsageProblem, match="the Pi is not understood"):
        parse_place(text)


@given(st.text(max_size=20))
def test_any_text_is_a_place_or_refused(text: str) -> None:
    try:
        place = parse_place(text)
    except UsageProblem:
        return
    assert place.address.host in text
    assert not place.address.host.startswith("-")
