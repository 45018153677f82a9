"""The packages as they are released, and the base install in a fresh environment: what a device
gets, from the wheel.

Slow: each environment downloads and installs about 100 MB.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_effnet import __version__
from edge_effnet.data.demo import demo_model
from edge_effnet.image.reading import read_image
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.conftest import colour_folder, colour_model  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[1]
STUDIES = "benchmarks/studies/"  # for those who have a checkout
VERSIONS = ("3.11", "3.12", "3.13")
CURRENT = f"{sys.version_info.major}.{sys.version_info.minor}"
# In no base install.
HEAVY = {
    *("tensorflow", "keras", "h5py", "litert-quantizer", "scipy", "scikit-learn"),
    *("matplotlib", "jinja2", "pooch", "mkdocs-material", "paho-mqtt"),
}
# On 32-bit Raspberry Pi OS these come from apt, or have wheels of their own there.
NATIVE = {"numpy", "opencv-python-headless", "ai-edge-litert"}
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
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    made = quiet(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    if made.returncode and "Could not find a version" in made.stdout + made.stderr:
        pytest.skip("the build backend cannot be downloaded")
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(packages: Path) -> Path:
    return next(packages.glob("*.whl"))


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


def test_the_packages_are_fit_for_an_index(packages: Path) -> None:
    files = sorted(packages.iterdir())
    assert [path.name for path in files] == [
        f"edge_effnet-{__version__}-py3-none-any.whl",
        f"edge_effnet-{__version__}.tar.gz",
    ]
    checked = quiet(sys.executable, "-m", "twine", "check", "--strict", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as pack:
        names = pack.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "edge_effnet", "converters", "benchmarks"
    }  # fmt: skip
    kept = quiet("git", "ls-files", "edge_effnet", "converters", "benchmarks", cwd=ROOT).stdout
    for needed in {"edge_effnet/py.typed", "benchmarks/report/templates/page.html"} | {
        *(name for name in kept.splitlines() if not name.startswith(STUDIES))
    }:
        assert needed in names
    assert not [name for name in names if name.startswith(STUDIES)]


def test_the_sdist_holds_what_it_takes_to_test_and_document(packages: Path) -> None:
    with tarfile.open(next(packages.glob("*.tar.gz"))) as pack:
        names = {name.partition("/")[2] for name in pack.getnames()}
    assert names >= {
        "README.md",
        "CHANGELOG.md",
        "LICENSE",
        "NOTICE",
        "Makefile",
        "constraints.txt",
    }
    assert names >= {"mkdocs.yml", "docs/index.md", "tests/test_docs.py"}
    assert not {name for name in names if name.startswith((".ci", ".github", "build/", "out/"))}


def test_the_changelog_tells_of_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", text, re.MULTILINE)
    assert released[0] == __version__


@pytest.mark.parametrize("version", ["3.11", "3.13"])
def test_a_32_bit_raspberry_pi_compiles_nothing(version: str, tmp_path: Path) -> None:
    """What the base install needs beside the packages of apt has wheels of pure Python."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[<>=;]", needed)[0].strip() for needed in project["dependencies"]]
    report = tmp_path / "report.json"
    done = quiet(
        *(sys.executable, "-m", "pip", "install", "--dry-run", "--quiet", "--report", report),
        *("--target", tmp_path / "target", "--platform", "linux_armv7l", "--implementation", "cp"),
        *("--python-version", version, "--only-binary=:all:", "--ignore-installed"),
        *(name for name in names if name not in NATIVE),
    )
    if done.returncode and "No matching distribution found for click" in done.stderr:
        pytest.skip("there is no package index")
    assert done.returncode == 0, done.stderr
    files = [entry["download_info"]["url"] for entry in json.loads(report.read_text())["install"]]
    assert len(files) >= len(names) - len(NATIVE)
    assert [url for url in files if not url.endswith("-none-any.whl")] == []


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
    assert_teaches(effnet, model, colour_folder, tmp_path)
    timed = ("--seconds", "0.05", "--json", "result.json")
    assert quiet(effnet, "bench", model, *timed, cwd=tmp_path).returncode == 0
    for asked, extra in (
        (("convert", "--variant", "b0", "--int8"), "train"),
        (("report", "result.json"), "report"),
    ):
        told = quiet(effnet, *asked, cwd=tmp_path)
        assert told.returncode == 1
        assert f"pip install 'edge-effnet[{extra}]'" in told.stderr
        assert len(told.stderr.splitlines()) == 1


def assert_runs(effnet: Path, model: Path, pictures: Path, folder: Path) -> None:
    seen = quiet(effnet, "classify", model, pictures / "blue" / "0.png", "--json", "-", cwd=folder)
    assert (seen.returncode, seen.stderr) == (0, "")
    assert json.loads(seen.stdout)["images"][0]["answers"][0]["label"] == "blue"
    judged = quiet(effnet, "evaluate", model, "--data", pictures, "--json", "-", cwd=folder)
    assert judged.returncode == 0
    assert json.loads(judged.stdout)["top1"] == 100


def assert_teaches(effnet: Path, base: Path, pictures: Path, folder: Path) -> None:
    """A file is taught there, and its scores there are those of LiteRT here."""
    taught = quiet(effnet, "teach", pictures, "--base", base, "--out", "mine.tflite", cwd=folder)
    assert (taught.returncode, "written to mine.tflite" in taught.stdout) == (0, True), taught
    judged = quiet(effnet, "evaluate", "mine.tflite", "--data", pictures, "--json", "-", cwd=folder)
    assert json.loads(judged.stdout)["top1"] == 100
    for colour in ("red", "green", "blue"):
        image = pictures / colour / "0.png"
        there = quiet(effnet, "classify", "mine.tflite", image, "--json", "-", cwd=folder)
        (answered,) = json.loads(there.stdout)["images"]
        here = open_classifier(folder / "mine.tflite")
        scores = here.scores(read_image(image))
        for answer in answered["answers"]:
            expected = scores[here.labels.index(answer["label"])]
            assert answer["score"] == pytest.approx(float(expected), abs=1e-5)


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
    said = quiet(commands / "edge-effnet", "doctor", demo_model(), "--json", "-", cwd=tmp_path)
    document = json.loads(said.stdout)["model"]
    assert document["delegation"]["delegated"] == 0
    assert "int8-slow" in {finding["code"] for finding in document["findings"]}
    effnet, model = commands / "edge-effnet", colour_model()
    assert_runs(effnet, model, colour_folder, tmp_path)
    assert_teaches(effnet, model, colour_folder, tmp_path)
