"""Network cameras: MJPEG streams, whole and broken."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import numpy as np
import pytest

from edge_effnet.camera.sources.base import FrameSource, SourceLost
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.camera.sources.mjpeg import open_mjpeg
from edge_effnet.errors import DataError
from edge_effnet.image.reading import decode
from tests.edge_effnet.camera.conftest import Serve, jpeg, plain, send_stream


def document(kind: str, content: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    """The answer of a server that has one document of this content type."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize("length", [True, False])
def test_an_mjpeg_stream_is_decoded_as_its_frames_are(http_camera: Serve, length: bool) -> None:
    sent = [jpeg(plain(colour)) for colour in ("red", "green", "blue")]
    source = open_source(http_camera(lambda handler: send_stream(handler, sent, length=length)))
    assert source.live
    frames = [source.read() for _ in sent]
    for frame, data in zip(frames, sent, strict=True):
        assert frame is not None
        assert np.array_equal(frame.pixels, decode(data, "x"))
    with pytest.raises(SourceLost, match="ended"):
        source.read()
    source.close()


def test_broken_frames_in_a_stream_are_none_and_the_next_is_fine(http_camera: Serve) -> None:
    good = jpeg(plain("red"))
    parts = [good, good[: len(good) // 2], b"not a jpeg", b"", jpeg(plain("red", 32, 16))]
    source = open_source(http_camera(lambda handler: send_stream(handler, parts)))
    frames = [source.read() for _ in parts]
    assert [frame is not None for frame in frames] == [True, False, False, False, True]
    assert frames[4] is not None
    assert frames[4].pixels.shape == (16, 32, 3)  # the resolution changed in mid-stream
    source.close()


def test_a_stream_of_garbage(http_camera: Serve) -> None:
    noise = np.random.default_rng(5).integers(32, 120, 3 * 2**20, dtype=np.uint8).tobytes()

    source = open_source(http_camera(document("multipart/x-mixed-replace; boundary=b", noise)))
    with pytest.raises(SourceLost, match="no images"):
        source.read()
    source.close()


def test_a_silent_stream_is_lost_after_its_timeout(http_camera: Serve) -> None:
    over = threading.Event()

    def parts() -> Iterator[bytes]:
        yield jpeg(plain("red"))
        over.wait(60)

    address = http_camera(lambda handler: send_stream(handler, parts()))
    source = open_mjpeg(address, timeout_s=2)
    assert isinstance(source, FrameSource)
    assert source.read() is not None
    with pytest.raises(SourceLost, match="nothing came"):
        source.read()
    over.set()
    source.close()


def test_a_page_is_no_camera(http_camera: Serve) -> None:
    with pytest.raises(DataError, match="a page of type text/html"):
        open_source(http_camera(document("text/html", b"<html>log in</html>")))


def test_user_and_password_of_an_address(http_camera: Serve) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        wanted = "Basic " + base64.b64encode(b"me:p@ss").decode()
        if handler.headers.get("Authorization") != wanted:
            handler.send_error(401)
            return
        send_stream(handler, [jpeg(plain("red"))])

    address = http_camera(answer)
    with pytest.raises(DataError, match="refuses; found HTTP 401") as caught:
        open_source(address)
    assert "user:password@" in str(caught.value)
    source = open_source(address.replace("//", "//me:p%40ss@"))
    assert source.read() is not None
    assert "p%40ss" not in source.name
    source.close()
