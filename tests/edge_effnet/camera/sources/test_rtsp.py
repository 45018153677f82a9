"""RTSP cameras with a password: a redirect to another host is refused before FFmpeg follows it."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from edge_effnet.camera.sources import rtsp
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.hostile import Script, dripping, hostile_camera

USER = "me:p%40ss%2Fword@"
BASIC = "Basic " + base64.b64encode(b"me:p@ss/word").decode()
DIGEST, PLAIN = 'Digest realm="camera", nonce="n1"', 'Basic realm="camera"'


def answer(status: str, *headers: str) -> Script:
    return iter(["\r\n".join([f"RTSP/1.0 {status}", "CSeq: 1", *headers, "", ""]).encode()])


def refusal(address: str) -> str:
    with pytest.raises(DataError) as raised:
        open_source(address.replace("http://", f"rtsp://{USER}") + "/live")
    assert "ss" + "%2F" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("elsewhere", ["rtsp://other.example/there", "rtsp://[", "http://x"])
def test_a_redirect_to_another_host_is_refused(elsewhere: str) -> None:
    asked: list[str] = []

    def camera(head: str) -> Script:
        asked.append(head)
        return answer("302 Moved", f"Location: {elsewhere}")

    with hostile_camera(camera) as address:
        assert "redirects to another host" in refusal(address)
    assert len(asked) == 1  # FFmpeg was not let near it
    assert "Authorization" not in asked[0]


def test_without_a_password_a_redirect_is_followed() -> None:
    asked: list[str] = []

    def other(head: str) -> Script:
        asked.append(head)
        return answer("404 Not Found")

    with hostile_camera(other) as there:
        moved = f"Location: {there.replace('http', 'rtsp')}/there"
        camera = hostile_camera(lambda _: answer("301 Moved", moved))
        with camera as address, pytest.raises(DataError, match="gives no video"):
            open_source(address.replace("http", "rtsp"))
    assert "/there" in asked[0]


def expected_digest(head: str) -> str:
    """RFC 2617, section 3.2.2, without qop."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    method, uri = head.split()[:2]
    return md5(f"{md5('me:camera:p@ss/word')}:n1:{md5(f'{method}:{uri}')}")


@pytest.mark.parametrize("challenges", [(DIGEST,), (DIGEST, PLAIN), (PLAIN,)])
def test_a_redirect_behind_the_password_is_found(challenges: tuple[str, ...]) -> None:
    accepted: list[str] = []

    def camera(head: str) -> Script:
        given = re.search(r"\r\nAuthorization: (.*)\r\n", head)
        if given is None:
            return answer("401 Unauthorized", *(f"WWW-Authenticate: {one}" for one in challenges))
        if "Digest" in given[1]:
            assert f'response="{expected_digest(head)}"' in given[1]
        else:
            assert given[1] == BASIC
        accepted.append(given[1])
        if head.startswith("OPTIONS"):
            return answer("200 OK", "Public: DESCRIBE")
        return answer("302 Moved", "Location: rtsp://other.example/there")

    with hostile_camera(camera) as address:
        assert "redirects to another host" in refusal(address)
    assert len(accepted) == 2
    assert all(one.startswith(challenges[0].split()[0]) for one in accepted)


@pytest.mark.parametrize(
    "script",
    [
        lambda: answer("401 Unauthorized", "WWW-Authenticate: Digest a="),
        lambda: answer("401 Unauthorized", f"WWW-Authenticate: {DIGEST}, algorithm=X"),
        lambda: iter([b"HTTP/1.1 302 Found\r\nLocation: rtsp://other/\r\n\r\n"]),
        lambda: iter([b"x" * (1 << 17)]),
        lambda: iter([]),
        lambda: dripping(b"RTSP/1.0 200 OK\r\n" * 100),
    ],
    ids=["empty value", "unknown algorithm", "no RTSP", "endless", "nothing", "slow"],
)  # fmt: skip
def test_other_answers_are_left_to_ffmpeg(script: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtsp, "TIMEOUT_S", 1.0)
    with hostile_camera(lambda _: script()) as address:  # type: ignore[operator]
        rtsp.refuse_other_host(address.replace("http://", f"rtsp://{USER}"))
