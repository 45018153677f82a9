"""What stands in the way of a push is one line, and nothing is there in halves."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, ClassVar

import pytest

from benchmarks.push import push as pushing
from tests.benchmarks.push.conftest import photos
from tests.benchmarks.ssh.server import Files, Pi, running_pi
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


class Cutting(Files):
    """Loses the link at its nth write of a photo; None never."""

    left: ClassVar[int | None] = None

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        if Cutting.left is not None and b"PNG" in data[:8]:
            if Cutting.left == 0:
                Cutting.left = None
                self.channel.get_connection().abort()
            else:
                Cutting.left -= 1
        return super().write(file_obj, offset, data)


def test_a_lost_link_leaves_whole_files_and_the_next_push_goes_on(
    home: Path,
    user_home: Path,
    cli: Cli,
    colour_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pushing, "_BATCH_FILES", 10)
    monkeypatch.setattr(Cutting, "left", 15)
    with running_pi(home, user_home, files=Cutting, variables={}):
        code, _, err = cli("push", "anna@pi4", colour_folder)
        assert code == 1
        last = err.splitlines()[-1]
        assert last == (
            "error: the link to pi4 was lost; found 10 of 30 files copied, each of them whole; "
            "to fix: the same command goes on where it stopped"
        )
        whole = [path for path in (home / "images").rglob("*.png") if path.name[0] != "."]
        assert len(whole) == 10
        for path in whole:
            assert (
                path.read_bytes()
                == (colour_folder / path.relative_to(home / "images")).read_bytes()
            )
        code, out, err = cli("push", "anna@pi4", colour_folder)
    assert code == 0, err
    assert "copied 20 files (" in out
    assert not list(home.rglob(".*.part"))
    assert len(list((home / "images").rglob("*.png"))) == 30


def test_nothing_is_replaced_silently(
    board: Pi, cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    model = colour_model()
    there = board.file("colours.tflite", b"another")
    photo = board.file("images/red/0.png", b"another")
    code, _, err = cli("push", "anna@pi4", model, colour_folder)
    assert code == 1
    last = err.splitlines()[-1]
    assert "colours.tflite on pi4 is another model, and nothing was copied" in last
    assert f"edge-effnet deploy {model} anna@pi4:colours.tflite compares both" in last
    assert board.names("images/red") == ["0.png"]
    there.unlink()
    code, _, err = cli("push", "anna@pi4", model, colour_folder)
    assert code == 0
    assert "note: 1 differs from the one there, which stays (images/red/0.png); --force" in err
    assert photo.read_bytes() == b"another"
    there.write_bytes(b"another")
    code, out, err = cli("push", "anna@pi4", model, colour_folder, "--force")
    assert code == 0, err
    assert "copied 2 files (" in out
    assert there.read_bytes() == model.read_bytes()
    assert photos(board.home / "images") == photos(colour_folder)


class Damaging(Files):
    """A memory card that forgets a byte of photos."""

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        return super().write(file_obj, offset, data[:-1] + b"?" if b"PNG" in data[:8] else data)


class Full(Files):
    """No space left for photos."""

    def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
        if b"PNG" in data[:8]:
            raise OSError(28, "No space left on device")
        return super().write(file_obj, offset, data)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (Damaging, "images/blue/0.png did not arrive on pi4 as it is here"),
        (Full, "pi4 did not take a file; found No space left on device"),
    ],
)
def test_what_does_not_arrive_whole_gets_no_name(
    files: type[Files], says: str, home: Path, user_home: Path, cli: Cli, colour_folder: Path
) -> None:
    with running_pi(home, user_home, files=files, variables={}):
        code, _, err = cli("push", "anna@pi4", colour_folder)
    assert code == 1
    assert says in err.splitlines()[-1]
    assert not [path for path in (home / "images").rglob("*") if path.is_file()]


def test_models_are_checked_before_anything_is_sent(
    board: Pi, cli: Cli, colour_model: MakeModel, colour_folder: Path, tmp_path: Path
) -> None:
    model = colour_model()
    (tmp_path / "cut.tflite").write_bytes(model.read_bytes()[:-100])
    (tmp_path / "net.keras").write_bytes(b"PK")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(
        colour_model("b.tflite", weights=[[0, 0, 1], [0, 1, 0], [1, 0, 0]]), other / "a.tflite"
    )
    shutil.copy(model, tmp_path / "a.tflite")
    for sources, code, says in (
        ((tmp_path / "cut.tflite", colour_folder), 1, "cut.tflite"),
        ((tmp_path / "net.keras",), 1, "convert --model"),
        ((tmp_path / "empty",), 1, "holds nothing for a Pi; found no files"),
        ((tmp_path / "pipe",), 1, "found a pipe or a device"),
        ((tmp_path / "nowhere",), 1, "found nothing there"),
        ((tmp_path / "a.tflite", other / "a.tflite"), 2, "two files would be a.tflite on the Pi"),
    ):
        found, _, err = cli("push", "anna@pi4", *sources)
        assert (found, says in err.splitlines()[-1]) == (code, True), err
    for arguments, says in (
        ((model, "anna@pi4"), f"edge-effnet push anna@pi4 {model}"),
        (
            ("anna@pi4:22a", model),
            "found '22a' behind the host; expected NAME@HOST",
        ),
        (("anna@pi4:a", model), "if it is a folder there, name it with --to a"),
        (("anna@:x", model), "the Pi is not understood"),
    ):
        found, _, err = cli("push", *arguments)
        assert (found, says in err.splitlines()[-1]) == (2, True), err
    assert board.names() == ["effnet"]


def test_a_folder_without_wheels_is_refused_before_connecting(
    cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    model, wheels = colour_model(), tmp_path / "wheels"
    wheels.mkdir()

    def says() -> str:
        code, _, err = cli("push", "anna@no.invalid", model, "--wheels", wheels)
        assert code == 1
        return err.splitlines()[-1]

    assert "holds no wheels; found an empty folder" in says()
    (wheels / "click-8.5.1-py3-none-any.whl").write_bytes(b"PK cut")
    assert "click-8.5.1-py3-none-any.whl is no wheel that pip takes" in says()


def test_a_pi_without_room_is_one_line(
    home: Path, user_home: Path, cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    tight = tmp_path / "site"
    tight.mkdir()
    (tight / "sitecustomize.py").write_text(
        "import shutil, collections\n"
        "usage = collections.namedtuple('usage', 'total used free')(10**9, 10**9 - 5, 5)\n"
        "shutil.disk_usage = lambda path: usage\n"
    )
    with running_pi(home, user_home, variables={"PYTHONPATH": str(tight)}) as host:
        code, _, err = cli("push", "anna@pi4", colour_model())
    assert code == 1
    assert "pi4 has no room for" in err.splitlines()[-1]
    assert "colours.tflite" not in host.names()


def test_what_is_in_the_way_there_stays(
    home: Path, board: Pi, cli: Cli, colour_model: MakeModel
) -> None:
    model = colour_model()
    (home / "colours.tflite").mkdir()
    code, _, err = cli("push", "anna@pi4", model)
    assert code == 1
    assert "colours.tflite on pi4 is no place for a file" in err.splitlines()[-1]
    (home / "file").touch()
    code, _, err = cli("push", "anna@pi4", model, "--to", "file/x")
    assert code == 1
    assert "file/x/colours.tflite on pi4 is no place for a file" in err.splitlines()[-1]
    (home / "colours.tflite").rmdir()
    shutil.rmtree(home / "effnet")
    (home / "effnet").mkdir()
    (home / "effnet/mine.txt").touch()
    code, _, err = cli("push", "anna@pi4", model)
    assert code == 1
    assert "effnet on the Pi is no virtual environment" in err.splitlines()[-1]
    assert board.names("effnet") == ["mine.txt"]


def test_a_wrong_key_and_a_pi_without_venv_are_one_line(
    home: Path, user_home: Path, cli: Cli, colour_model: MakeModel, tmp_path: Path
) -> None:
    model = colour_model()
    with running_pi(home, user_home, users=("anna",), variables={}):
        code, _, err = cli("push", "bob@pi4", model)
    assert code == 1
    assert "ssh-copy-id bob@pi4" in err.splitlines()[-1]
    shutil.rmtree(home / "effnet")
    broken = tmp_path / "site"
    broken.mkdir()
    for module in ("ensurepip", "pip"):  # as Debian has it without python3-venv
        (broken / f"{module}.py").write_text("raise ImportError(__name__)")
    (user_home / ".ssh/config").unlink()
    variables = {"PYTHONPATH": str(broken)}
    with running_pi(home, user_home, variables=variables):
        code, _, err = cli("push", "anna@pi4", model)
    assert code == 1
    last = err.splitlines()[-1]
    assert "the environment on the Pi could not be built (-m ensurepip)" in last
    assert "sudo apt install -y python3-venv on the Pi" in last
    assert not (home / "colours.tflite").exists()
