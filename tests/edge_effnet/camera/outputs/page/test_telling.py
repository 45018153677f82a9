"""What viewers of the page may tell, and from where it is taken."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from edge_effnet.camera.evaluation.taps import Taps, TapState
from edge_effnet.camera.outputs.page.orders import MOST_BYTES
from tests.edge_effnet.camera.conftest import plain
from tests.edge_effnet.camera.outputs.page.conftest import get, post, serving

HOLD = {"do": "hold", "label": "red", "image": 1}


@pytest.fixture
def taps() -> Taps:
    return Taps(("blue", "green", "red"))


def test_a_class_is_held_from_the_image_that_was_seen(taps: Taps) -> None:
    with serving(taps=taps, fps=0) as (server, publisher):
        publisher.publish(plain("red"), 41.5)
        publisher.publish(plain("red"), 42.5)
        assert json.loads(get(server, "/labels.json")[2]) == ["blue", "green", "red"]
        assert post(server, HOLD) == (204, b"")
        found = taps.find(41.5)
        assert found is not None
        assert (found.label, found.from_s) == ("red", 41.5)
        assert post(server, {"do": "release"})[0] == 204
        assert post(server, {"do": "frame", "label": "blue", "image": 2})[0] == 204
        newest = taps.find(42.5)
        assert newest is not None
        assert (newest.label, newest.until_s) == ("blue", 42.5)
        assert post(server, {"do": "undo"})[0] == 204
        assert taps.state == TapState(None, 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": None},
        {"Content_Type": "text/plain"},  # which a form of another page can send
        {"Content_Type": None},
        {"Host": "evil.example", "Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_another_page_changes_nothing(taps: Taps, headers: dict[str, str | None]) -> None:
    with serving(taps=taps, fps=0) as (server, _):
        assert post(server, HOLD, **headers)[0] == 403
        assert taps.state == TapState(None, 0)


def test_off_loopback_the_token_is_needed_too(taps: Taps) -> None:
    with serving("0.0.0.0", taps=taps, fps=0) as (server, _):  # noqa: S104
        assert post(server, HOLD)[0] == 403
        cookie = f"edge-effnet-{server.port}={server.token}"
        assert post(server, HOLD, Cookie=cookie, Origin="http://evil.example")[0] == 403
        assert taps.state.undoable == 0
        assert post(server, HOLD, Cookie=cookie)[0] == 204
        assert taps.state.held == "red"


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (b"no json", "no JSON"),
        (b"\xff", "no JSON"),
        ([1], "no JSON object"),
        ({"do": "delete"}, "expected do"),
        ({"do": "hold"}, "a label"),
        ({"do": "hold", "label": 3}, "a label"),
        ({"do": "hold", "label": "../pink"}, "no such class"),
    ],
)
def test_what_is_not_understood_is_said(taps: Taps, order: Any, said: str) -> None:
    with serving(taps=taps, fps=0) as (server, _):
        status, text = post(server, order)
        assert status == 400
        assert said in text.decode()
        assert taps.state == TapState(None, 0)


def test_an_image_that_nobody_was_shown_is_the_one_of_now(taps: Taps) -> None:
    with serving(taps=taps, fps=0) as (server, _):
        for image in (10**12, -1, "1", None):
            assert post(server, {**HOLD, "image": image})[0] == 204
        assert taps.state.held == "red"


def test_a_long_body_is_refused_and_not_taken_for_the_next_request(taps: Taps) -> None:
    with serving(taps=taps, fps=0) as (server, _):
        assert post(server, b" " * (MOST_BYTES + 1))[0] == 413
        for length in ("Transfer-Encoding: chunked", "Content-Length: -1", "Content-Length: x"):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as viewer:
                host = f"127.0.0.1:{server.port}"
                head = f"POST /truth HTTP/1.1\r\nHost: {host}\r\n{length}\r\n\r\n"
                viewer.sendall(head.encode() + b"GET /state.json HTTP/1.1\r\n\r\n")
                said = b"".join(iter(lambda: viewer.recv(4096), b""))
                assert said.count(b"HTTP/1.1") == 1


def test_where_nobody_can_tell_anything_there_is_nothing_to_send_to() -> None:
    with serving(fps=0) as (server, _):
        assert post(server, HOLD)[0] == 404
        assert get(server, "/labels.json")[0] == 404
    with serving(taps=Taps(("red",)), fps=0) as (server, _):
        assert post(server, HOLD, path="/state.json")[0] == 404
        assert get(server, "/truth")[0] == 404
