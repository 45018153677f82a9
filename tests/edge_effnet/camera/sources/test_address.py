"""Addresses as they are shown, and passwords that no output holds, however they are written."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge_effnet.camera.sources.address import escaped, parse_http, shown_address
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.errors import DataError

SECRET = "s3cr"  # noqa: S105
ADDRESSES = [
    f"{scheme}://{rest}"
    for scheme in ("http", "rtsp")
    for rest in (
        "me:s3cr3t@127.0.0.1:9/x",
        "me:s3cr/et@127.0.0.1:9/x",
        "me:12/s3cr@127.0.0.1:9/x",
        "me:s3cr t@127.0.0.1:9/x",
        "me:s3cr@3t@127.0.0.1:9/x",
        "me:s3cr?3t@127.0.0.1:9/x",
        "me:s3cr#3t@127.0.0.1:9/x",
        "me:%73s3cr@127.0.0.1:9/x",
        "s3cr/token@127.0.0.1:9/x",
        "127.0.0.1:9/x?user=me&password=s3cr",
        "127.0.0.1:9/x?pwd=p@s3cr",
        "127.0.0.1:9/x#s3cr",
        "127.0.0.1:9/user=me_password=s3cr_channel=1.sdp",
        "me:s3cr@[::1:9/x",
        "me:s3cr@127.0.0.1:99999/x",
    )
]


@pytest.mark.parametrize(
    "address", [*ADDRESSES, "me:s3cr@127.0.0.1/x", "h/x?pwd=s3cr", "http:/s3cr@h"]
)
def test_no_part_of_a_password_is_shown(address: str) -> None:
    assert SECRET not in shown_address(address)


@pytest.mark.parametrize("address", [one for one in ADDRESSES if one.startswith("http")])
def test_no_error_of_an_address_holds_a_password(address: str) -> None:
    with pytest.raises(DataError) as caught:
        open_source(address)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "rest", ["me:/s3cr@127.0.0.1:9/x", "me:?s3cr@h", "me:#s3cr@h", "me:1/s3cr@h"]
)
@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_password_that_is_not_escaped_is_told_how_to_be(scheme: str, rest: str) -> None:
    """Its beginning looks like a port: "me" would be the host, and the rest be sent there."""
    with pytest.raises(DataError, match='"/" is written %2F') as caught:
        open_source(f"{scheme}://{rest}")
    assert SECRET not in str(caught.value)


def test_what_is_plain_is_shown_whole() -> None:
    for plain in ("http://camera/x", "rtsp://10.0.0.2:554/a/b.sdp", "http://[::1]:80", "clip.mp4"):
        assert shown_address(plain) == plain
    assert shown_address("rtsp://me:se@cret@host/x") == "rtsp://host/x"
    assert shown_address("http://host/x?channel=1") == "http://host/x…"
    assert shown_address("http://host/x@y") == "http://…"


def test_ffmpeg_and_opencv_print_no_password() -> None:
    """Both write to the terminal past Python."""
    script = (
        "import sys\n"
        "from edge_effnet.camera.sources.kinds import open_source\n"
        "from edge_effnet.errors import DataError\n"
        "for address in sys.argv[1:]:\n"
        "    try:\n"
        "        open_source(address)\n"
        "    except DataError as error:\n"
        "        print(error)\n"
    )
    addresses = ["rtsp://me:s3cr3t@127.0.0.1:9/x?a=s3cr", "tcp://me:s3cr t@127.0.0.1:9/s3cr=1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *addresses], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("gives no video") == 2
    assert SECRET not in done.stdout + done.stderr


def test_a_password_is_read_as_it_was_meant() -> None:
    assert parse_http("http://me:p%40s%2Fs w@h/").user == "me:p@s/s w"
    assert parse_http("http://h:81/a b?c=d e").target == "/a%20b?c=d%20e"
    assert escaped("rtsp://me:p@s w@h/x") == "rtsp://me:p%40s%20w@h/x"
    assert escaped("rtsp://me:p%40s@h/x") == "rtsp://me:p%40s@h/x"
    assert "s3cr" not in repr(parse_http("http://me:s3cr@h/x"))
