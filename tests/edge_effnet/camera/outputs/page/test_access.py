"""Whom the page's server answers, and the addresses it can be served at."""

from __future__ import annotations

import json

import pytest

from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.outputs.page.handler import is_loopback
from edge_effnet.camera.outputs.page.server import parse_address, start_server
from edge_effnet.errors import OutputError, UsageProblem
from tests.edge_effnet.camera.outputs.page.conftest import get, serving


def test_on_loopback_only_this_machines_names_are_answered() -> None:
    """Else a page anywhere could point its own name at 127.0.0.1 and read the camera."""
    with serving() as (server, _):
        assert server.token is None
        assert get(server, "/state.json", Host=f"localhost:{server.port}")[0] == 200
        assert get(server, "/state.json", Host=f"[::1]:{server.port}")[0] == 200
        status, _, body = get(server, "/state.json", Host="evil.example")
        assert status == 403
        assert b"token" not in body  # there is none
        assert get(server, "/state.json", Host="")[0] == 403


def test_off_loopback_every_request_needs_the_token() -> None:
    with serving("0.0.0.0") as (server, _):  # noqa: S104
        token = server.token
        assert token
        assert server.url.endswith(f"/?token={token}")
        for path in ("/", "/page.css", "/page.js", "/state.json", "/picture.jpg", "/stream.mjpg"):
            assert get(server, path)[0] == 403
            assert get(server, f"{path}?token={token[:-1]}")[0] == 403
        status, headers, _ = get(server, f"/?token={token}")
        assert status == 200
        cookie = headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        status, _, body = get(server, "/state.json", Cookie=cookie.split(";")[0])
        assert status == 200
        assert json.loads(body)["source"] == "clip.mp4"
        assert get(server, "/state.json", Cookie="edge-effnet-1=x; ; =")[0] == 403
    with serving("0.0.0.0") as (other, _):  # noqa: S104
        assert other.token != token


def test_a_token_of_ones_own() -> None:
    with serving("0.0.0.0", token="correct-horse.battery") as (server, _):  # noqa: S104, S106
        assert get(server, "/state.json?token=correct-horse.battery")[0] == 200
        assert get(server, "/state.json?token=caf%C3%A9")[0] == 403
    with pytest.raises(UsageProblem, match="too short"):
        start_server(FramePublisher(), "0.0.0.0", 0, token="1234")  # noqa: S104, S106


@pytest.mark.parametrize("sign", ["\r\n", "\n", ";", ",", " ", '"', "\\", "&", "#", "%", "é", "\0"])
def test_a_token_that_would_break_a_cookie_or_an_address(sign: str) -> None:
    token = f"0123456789abcdef{sign}x"
    with pytest.raises(UsageProblem, match="address and of a cookie") as caught:
        start_server(FramePublisher(), "0.0.0.0", 0, token=token)  # noqa: S104
    assert "0123" not in str(caught.value)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_pages_cannot_embed_the_stream(site: str) -> None:
    """Another page of this machine is "same-site"; it could draw the picture into its own."""
    with serving() as (server, _):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        for path in ("/stream.mjpg", "/picture.jpg", "/state.json", "/page.js", "/"):
            assert get(server, path, **headers)[0] == 403
        headers["Sec-Fetch-Dest"] = "document"
        assert get(server, "/", **headers)[0] == 200  # a link to it is opened
        assert get(server, "/picture.jpg", **headers)[0] == 403
        for own in ("same-origin", "none"):
            status, reply, _ = get(server, "/picture.jpg", **{"Sec-Fetch-Site": own})
            assert status == 200
            assert reply["Cross-Origin-Resource-Policy"] == "same-origin"


def test_requests_that_are_no_requests_are_answered_in_one_line() -> None:
    with serving() as (server, _):
        assert get(server, "/state.json", Host="[")[0] == 400
        assert get(server, f"/picture.jpg?after={'9' * 5000}")[0] == 200
        assert get(server, "/picture.jpg?after=%C2%B2")[0] == 200


def test_a_port_in_use_and_an_address_that_is_not_ours() -> None:
    with serving() as (server, _), pytest.raises(OutputError, match="is in use"):
        start_server(FramePublisher(), "127.0.0.1", server.port)
    with pytest.raises(OutputError, match="cannot be served"):
        start_server(FramePublisher(), "192.0.2.1", 8080)


def test_addresses() -> None:
    assert parse_address("127.0.0.1:80") == ("127.0.0.1", 80)
    assert parse_address(":8080") == parse_address("8080") == ("127.0.0.1", 8080)
    assert parse_address("[::1]:8080") == ("::1", 8080)
    for bad in ("", "host", "host:", "host:99999", "a:b"):
        with pytest.raises(UsageProblem, match="--serve"):
            parse_address(bad)
    assert all(map(is_loopback, ("127.0.0.1", "127.8.8.8", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.5", "camera.local")))  # noqa: S104
