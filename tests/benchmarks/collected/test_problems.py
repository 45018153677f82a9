"""What stands in the way of a pull is one line; what was fetched until then is whole, and stays."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
import pytest

from tests.benchmarks.ssh.server import Files, Pi, running_pi
from tests.conftest import Cli

PHOTOS = 40
CONTENT = b"\xff\xd8" + bytes(200_000)


class Cutting(Files):
    """Loses the link after some reads."""

    left: ClassVar[int] = 25

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        Cutting.left -= 1
        if Cutting.left == 0:
            self.channel.get_connection().abort()
        return super().read(file_obj, offset, size)


def fill(home: Path) -> None:
    for number in range(PHOTOS):
        path = home / f"kept/photos/stop/{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)


def test_after_a_lost_link_the_same_command_goes_on(
    tmp_path: Path, user_home: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "pi")
    monkeypatch.setattr(Cutting, "left", 25)
    with running_pi(tmp_path / "pi", user_home, files=Cutting):
        code, _, err = cli("collect", "pull", "pi@pi4:kept")
        assert code == 1
        last = err.splitlines()[-1]
        assert "error: the link to pi4 was lost; found " in last
        assert "the same command goes on where it stopped" in last
        here = list(Path("kept").rglob("*"))
        whole = [path for path in here if path.suffix == ".jpg"]
        assert 0 < len(whole) < PHOTOS
        assert all(path.read_bytes() == CONTENT for path in whole)
        assert {path.name for path in here if path.is_file()} - {path.name for path in whole} == {
            "pulled.json"
        }
        code, out, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0, err
    assert f"fetched {PHOTOS - len(whole)} photos" in out
    assert len(list(Path("kept").rglob("*.jpg"))) == PHOTOS


def test_what_cannot_be_found_or_reached_is_one_line(pi: Pi, user_home: Path, cli: Cli) -> None:
    pi.file("other/notes.txt")
    pi.file("plain")
    Path("file").write_text("")
    for arguments, code, says in (
        (("pi@pi4",), 2, "which folder of the Pi is not said"),
        (("pi@:kept",), 2, "the Pi is not understood"),
        (("pi@pi4:nowhere",), 1, "pi4 has no folder nowhere"),
        (("pi@pi4:plain",), 1, "pi4 has no folder plain"),
        (("pi@pi4:other",), 1, "is not a folder that camera --collect fills; found notes.txt"),
        (("pi@pi4:other", "file"), 2, "is a file"),
        (("pi@127.0.0.1:1:kept",), 1, "runs no SSH server there"),
        (("pi@root@pi4:kept",), 1, "pi4 has no folder kept"),
    ):
        found, _, err = cli("collect", "pull", *arguments)
        assert found == code, arguments
        assert says in err.splitlines()[-1], err
    assert not Path("kept").exists()
    with (user_home / ".ssh/known_hosts").open("w"):
        pass
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert (code, err.count("\n")) == (1, 1)
    assert "is not known to you, so nothing was sent there" in err


def test_a_user_whom_the_pi_does_not_know_is_named(
    tmp_path: Path, user_home: Path, cli: Cli
) -> None:
    fill(tmp_path / "pi")
    with running_pi(tmp_path / "pi", user_home, users=("alice",)):
        for place in ("pi@bob@pi4:kept", "bob@pi4:kept"):
            code, _, err = cli("collect", "pull", place)
            assert code == 1
            assert "pi4 accepts none of your SSH keys for the user 'bob'" in err
            assert "make a key: ssh-keygen -t ed25519; then give it your public key" in err
            assert "ssh-copy-id bob@pi4" in err
        for name in ("id_ed25519", "mine"):
            key = asyncssh.generate_private_key("ssh-ed25519")
            key.write_private_key(user_home / ".ssh" / name)
        assert "to fix: give it your public key" in cli("collect", "pull", "bob@pi4:kept")[2]
        config = user_home / ".ssh/config"
        before = config.read_text()
        config.write_text(f"{before} IdentityFile ~/.ssh/mine\n")
        _, _, err = cli("collect", "pull", "bob@pi4:kept")
        assert f"ssh-copy-id -i {user_home}/.ssh/mine.pub bob@pi4" in err
        config.write_text(f"{before} IdentityFile ~/.ssh/none\n")
        _, _, err = cli("collect", "pull", "bob@pi4:kept")
        assert f"make it: ssh-keygen -t ed25519 -f {user_home}/.ssh/none" in err
        config.write_text(before)
        assert cli("collect", "pull", "pi@alice@pi4:kept")[0] == 0
        assert cli("collect", "pull", "alice@pi4:kept", "again")[0] == 0


def test_a_full_disk_here_is_one_line(pi: Pi, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(pi.home)
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 1
    assert "kept has no room for 8 MB of photos" in err.splitlines()[-1]
    assert not Path("kept").exists()
