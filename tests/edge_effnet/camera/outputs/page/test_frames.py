"""The frames and figures that the page's server sends, over real sockets."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edge_effnet.camera.outputs.page.frame_publisher import FramePublisher
from edge_effnet.camera.sources.mjpeg import open_mjpeg
from tests.edge_effnet.camera.conftest import plain
from tests.edge_effnet.camera.outputs.page.conftest import STATE, get, serving, watch_stream


def test_frames_are_new_each_time_and_the_figures_are_json() -> None:
    with serving() as (server, _):
        after, seen = 0, []
        for _ in range(5):
            status, headers, data = get(server, f"/picture.jpg?after={after}")
            assert status == 200
            assert int(headers["X-Picture"]) > after
            after = int(headers["X-Picture"])
            seen.append(data)
        frame = cv2.imdecode(np.frombuffer(seen[0], np.uint8), cv2.IMREAD_COLOR)
        assert frame.shape == (240, 320, 3)
        assert len(set(seen)) > 1
        assert json.loads(get(server, "/state.json")[2]) == STATE
        assert get(server, "/picture.jpg?after=x")[0] == 200


def test_without_a_new_frame_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = FramePublisher.newest_jpeg
    monkeypatch.setattr(
        FramePublisher,
        "newest_jpeg",
        lambda self, after: waits(self, after, timeout_s=0.05),
    )
    with serving(fps=0) as (server, _):
        assert get(server, "/picture.jpg")[0] == 204


def test_the_mjpeg_stream_is_one_our_own_reader_takes() -> None:
    with serving() as (server, _):
        source = open_mjpeg(server.url + "stream.mjpg")
        assert source is not None
        for _ in range(3):
            shot = source.read()
            assert shot is not None
            assert shot.pixels.shape == (240, 320, 3)
        source.close()


def test_the_boundary_of_the_stream_comes_right_after_each_frame() -> None:
    """A browser shows a frame only when it has read the boundary behind it."""
    with serving(fps=0) as (server, publisher), watch_stream(server) as viewer:
        stream = viewer.makefile("rb")
        while stream.readline() != b"\r\n":
            pass
        assert stream.readline() == b"--frame\r\n"
        for colour in ("red", "blue"):  # no frame follows until this one is read
            publisher.publish(plain(colour, 8, 8))
            assert stream.readline() == b"Content-Type: image/jpeg\r\n"
            length = int(stream.readline().removeprefix(b"Content-Length: "))
            assert stream.readline() == b"\r\n"
            assert stream.read(length) == publisher.newest_jpeg(0)[1]  # type: ignore[index]
            assert stream.readline() == b"\r\n"
            assert stream.readline() == b"--frame\r\n"
