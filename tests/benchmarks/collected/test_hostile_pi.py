"""Whatever a Pi names, nothing is written outside of the folder here, and nothing without bound."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.collected.listing import is_plain
from edge_effnet.files.limits import COLLECTED_BYTES, FRAME_BYTES, REMOTE_FILES, TEXT_BYTES
from tests.benchmarks.ssh.server import Files, running_pi
from tests.conftest import Cli

FILE, FOLDER, LINK = 0o100644, 0o040755, 0o120777
HOSTILE = {
    ".": [("photos", FOLDER), ("to-label", FOLDER), ("frames.jsonl", FILE)],
    "photos": [
        ("stop", FOLDER), ("..", FOLDER), ("../../..", FOLDER), ("/etc", FOLDER),
        ("a\\..\\b", FOLDER),
        ("\x1b[2Jx", FOLDER), ("link", LINK), ("x.jpg", FILE), (".ssh", FOLDER), ("", FOLDER),
    ],
    "stop": [
        ("good.jpg", FILE), ("../../../escaped.jpg", FILE), ("/var/escaped.jpg", FILE),
        ("link.jpg", LINK), ("pipe.jpg", 0o010644), (".bashrc", FILE), ("..", FILE),
        ("evil.sh", FILE), ("a\nb.jpg", FILE), ("caf\udce9.jpg", FILE), ("x" * 300 + ".jpg", FILE),
    ],
    "to-label": [("good2.jpg", FILE), ("..\\..\\x.jpg", FILE)],
}  # fmt: skip


class Lying(Files):
    """Names what it likes, and gives the same bytes for all of it."""

    size = 7

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        place = Path(path.decode("utf-8", "surrogateescape")).name
        for name, mode in HOSTILE.get(place, HOSTILE["."] if place == "kept" else []):
            encoded = name.encode("utf-8", "surrogateescape")
            attributes = asyncssh.SFTPAttrs(size=self.size, permissions=mode)
            yield asyncssh.SFTPName(encoded, encoded, attributes)


class Endless(Lying):
    """Names photos without end."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if path.rstrip(b"/").endswith(b"kept"):
            async for one in super().scandir(path):
                yield one
            return
        number = 0
        while True:
            name = b"%d.jpg" % number
            yield asyncssh.SFTPName(name, name, asyncssh.SFTPAttrs(size=1, permissions=FILE))
            number += 1


class Wordy(Lying):
    """Names one photo, and has more to say."""

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        if path.rstrip(b"/").endswith(b"kept"):
            async for one in super().scandir(path):
                yield one
        elif path.endswith(b"to-label"):
            name = b"x" * 100_000 + b".jpg"
            yield asyncssh.SFTPName(name, name, asyncssh.SFTPAttrs(size=1, permissions=FILE))


class Huge(Lying):
    size = 10**15


@pytest.fixture
def there(tmp_path: Path) -> Path:
    for name in ("photos/stop/good.jpg", "to-label/good2.jpg", "frames.jsonl"):
        path = tmp_path / "pi/kept" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"photo !")
    return tmp_path / "pi"


def tree(folder: Path) -> set[str]:
    found = (path for path in folder.rglob("*") if path.is_file() and ".ssh" not in path.parts)
    return {path.relative_to(folder).as_posix() for path in found}


def test_only_plain_names_of_the_layout_are_taken(there: Path, user_home: Path, cli: Cli) -> None:
    outside = user_home.parent
    with running_pi(there, user_home, files=Lying):
        code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0, err
    assert tree(user_home) == {
        "work/kept/photos/stop/good.jpg",
        "work/kept/to-label/good2.jpg",
        "work/kept/pulled.json",
    }
    assert tree(outside) - {f"user/{name}" for name in tree(user_home)} == {
        f"pi/kept/{name}" for name in ("photos/stop/good.jpg", "to-label/good2.jpg", "frames.jsonl")
    }
    assert "left on the Pi, for camera --collect keeps no such files" in err
    assert "\x1b" not in err
    assert not any(path.is_symlink() for path in outside.rglob("*"))


@pytest.mark.parametrize(
    ("files", "limit", "value", "says"),
    [
        (Endless, REMOTE_FILES, "50", "has more than the limit for a folder on a Pi"),
        (Wordy, REMOTE_FILES, "50", "has a name that no file can have; found 100,004 characters"),
        (Lying, COLLECTED_BYTES, "10", "has more than the limit for photos of one pull"),
        (Lying, TEXT_BYTES, "5", "has more than the limit for label, CSV and JSON files"),
    ],
)
def test_what_has_no_bound_is_one_line(
    there: Path, user_home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch,
    files: type[Files], limit: object, value: str, says: str,
) -> None:  # fmt: skip
    monkeypatch.setenv(getattr(limit, "variable", ""), value)
    with running_pi(there, user_home, files=files):
        code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 1
    assert says in err.splitlines()[-1]


def test_a_photo_that_is_too_large_stays_there(there: Path, user_home: Path, cli: Cli) -> None:
    with running_pi(there, user_home, files=Huge):
        code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert (code, tree(user_home)) == (0, set())
    assert FRAME_BYTES.variable in err


def test_a_photo_that_is_longer_than_was_said_stays_there(
    there: Path, user_home: Path, cli: Cli
) -> None:
    (there / "kept/photos/stop/good.jpg").write_bytes(b"x" * 10**6)
    with running_pi(there, user_home, files=Lying):
        code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0
    assert "1 photo moved or changed on the Pi meanwhile" in err
    assert "work/kept/photos/stop/good.jpg" not in tree(user_home)


@given(st.text(st.characters(), max_size=12))
def test_a_plain_name_is_one_part_of_a_path(name: str) -> None:
    if is_plain(name):
        assert (Path("/folder") / name).parent == Path("/folder")
        assert name not in (".", "..")
