"""Downloads, against a server on loopback: whole and verified, or not at all."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pooch
import pytest

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import OutputError, WeightsError
from edge_effnet.files.cache import cache_folder
from edge_effnet.network.weights.official import fetch, official_file

CONTENT = bytes(range(256)) * 4096  # 1 MiB: several pieces
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/missing.h5":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        half = len(CONTENT) // 2
        self.wfile.write(CONTENT[:half] if self.path == "/cut.h5" else CONTENT)

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


def test_interrupting_leaves_nothing(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(pooch.HTTPDownloader):
        def __call__(self, _url: str, output_file: str, *_: Any, **_more: Any) -> None:
            Path(output_file).write_bytes(CONTENT[:1000])
            raise KeyboardInterrupt

    monkeypatch.setattr(pooch, "HTTPDownloader", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(f"{server}/good.h5", tmp_path / "a.h5", md5=MD5)
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
