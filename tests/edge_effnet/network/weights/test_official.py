"""Downloads, against a server on loopback: whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import OutputError, WeightsError
from edge_effnet.files.cache import cache_folder
from edge_effnet.network.weights.official import fetch, official_file

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several pieces
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


REDIRECTS = {
    "/to-http.h5": "/good.h5",
    "/to-file.h5": "file:///etc/hostname",
    "/to-nowhere.h5": "//[",
}


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with contextlib.suppress(OSError):  # who is served has had enough
            self._answer()

    def _answer(self) -> None:
        if self.path == "/missing.h5":
            self.send_error(404)
        elif self.path == "/silent.h5":
            time.sleep(3)
        elif self.path == "/drip-header.h5":
            self._drip(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 1000)
        elif self.path in REDIRECTS:
            self._head(302, "Location", REDIRECTS[self.path])
        elif self.path == "/endless.h5":
            self._head(200, "Connection", "close")
            for _ in range(1000):
                self.wfile.write(CONTENT)
        else:
            length = 10**15 if self.path == "/huge.h5" else len(CONTENT)
            self._head(200, "Content-Length", str(length))
            if self.path == "/drip.h5":
                self._drip(CONTENT)
            half = len(CONTENT) // 2
            self.wfile.write(CONTENT[:half] if self.path == "/cut.h5" else CONTENT)

    def _head(self, code: int, name: str, value: str) -> None:
        self.send_response(code)
        self.send_header(name, value)
        self.end_headers()

    def _drip(self, content: bytes) -> None:
        for place in range(50):
            self.wfile.write(content[place : place + 1])
            self.wfile.flush()
            time.sleep(0.1)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=listener.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listener.server_port}"
    listener.shutdown()
    thread.join()
    listener.server_close()


def test_a_download_is_verified_kept_and_not_repeated(server: str, tmp_path: Path) -> None:
    target = tmp_path / "cache" / "good.h5"
    assert fetch(f"{server}/good.h5", target, md5=MD5).read_bytes() == CONTENT
    assert [entry.name for entry in target.parent.iterdir()] == ["good.h5"]
    assert fetch("http://127.0.0.1:1/unreachable", target, md5=MD5) == target


def test_a_wrong_checksum_keeps_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"not the published file.*got {MD5}; exp"):
        fetch(f"{server}/good.h5", tmp_path / "a.h5", md5="0" * 32)
    assert not list(tmp_path.iterdir())


def test_a_cached_file_that_changed_is_downloaded_anew(server: str, tmp_path: Path) -> None:
    target = tmp_path / "a.h5"
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"cannot be downloaded"):
        fetch("http://127.0.0.1:1/unreachable", target, md5=MD5)
    assert fetch(f"{server}/good.h5", target, md5=MD5).read_bytes() == CONTENT


def test_a_download_that_is_cut_off_keeps_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be downloaded from .*found IncompleteRead"):
        fetch(f"{server}/cut.h5", tmp_path / "a.h5", md5=MD5)
    assert not list(tmp_path.iterdir())


def test_no_connection_is_one_line_with_remedies(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/a.h5"
        with pytest.raises(WeightsError) as caught:
            fetch(url, tmp_path / "a.h5", md5=MD5)
    line = str(caught.value)
    assert url in line
    assert "Connection refused" in line
    assert f"put the file at {tmp_path / 'a.h5'} by hand" in line
    assert "--weights demo" in line
    assert "\n" not in line


def test_a_missing_page_is_named(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"found 404 Client Error: Not Found"):
        fetch(f"{server}/missing.h5", tmp_path / "a.h5", md5=MD5)


def test_interrupting_leaves_nothing(server: str, tmp_path: Path) -> None:
    main = threading.main_thread().ident
    assert main is not None
    threading.Timer(1, signal.pthread_kill, (main, signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{server}/drip.h5", tmp_path / "a.h5", md5=MD5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("page", ["drip.h5", "drip-header.h5"])
def test_a_server_that_sends_a_byte_now_and_then(
    page: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_MAX_DOWNLOAD_S", "1")
    with pytest.raises(WeightsError, match=rf"{page} did not end in 1 s"):
        fetch(f"{server}/{page}", tmp_path / "a.h5", md5=MD5)
    assert not list(tmp_path.iterdir())


def test_a_server_that_sends_nothing(server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be downloaded from .* timed out"):
        fetch(f"{server}/silent.h5", tmp_path / "a.h5", md5=MD5, timeout=0.5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("page", "verb"), [("endless.h5", "sends"), ("huge.h5", "claims")])
def test_more_than_the_limit(
    page: str, verb: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_MAX_DOWNLOAD_BYTES", "3000000")
    with pytest.raises(WeightsError, match=rf"{page} {verb} more than the limit for downloads"):
        fetch(f"{server}/{page}", tmp_path / "a.h5", md5=MD5)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("page", ["to-http.h5", "to-file.h5", "to-nowhere.h5"])
def test_redirects_go_to_https_alone(page: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=rf"{page} sends on to an address that is not https"):
        fetch(f"{server}/{page}", tmp_path / "a.h5", md5=MD5)
    assert not list(tmp_path.iterdir())


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        fetch("http://127.0.0.1:1/unreachable", tmp_path / "file" / "a.h5", md5=MD5)


def test_the_table_agrees_with_keras() -> None:
    from keras.src.applications import efficientnet, efficientnet_v2

    for name, spec in VARIANTS.items():
        if spec.family not in ("b", "v2"):
            continue
        file = official_file(spec)
        v2 = spec.family == "v2"
        module = efficientnet_v2 if v2 else efficientnet
        size = name.removeprefix("v2-")
        key = f"-{size}" if v2 and len(size) == 1 else size
        assert file.md5 == module.WEIGHTS_HASHES[key][0]
        assert file.url == module.BASE_WEIGHTS_PATH + file.name


@pytest.mark.parametrize("name", ["lite0", "edgetpu-l"])
def test_lite_and_edgetpu_have_no_official_file(name: str) -> None:
    with pytest.raises(WeightsError, match=f"no official Keras weights for {name}"):
        official_file(VARIANTS[name])


def test_the_cache_lies_where_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDGE_EFFNET_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "edge-effnet"
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/edge-effnet")
    monkeypatch.setenv("EDGE_EFFNET_CACHE", "/elsewhere")
    assert cache_folder() == Path("/elsewhere")
