"""Commands that are printed run as they stand, from the shell that called."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from edge_effnet.ui.shown_commands import (
    camera_command,
    commands_as_called,
    example,
    over_ssh,
    own_command,
    with_own_command,
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A command that was called by its path, in a folder whose name needs quotes."""
    command = tmp_path / "my env/bin/edge-effnet"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\necho ran\n")
    command.chmod(0o755)
    monkeypatch.setattr(sys, "argv", [str(command)])
    monkeypatch.chdir(tmp_path)
    return command


def test_a_command_that_the_shell_does_not_find_is_named_by_its_path(installed: Path) -> None:
    assert own_command() == "'my env/bin/edge-effnet'"
    ran = subprocess.run(["sh", "-c", own_command()], capture_output=True, text=True, check=True)
    assert ran.stdout == "ran\n"
    os.chdir("/")
    assert shlex.split(own_command()) == [str(installed)[1:]]


def test_one_that_the_shell_finds_is_called_by_its_name(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(installed.parent), prepend=os.pathsep)
    assert own_command() == "edge-effnet"


def test_a_proposal_in_an_error_is_called_as_this_one_was(installed: Path) -> None:
    assert installed.is_file()
    line = (
        "edge-effnet create has no option --fro; did you mean: edge-effnet classify m.tflite?; "
        "to fix: edge-effnet create --help lists them, or pip install 'edge-effnet[train]'"
    )
    assert with_own_command(line) == (
        "edge-effnet create has no option --fro; did you mean: 'my env/bin/edge-effnet' classify "
        "m.tflite?; to fix: 'my env/bin/edge-effnet' create --help lists them, or pip install "
        "'edge-effnet[train]'"
    )
    assert commands_as_called("edge-effnet bench x") == "'my env/bin/edge-effnet' bench x"


def test_another_program_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/pytest"])
    assert own_command() == "edge-effnet"


def test_the_example_is_a_photo_that_is_there(tmp_path: Path) -> None:
    photo = tmp_path / "a cat.jpg"
    photo.touch()
    assert shlex.split(example([tmp_path / "gone.jpg", photo])) == [str(photo)]
    assert example([]) == "photo.jpg"


def test_a_command_on_another_machine_brings_its_page() -> None:
    camera = camera_command("effnet/bin/edge-effnet", ["my model.tflite", "float.tflite"])
    words = shlex.split(over_ssh("ssh -p 2222 anna@pi4", camera))
    assert words[:7] == ["ssh", "-t", "-L", "8080:127.0.0.1:8080", "-p", "2222", "anna@pi4"]
    assert shlex.split(words[7])[2:] == [
        "--model", "my model.tflite", "--compare", "float.tflite", "--serve", "127.0.0.1:8080",
    ]  # fmt: skip
