"""The base install in a fresh environment: what a device gets, from the wheel.

Slow: each environment downloads and installs about 100 MB.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.edge_effnet.conftest import colour_folder, colour_model  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[1]
VERSIONS = ("3.11", "3.12", "3.13")
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
HEAVY = {"tensorflow", "keras", "h5py", "ai-edge-quantizer", "scipy", "scikit-learn"}
Run = Callable[..., subprocess.CompletedProcess[str]]


def quiet(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=cwd, check=False
    )


def python_of(version: str) -> str:
    """A Python of this version, else a skip. (A pyenv shim on PATH may not work: the versions
    behind it are tried too.)"""
    if version == CURRENT:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in (
        shutil.which(f"python{version}"),
        *map(str, pyenv.glob(f"versions/{version}.*/bin/python")),
    ):
        if python and not quiet(python, "-c", "import venv, ensurepip").returncode:
            return python
    pytest.skip(f"there is no working python{version} on this machine")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    made = quiet(sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", folder, ROOT)
    if made.returncode and "Could not find a version" in made.stderr:
        pytest.skip("the build backend cannot be downloaded")
    assert made.returncode == 0, made.stderr
    return next(folder.glob("*.whl"))


def install(python: str, folder: Path, *what: str) -> Path:
    """A fresh environment's folder of commands."""
    assert quiet(python, "-m", "venv", folder).returncode == 0
    done = quiet(folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", *what)
    if done.returncode and "No matching distribution" in done.stderr:
        pytest.skip("the packages of the base install cannot be downloaded")
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def installed(commands: Path) -> dict[str, str]:
    listed = quiet(commands / "pip", "list", "--format=json", "--disable-pip-version-check")
    return {entry["name"].lower(): entry["version"] for entry in json.loads(listed.stdout)}


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as pack:
        names = pack.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "edge_effnet", "converters", "benchmarks"
    }  # fmt: skip
    for needed in (
        "edge_effnet/py.typed",
        "edge_effnet/assets/imagenet_classes.csv",
        "benchmarks/report/templates/page.html",
        "benchmarks/report/templates/style.css",
    ):
        assert needed in names
    assert not [name for name in names if name.startswith("benchmarks/studies")]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_base_install_runs_models(
    version: str,
    wheel: Path,
    tmp_path: Path,
    colour_model: Callable[..., Path],  # noqa: F811
    colour_folder: Path,  # noqa: F811
) -> None:
    commands = install(python_of(version), tmp_path / "venv", str(wheel))
    assert HEAVY.isdisjoint(installed(commands))
    effnet, model = commands / "edge-effnet", colour_model()
    told = quiet(effnet, "--help", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    table = quiet(effnet, "variants", "--json", "-", cwd=tmp_path)
    assert json.loads(table.stdout)[0]["parameters"] == 5_330_571
    assert_runs(effnet, model, colour_folder, tmp_path)
    asked = quiet(effnet, "convert", "--variant", "b0", "--int8", cwd=tmp_path)
    assert asked.returncode == 1
    assert "pip install 'edge-effnet[train]'" in asked.stderr


def assert_runs(effnet: Path, model: Path, pictures: Path, folder: Path) -> None:
    seen = quiet(effnet, "classify", model, pictures / "blue" / "0.png", "--json", "-", cwd=folder)
    assert (seen.returncode, seen.stderr) == (0, "")
    assert json.loads(seen.stdout)["images"][0]["answers"][0]["label"] == "blue"
    judged = quiet(effnet, "evaluate", model, "--data", pictures, "--json", "-", cwd=folder)
    assert judged.returncode == 0
    assert json.loads(judged.stdout)["top1"] == 100


def test_tflite_runtime_does_where_litert_is_missing(
    wheel: Path,
    tmp_path: Path,
    colour_model: Callable[..., Path],  # noqa: F811
    colour_folder: Path,  # noqa: F811
) -> None:
    """As on a 32-bit Raspberry Pi, where LiteRT has no wheel."""
    commands = install(python_of("3.11"), tmp_path / "venv", f"{wheel}[tflite-runtime]")
    assert installed(commands)["numpy"].startswith("1.")
    assert quiet(commands / "pip", "uninstall", "-y", "ai-edge-litert").returncode == 0
    which = "from edge_effnet.runtime.interpreter import load_runtime as r; print(r().name)"
    told = quiet(commands / "python", "-c", which, cwd=tmp_path)
    assert told.stdout.strip() == "tflite-runtime"
    assert_runs(commands / "edge-effnet", colour_model(), colour_folder, tmp_path)
