"""However a deployment ends, a whole file is in place on the Pi, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, ClassVar

import pytest

from benchmarks.ssh import files as ssh_files
from tests.benchmarks.ssh.server import Files, Pi, running_pi
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


class Cutting(Files):
    """Loses the link at its nth request of one kind."""

    at: ClassVar[tuple[str, int]] = ("", 0)

    def _lose(self, kind: str) -> None:
        name, left = Cutting.at
        if name == kind:
            Cutting.at = (name, left - 1)
            if left == 0:
                self.channel.get_connection().abort()

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        self._lose("write")
        return super().write(file_obj, offset, data)

    def read(self, file_obj: object, offset: int, size: int) -> Any:
        self._lose("read")
        return super().read(file_obj, offset, size)

    def link(self, oldpath: bytes, newpath: bytes) -> Any:
        self._lose("link")
        return super().link(oldpath, newpath)

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> Any:
        self._lose("rename")
        return super().posix_rename(oldpath, newpath)


@pytest.fixture
def home(tmp_path: Path, colour_model: MakeModel) -> Path:
    (tmp_path / "pi").mkdir()
    colour_model("old.tflite").rename(tmp_path / "pi/mine.tflite")
    return tmp_path / "pi"


@pytest.fixture
def new(colour_model: MakeModel) -> Path:
    return colour_model("new.tflite", weights=[[9, -1, -1], [-1, 9, -1], [-1, -1, 9]])


@pytest.mark.parametrize(
    "at", [("read", 0), ("write", 0), ("read", 2), ("link", 0), ("read", 4), ("rename", 0)], ids=str
)
def test_a_lost_link_leaves_a_whole_file_and_the_next_call_does_the_rest(
    at: tuple[str, int],
    home: Path,
    user_home: Path,
    cli: Cli,
    new: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Cutting, "at", at)
    old = (home / "mine.tflite").read_bytes()
    with running_pi(home, user_home, files=Cutting):
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
        assert code == 1
        assert "the link to pi4 was lost" in err.splitlines()[-1]
        if at[0] == "rename":
            assert "either file may be in place" in err
            assert (home / "mine.tflite").read_bytes() in (old, new.read_bytes())
        else:
            assert "still in place" in err
            assert (home / "mine.tflite").read_bytes() == old
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
    assert code == 0, err
    assert (home / "mine.tflite").read_bytes() == new.read_bytes()
    kept = [path for path in home.iterdir() if path.name != "mine.tflite"]
    assert [path.read_bytes() for path in kept] == [old]


class Damaging(Files):
    """A memory card that forgets a byte."""

    def write(self, file_obj: object, offset: int, data: bytes) -> Any:
        return super().write(file_obj, offset, data[:-1] + b"?" if offset == 0 else data)


class Full(Files):
    """No space left."""

    def write(self, *_arguments: object) -> Any:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (Damaging, "what arrived on pi4 is not what was sent"),
        (Full, "pi4 did not take a file; found No space left on device"),
    ],
)
def test_what_does_not_arrive_whole_replaces_nothing(
    files: type[Files], says: str, home: Path, user_home: Path, cli: Cli, new: Path
) -> None:
    old = (home / "mine.tflite").read_bytes()
    with running_pi(home, user_home, files=files):
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
    assert code == 1
    assert says in err.splitlines()[-1]
    assert [path.name for path in home.iterdir()] == ["mine.tflite"]
    assert (home / "mine.tflite").read_bytes() == old


class Busy(Files):
    """Another host deploys in the moment in which the file before is kept."""

    def link(self, oldpath: bytes, newpath: bytes) -> Any:
        super().link(oldpath, newpath)
        path = Path(self.map_path(oldpath).decode())
        path.with_suffix(".other").write_bytes(b"of somebody else")
        path.with_suffix(".other").replace(path)


def test_a_file_that_came_meanwhile_is_not_replaced(
    home: Path, user_home: Path, cli: Cli, new: Path
) -> None:
    with running_pi(home, user_home, files=Busy):
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
    assert code == 1
    assert "was replaced by another file meanwhile" in err
    assert (home / "mine.tflite").read_bytes() == b"of somebody else"
    assert not list(home.glob(".*.part"))


def test_what_cannot_be_understood_or_found_is_one_line(
    pi: Pi, cli: Cli, new: Path, tmp_path: Path
) -> None:
    pi.file("folder/mine.tflite/x")
    for arguments, code, says in (
        ((), 2, "deploy needs a model; found no MODEL"),
        ((new,), 2, "deploy needs a Raspberry Pi; found no NAME@HOST[:PATH]"),
        (("--back",), 2, "deploy --back needs a Raspberry Pi and the file there"),
        (("--back", "pi@pi4"), 2, "which file of the Pi is to be put back is not said"),
        (("--back", "pi@pi4:mine.tflite", "--data", tmp_path), 2, "omit --data"),
        (("--back", "pi@pi4:mine.tflite"), 1, "no earlier file of mine.tflite is kept on pi4"),
        ((tmp_path / "no.tflite", "pi@pi4"), 1, "no.tflite"),
        ((new, "pi@pi4:nowhere/mine.tflite"), 1, "pi4 has no folder nowhere"),
        ((new, "pi@127.0.0.1:1"), 1, "runs no SSH server there"),
    ):
        found, _, err = cli("deploy", *arguments)
        assert found == code, (arguments, err)
        assert says in err, err


class Silent(Files):
    """Says nothing when a file is asked for."""

    async def lstat(self, _path: bytes) -> Any:
        await asyncio.sleep(30)

    stat = lstat


def test_a_pi_that_does_not_answer_is_given_up(
    home: Path, user_home: Path, cli: Cli, new: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh_files, "ANSWER_SECONDS", 0.5)
    with running_pi(home, user_home, files=Silent):
        code, _, err = cli("deploy", new, "pi@pi4:mine.tflite")
    assert code == 1
    assert "the link to pi4 was lost" in err
