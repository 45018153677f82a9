"""A Pi that runs what is asked for, with or without edge-effnet in its home folder."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_effnet import __version__
from tests.benchmarks.ssh.server import Pi, running_pi


def ready(home: Path, version: str = __version__) -> None:
    """An environment as if edge-effnet had been installed there by hand, with all that it needs:
    its Python, asked whether anything cannot be imported, names nothing."""
    about = home / f"effnet/lib/python3.11/site-packages/edge_effnet-{version}.dist-info"
    about.mkdir(parents=True)
    (home / "effnet/pyvenv.cfg").touch()
    for name in ("python", "edge-effnet"):
        command = home / "effnet/bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text("#!/bin/sh\ntrue\n")
        command.chmod(0o755)


def photos(folder: Path) -> dict[str, bytes]:
    """Name: content of every file below it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "pi").mkdir()
    ready(tmp_path / "pi")
    return tmp_path / "pi"


@pytest.fixture
def board(home: Path, user_home: Path) -> Iterator[Pi]:
    """A host that the user reaches as ``anna@pi4``; edge-effnet is there."""
    with running_pi(home, user_home, users=("anna",), variables={}) as host:
        yield host


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    """Everything that is installed beside this Python but edge-effnet."""
    folder = tmp_path / "packages"
    folder.mkdir()
    for one in Path(sysconfig.get_path("purelib")).iterdir():
        if one.suffix != ".pth" and "edge_effnet" not in one.name:
            (folder / one.name).symlink_to(one)
    return folder
