"""What all tests share: the reference material, the installed command, the property tests' rule."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

# A shell that starts the tests in the background hands down "ignore Ctrl-C", which every command
# that a test starts would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Nor does the shell say how wide and colourful output is, or what lies in a user's caches; and
# no proxy stands between a test and its own server.
for name in (
    *("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE"),
    *("TTY_INTERACTIVE", "EDGE_EFFNET_LIBEDGETPU", "EDGE_EFFNET_NATIVE_LOG", "EDGE_EFFNET_TOKEN"),
):
    os.environ.pop(name, None)
CACHES = tempfile.mkdtemp(prefix="edge-effnet-tests-")
atexit.register(shutil.rmtree, CACHES, ignore_errors=True)
os.environ |= {"EDGE_EFFNET_CACHE": f"{CACHES}/weights", "KERAS_HOME": f"{CACHES}/keras"}
os.environ["no_proxy"] = f"{os.environ.get('no_proxy', '')},127.0.0.1".strip(",")

# The same examples in every run: a change is judged by what it does, not by that day's dice.
# To look for new ones: `make unit ARGS=--hypothesis-profile=explore`, and keep what is found as
# an `@example`.
settings.register_profile("same", derandomize=True, deadline=None, database=None)
settings.register_profile("explore", max_examples=1000, deadline=None)
settings.load_profile("same")

RunCommand = Callable[..., subprocess.CompletedProcess[str]]
Cli = Callable[..., tuple[int, str, str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: begun last, one of them would run on alone at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of real weights and pictures that ``EDGE_EFFNET_REFERENCE`` names."""
    folder = os.environ.get("EDGE_EFFNET_REFERENCE")
    if not folder:
        pytest.skip("EDGE_EFFNET_REFERENCE is not set: no real models to test with")
    return Path(folder)


@pytest.fixture(scope="session")
def edge_effnet() -> RunCommand:
    """Run the installed command: ``edge_effnet("variants", "b0")``; ``env`` adds variables."""
    command = Path(sys.executable).with_name("edge-effnet")
    assert command.is_file(), "the package is not installed beside this Python"

    def run(
        *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(command), *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, **(env or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return run


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command in this process, which is faster: ``cli("variants", "b0")`` answers with
    its exit code and both streams."""
    from edge_effnet.cli import run

    def call(*arguments: object) -> tuple[int, str, str]:
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call
