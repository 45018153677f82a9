"""What is installed on a Pi: files with known hashes, in the versions that are tested here."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from benchmarks.devices.pi.board import Board
from benchmarks.devices.pi.needs import needs
from benchmarks.devices.pi.package import build_agent, build_package, requirements

Ask = Callable[[str], dict[str, Any]]
CONSTRAINTS = Path(__file__).parents[3] / "constraints.txt"
HASH = r" --hash=sha256:[0-9a-f]{64}"


def board(bits: int, python: str = "3.11.2") -> Board:
    about = {"bits": bits, "python": python}
    address = SimpleNamespace(host="board")
    return cast(Board, SimpleNamespace(about=about, address=address))


def pinned(bits: int, *, camera: bool = False) -> dict[str, str]:
    """Name: version of each file that may be installed; every line must have hashes."""
    text = needs(board(bits), camera=camera)["pinned"]
    lines = re.sub(r" \\\n +", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines()
    found = [re.fullmatch(rf"([a-z0-9-]+)==([0-9.]+)(?:{HASH})+", line) for line in lines]
    return {one[1]: one[2] for one in found if one is not None} if all(found) else {}


@pytest.mark.parametrize("bits", [32, 64])
def test_versions_are_those_of_the_tests_and_have_hashes(bits: int) -> None:
    tested = dict(line.split("==") for line in CONSTRAINTS.read_text().splitlines() if "==" in line)
    tested = {re.sub("[-_.]+", "-", name).lower(): version for name, version in tested.items()}
    found = pinned(bits)
    assert len(found) >= 9
    other = {name: version for name, version in found.items() if tested.get(name) != version}
    assert other == ({"tflite-runtime": "2.14.0"} if bits == 32 else {})
    from_apt = {"numpy", "opencv-python-headless", "ai-edge-litert"} if bits == 32 else set()
    assert set(requirements()) - from_apt <= set(found)


def test_beside_the_picamera2_of_bookworm_is_the_numpy_it_was_built_for() -> None:
    """Where a camera is to run; a measurement has an environment of its own."""
    old, new = pinned(64, camera=True), pinned(64)
    assert set(old) == set(new)
    assert {name: version for name, version in old.items() if version != new[name]} == {
        "ml-dtypes": "0.5.4",
        "numpy": "1.26.4",
        "opencv-python-headless": "4.11.0.86",
    }
    assert needs(board(64, "3.13.5"), camera=True) == needs(board(64))  # Trixie


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Have the agent build an environment with the package ``things``, from a requirements file;
    pip's index is a folder."""
    index, cache = tmp_path / "index", tmp_path / "cache"
    (cache / "files").mkdir(parents=True)
    index.mkdir()
    write_wheel(index / "things-1.0-py3-none-any.whl")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    archive, package = cache / "agent.pyz", build_package()
    archive.write_bytes(build_agent())
    key = hashlib.sha256(package).hexdigest()
    (cache / "files" / key).write_bytes(package)

    def environment(requirements: str) -> dict[str, Any]:
        request = {"version": "1", "package": key, "modules": {"things": "things"}, "from_apt": {}}
        done = subprocess.run(
            [sys.executable, "-IS", archive, "environment"],
            input=json.dumps({**request, "wheels": {}, "pinned": requirements}),
            capture_output=True,
            text=True,
            check=False,
        )
        return dict(json.loads(done.stdout.splitlines()[-1]))

    return environment


def write_wheel(path: Path) -> None:
    about = "things-1.0.dist-info"
    files = {
        "things.py": "WHAT = 'things'\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: things\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        digests = [
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b'=').decode()},"
            for name, text in files.items()
        ]
        wheel.writestr(f"{about}/RECORD", "\n".join([*digests, f"{about}/RECORD,,"]))


def test_a_file_with_its_hash_is_installed(ask: Ask, tmp_path: Path) -> None:
    digest = hashlib.sha256(next((tmp_path / "index").iterdir()).read_bytes()).hexdigest()
    python = ask(f"things==1.0 \\\n    --hash=sha256:{digest}\n")["answer"]["python"]
    assert Path(python).is_relative_to(tmp_path / "cache")
    told = subprocess.run([python, "-c", "import things; print(things.WHAT)"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert told.stdout == "things\n"


def test_a_file_with_another_hash_is_refused(ask: Ask) -> None:
    refused = ask(f"things==1.0 \\\n    --hash=sha256:{'0' * 64}\n")["error"]
    assert "DO NOT MATCH THE HASHES" in refused["found"]
    assert "things==1.0" in refused["found"]
    assert os.linesep not in refused["found"]
    assert refused["fix"] == "look at the index that pip uses on the Pi: pip config list"


def test_without_internet_the_hint_is_about_nothing_else(ask: Ask) -> None:
    refused = ask(f"nowhere==1.0 \\\n    --hash=sha256:{'0' * 64}\n")["error"]
    assert "No matching distribution found" in refused["found"]
    assert refused["fix"].startswith("connect the Pi to the internet, or give the packages")
    assert "hash" not in refused["fix"]
