"""Redirects of a network camera: few, to web addresses only, and credentials stay at their host."""

from __future__ import annotations

import base64

import pytest

from edge_effnet.camera.sources.address import parse_http
from edge_effnet.camera.sources.base import FrameSource
from edge_effnet.camera.sources.mjpeg import open_mjpeg
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.hostile import GOOD, STREAM, Script, hostile_camera, part, redirect

WANTED = "Basic " + base64.b64encode(b"me:p@ss/word").decode()
USER = "me:p%40ss%2Fword@"


def test_credentials_go_along_on_one_host_and_never_to_another() -> None:
    asked: list[str] = []

    def elsewhere(head: str) -> Script:
        asked.append(head)
        return iter([STREAM, part(GOOD)])

    with hostile_camera(elsewhere) as other:

        def camera(head: str) -> Script:
            asked.append(head)
            place = other.replace("//", "//stolen:x@") if "/here" in head else "/here"
            return redirect(f"{place}/there")()

        with hostile_camera(camera) as address:
            source = open_mjpeg(address.replace("//", f"//{USER}"), timeout_s=5)
            assert isinstance(source, FrameSource)
            assert source.read() is not None
            source.close()
    assert source.name == address
    assert [WANTED in head for head in asked] == [True, True, False]
    assert "Authorization" not in asked[2]
    assert "GET /there" in asked[2]


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/x", True),
        ("http://camera/x", True),
        ("https://camera/x", True),
        ("http://camera:81/x", False),
        ("https://camera:8443/x", False),
        ("http://camera.evil/x", False),
        ("http://me:secret@evil/x", False),
        ("//evil/x", False),
    ],
)
def test_where_credentials_go(location: str, kept: bool) -> None:
    there = parse_http(f"http://{USER}camera/stream").redirected(location)
    assert there.user == ("me:p@ss/word" if kept else None)


def test_credentials_sent_over_tls_are_not_sent_without_it() -> None:
    assert parse_http(f"https://{USER}camera/").redirected("http://camera/").user is None


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("/again", "redirects without end; found more than 5 redirects"),
        ("file:///etc/hostname", "is no web address; found file:///etc/hostname"),
        ("ftp://me:secret@127.0.0.1/x", "is no web address; found ftp://127.0.0.1/x"),
        ("http://[x/", "is no web address"),
    ],
)
def test_redirects_that_lead_nowhere(location: str, message: str) -> None:
    server = hostile_camera(lambda _: redirect(location)())
    with server as address, pytest.raises(DataError, match=message):
        open_mjpeg(address, timeout_s=5)
