"""The command as a shell sees it: what it imports, how it ends, what an error looks like.

``sitecustomize`` blocks what a Raspberry Pi does not have: an import of it fails as if it were
not installed.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import edge_effnet
from edge_effnet.cli import group, run
from edge_effnet.errors import LimitMissed, UsageProblem
from edge_effnet.plugins import COMMANDS, PARTS, load

HEAVY = ("tensorflow", "keras", "jax", "h5py", "litert_quantizer", "sklearn", "scipy", "PIL")
ROOT = Path(edge_effnet.__file__).parents[1]
BLOCKER = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {HEAVY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}} (blocked)", name=name)
sys.meta_path.insert(0, Blocker())
"""
Device = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def device(tmp_path: Path) -> Device:
    """Run Python as a device would have it: the base install, nothing heavy."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCKER)
    path = os.pathsep.join((str(tmp_path / "site"), str(ROOT)))

    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "100"},
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    return call


def test_the_blocker_blocks(device: Device) -> None:
    done = device("-c", "import tensorflow")
    assert "No module named 'tensorflow' (blocked)" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_needs_nothing_heavy(name: str, device: Device) -> None:
    module = COMMANDS[name][0].partition(":")[0]
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} does not exist yet")
    done = device("-m", "edge_effnet", name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Usage: edge-effnet {name}" in done.stdout
    assert "Examples:" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


# Keras layers of their own, hence Keras at the top: only their training imports them, late.
OF_KERAS = tuple(
    f"converters.quantization.qat.{name}" for name in ("fake_quant", "simulation", "training")
)
EVERY_MODULE = f"""
import importlib, pkgutil, benchmarks, converters, edge_effnet
from edge_effnet.errors import MissingExtra
count = 0
for package in (edge_effnet, converters, benchmarks):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name in {OF_KERAS}:
            try:
                importlib.import_module(module.name)
            except MissingExtra:
                continue
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            count += 1
print(count)
"""


def test_every_module_imports_without_the_heavy_ones(device: Device) -> None:
    """Where TensorFlow is needed, it is imported inside functions."""
    done = device("-W", "error", "-c", EVERY_MODULE)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 40


def test_the_groups_help_imports_next_to_nothing(device: Device) -> None:
    code = (
        "import sys, edge_effnet.cli as cli\n"
        "assert cli.run(['--help']) == cli.run(['--version']) == 0\n"
        "print('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = device("-c", code)
    help_text, _, loaded = done.stdout.partition("LOADED")
    assert all(f"  {name} " in help_text for name in COMMANDS)
    assert {"numpy", "cv2", "rich", "ai_edge_litert"}.isdisjoint(loaded.split())


@pytest.mark.parametrize("command", ["convert", "train", "prune"])
def test_a_commands_help_reads_neither_numpy_nor_opencv(device: Device, command: str) -> None:
    code = (
        "import sys, edge_effnet.cli as cli\n"
        f"assert cli.run([{command!r}, '--help']) == 0\n"
        "print('LOADED', *{name.partition('.')[0] for name in sys.modules})"
    )
    loaded = device("-c", code).stdout.partition("LOADED")[2].split()
    assert {"numpy", "cv2", "ai_edge_litert"}.isdisjoint(loaded)
    assert "edge_effnet" in loaded


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_there(part: str) -> None:
    assert part.partition(" ")[0] in COMMANDS
    assert callable(load(PARTS[part]))


def test_the_table_and_the_commands_agree() -> None:
    """``edge-effnet --help`` shows each command's line without importing it."""
    assert list(COMMANDS) == group.list_commands(None)
    for name, (place, line) in COMMANDS.items():
        if importlib.util.find_spec(place.partition(":")[0]) is not None:
            command = group.get_command(None, name)
            assert command.help.strip()
        assert line.endswith(".")
        assert len(line) <= 55


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["variants", "lite0"], 0),
        (["--version"], 0),
        ([], 2),
        (["nothing"], 2),
        (["variants", "--classes", "0"], 2),
        (["variants", "b99"], 2),
        (["scale"], 2),
        (["classify", "missing.tflite", "missing.jpg"], 1),
        (["evaluate", "missing.tflite", "--data", "missing"], 1),
    ],
)
def test_exit_codes(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert (captured.err == "") == (code == 0)
    assert "Traceback" not in captured.err
    if code == 1:
        assert captured.err.startswith("error: ")
        assert "; to fix: " in captured.err
        assert captured.err.count("\n") == 1


def test_errors_know_their_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert LimitMissed("b0.tflite lost more than allowed", fix="…").exit_code == 3
    problem = UsageProblem("a\nfile\tname", found="x", expected="y", fix="rename it")
    assert str(problem) == "a file name; found x; expected y; to fix: rename it"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments",
    [["variants"], ["variants", "--json", "-"], ["--help"], ["scale", "--phi", "1"]],
    ids=" ".join,
)
def test_a_reader_that_stops_reading_is_no_error(arguments: list[str]) -> None:
    """``edge-effnet variants | head -1``"""
    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "edge_effnet", *arguments],
            stdout=pipe,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("arguments", [["variants"], ["variants", "--json", "-"], ["--help"]])
def test_output_that_cannot_be_written_is_one(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "edge_effnet", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the output cannot be written; found No space left")
    assert done.stderr.count("\n") == 1


def test_a_missing_extra_answers_with_its_install_line(device: Device) -> None:
    done = device("-m", "edge_effnet", "convert", "--variant", "b0", "--int8")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "pip install 'edge-effnet[train]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_runs_on_the_device(
    device: Device, colour_model: Callable[..., Path], colour_folder: Path
) -> None:
    model = colour_model()
    done = device("-m", "edge_effnet", "classify", model, colour_folder / "red" / "0.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "red" in done.stdout
    done = device("-m", "edge_effnet", "evaluate", model, "--data", colour_folder)
    assert done.returncode == 0
    assert "100.0 %" in done.stdout
