"""What is named here is there afterwards, once, and the command that runs it is said."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edge_effnet import __version__
from tests.benchmarks.push.conftest import photos, ready
from tests.benchmarks.ssh.server import Pi, running_pi
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


def test_a_model_and_photos_come_once(
    board: Pi, cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    model = colour_model()
    (colour_folder / "labels.txt").write_text("red\ngreen\nblue\n")
    (colour_folder / "notes.pdf").write_bytes(b"%PDF-")
    (colour_folder / ".hidden.png").write_bytes(b"x")
    code, out, err = cli("push", "anna@pi4", model, colour_folder)
    assert code == 0, err
    assert "here: 1 model (" in err
    assert "30 photos (" in err
    assert "left out, for they are no models, photos or labels: 1 .pdf" in err
    assert "copied 32 files (" in out
    assert (board.home / "colours.tflite").read_bytes() == model.read_bytes()
    for name in ("notes.pdf", ".hidden.png"):
        (colour_folder / name).unlink()
    assert photos(board.home / "images") == photos(colour_folder)
    assert "installed edge-effnet" not in out  # it was there
    says = "next: ssh -t -L 8080:127.0.0.1:8080 anna@pi4 'effnet/bin/edge-effnet camera --model "
    assert says + "colours.tflite --serve 127.0.0.1:8080'" in out

    (colour_folder / "red/new.png").write_bytes((colour_folder / "red/0.png").read_bytes())
    code, out, _ = cli("push", "anna@pi4", model, colour_folder)
    assert code == 0
    assert "copied 1 file (" in out
    assert "32 were there already" in out
    assert photos(board.home / "images") == photos(colour_folder)


def test_a_folder_of_the_pi_may_be_named(
    board: Pi, cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    assert cli("push", "anna@pi4", colour_folder / "blue", "--to", "2222")[0] == 0  # no port
    assert board.names("2222") == ["blue"]
    target = ("anna@pi4", "--to", "~/birds/two/")
    code, out, err = cli("push", *target, colour_model(), colour_folder / "red")
    assert code == 0, err
    assert board.names("birds/two") == ["colours.tflite", "red"]
    assert len(board.names("birds/two/red")) == 10
    assert "camera --model birds/two/colours.tflite" in out


def test_photos_alone_have_a_command_too(board: Pi, cli: Cli, colour_folder: Path) -> None:
    code, out, err = cli("push", "pi@anna@pi4", colour_folder)
    assert code == 0, err
    assert "next: ssh anna@pi4 'effnet/bin/edge-effnet evaluate MODEL.tflite --data images'" in out
    assert len(board.names("images")) == 3


@pytest.mark.slow
def test_edge_effnet_is_installed_where_it_is_missing(
    tmp_path: Path, user_home: Path, packages: Path, cli: Cli, colour_model: MakeModel
) -> None:
    home, model = tmp_path / "pi", colour_model()
    home.mkdir()
    with running_pi(home, user_home, variables={"PYTHONPATH": str(packages)}):
        code, out, err = cli("push", "anna@pi4", model)
        assert code == 0, err
        assert f"installed edge-effnet {__version__} there, in ~/effnet" in out
        assert f"installing edge_effnet-{__version__}-py3-none-any.whl" in err
        command = shlex.split(re.search(r"next: (.+?) +#", out)[1])[-1]  # type: ignore[index]
        done = subprocess.run(
            ["sh", "-c", f"{command.split()[0]} classify colours.tflite --help; "
             f"{command.split()[0]} --version"],
            cwd=home, env={"PYTHONPATH": str(packages)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[-1] == f"edge-effnet, version {__version__}"
        code, out, err = cli("push", "anna@pi4", model)
        assert (code, "installed" in out, "installing" in err) == (0, False, False), err


def test_what_is_installed_stays_unless_forced(
    tmp_path: Path, user_home: Path, cli: Cli, colour_model: MakeModel
) -> None:
    home = tmp_path / "pi"
    ready(home, "0.0.9")
    with running_pi(home, user_home, variables={}):
        code, out, err = cli("push", "anna@pi4", colour_model())
    assert code == 0
    assert "note: another edge-effnet 0.0.9 is in ~/effnet there, and stays" in err
    assert "installed" not in out


def test_help_imports_no_numpy() -> None:
    told = (
        "import sys; from edge_effnet.cli import run; run(['push', '--help']); "
        "print([name for name in ('numpy', 'cv2', 'asyncssh') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
