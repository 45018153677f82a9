"""The blocks that set a Raspberry Pi up: the same in README and guide, with what this release
needs, and they run as they are printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import click
import pytest

from benchmarks.devices.pi.board import Board
from benchmarks.devices.pi.needs import needs
from benchmarks.devices.pi.package import build_wheel, requirements
from edge_effnet.cli import group
from edge_effnet.data.demo import demo_model
from tests.edge_effnet.conftest import colour_folder  # noqa: F401 (a fixture)
from tests.test_docs import ROOT, blocks

GUIDE = ROOT / "docs/guides/raspberry-pi.md"
SYSTEMS = ("trixie", "bookworm", "narrow")
# What a laptop and a Pi would do, in two folders here. A camera has nothing to show: its options
# are looked at, and a photo is classified in its place.
STUBS = {
    "scp": 'shift; for last in "$@"; do :; done; [ "$last" = "$TO:" ] || exit 9\n'
    'for one in "$@"; do [ "$one" = "$last" ] || cp -r "$one" "$PI_HOME"; done',
    "ssh": 'cd "$PI_HOME"; while [ "$1" != "$TO" ]; do shift; done; shift; asked="$*"\n'
    'case "$asked" in *" camera "*) asked="${asked%% *} $CHECK" ;; esac; exec sh -ec "$asked"',
    "sudo": '[ "$1 $2 $3" = "apt install -y" ] && echo "$@" >> "$PI_HOME/apt.log"',
}


def block(system: str) -> str:
    found = [one["text"] for one in blocks(ROOT / "README.md") if one["text"].startswith("PI=")]
    assert len(found) == len(SYSTEMS)
    return found[SYSTEMS.index(system)]


def words(text: str) -> set[str]:
    """Words of all commands, those in quotation marks too."""
    return {inner for word in shlex.split(text) for inner in shlex.split(word)}


def test_readme_and_guide_show_the_same() -> None:
    shown = [one["text"] for one in blocks(GUIDE) if one["text"].startswith("PI=")]
    assert shown == [block(system) for system in SYSTEMS]


def test_they_ask_for_what_this_release_needs() -> None:
    for system in SYSTEMS:
        assert f"./{build_wheel()[0]}" in words(block(system))
    assert {"numpy<2", "opencv-python-headless<4.12"} <= words(block("bookworm"))
    assert not [word for word in words(block("trixie")) if "<" in word]
    about = {"bits": 32, "python": "3.11.2"}
    wanted = needs(cast(Board, SimpleNamespace(about=about)))
    pip = {re.split("[<>=]", one)[0]: one for one in wanted["modules"].values()}
    from_apt = {"numpy", "opencv-python-headless"}
    assert {"tflite-runtime==2.14.0", *wanted["from_apt"].values()} <= words(block("narrow"))
    assert set(requirements()) - {"ai-edge-litert"} | {"tflite-runtime"} == set(pip)
    assert set(pip) - from_apt - {"tflite-runtime"} <= words(block("narrow"))


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_last_line_is_a_command_of_this_release(system: str) -> None:
    last = shlex.split(block(system).splitlines()[-1])[-1]
    tool, name, *arguments = shlex.split(last)
    assert tool == "effnet/bin/edge-effnet"
    command = group.get_command(click.Context(group), name)
    assert command is not None
    parsed = command.make_context(name, arguments)
    assert (parsed.params["model"], parsed.params["serve"]) == (
        Path("b0-int8.tflite"),
        "127.0.0.1:8080",
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("system", SYSTEMS)
def test_they_run_as_they_are_printed(
    system: str,
    tmp_path: Path,
    colour_folder: Path,  # noqa: F811
) -> None:
    """With the packages of PyPI for this machine: those for Arm are another test's."""
    if sys.version_info[:2] != (3, 11) and system != "trixie":
        pytest.skip("Bookworm has Python 3.11")
    laptop, pi, tools = tmp_path / "laptop", tmp_path / "pi", tmp_path / "bin"
    for folder in (laptop / "dist", pi, tools):
        folder.mkdir(parents=True)
    name, wheel = build_wheel()
    (laptop / "dist" / name).write_bytes(wheel)
    shutil.copy(demo_model(), laptop / "b0-int8.tflite")
    shutil.copytree(colour_folder, laptop / "photos")
    for tool, does in STUBS.items():
        (tools / tool).write_text(f"#!/bin/sh\n{does}\n")
        (tools / tool).chmod(0o755)
    # tflite-runtime wants NumPy 1, which comes from apt there and is not on this machine.
    check = "--version" if system == "narrow" else "classify b0-int8.tflite photos/red/0.png"
    paths = f"{tools}:{Path(sys.base_prefix) / 'bin'}:{os.environ['PATH']}"
    variables = {
        "PATH": paths,
        "PI_HOME": str(pi),
        "CHECK": check,
        "TO": "your-name@raspberrypi.local",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block(system)],
        cwd=laptop,
        env={key: one for key, one in os.environ.items() if key != "PYTHONPATH"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    if "Could not find a version" in done.stdout + done.stderr:
        pytest.skip("PyPI cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ("edge-effnet, version" if system == "narrow" else "0.png") in done.stdout
    assert "python3-venv" in (pi / "apt.log").read_text()
    frozen = subprocess.run(
        [pi / "effnet/bin/pip", "list", "--format=freeze"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = dict(line.split("==") for line in frozen.splitlines() if "==" in line)
    if system == "bookworm":
        assert found["numpy"].startswith("1.")
        assert found["opencv-python-headless"].startswith("4.11.")
    assert ("tflite-runtime" in found) == (system == "narrow")
