"""On a full disk a command fails, old files stay, and lines end while there is room."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel

PAGE = 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of three pages: a lock takes one, and one is taken."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={3 * PAGE}", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount a small disk")
    (disk / "taken").write_bytes(bytes(PAGE))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_result_that_does_not_fit_leaves_the_old_one(
    small_disk: Path, colour_model: MakeModel, colour_folder: Path, cli: Cli
) -> None:
    (small_disk / "result.json").write_text('"old"')
    code, _, error = cli(
        *("evaluate", colour_model(), "--data", colour_folder),
        *("--json", small_disk / "result.json", "--force"),
    )
    assert code == 1
    assert "result.json cannot be written; found No space left on device; " in error
    assert (small_disk / "result.json").read_text() == '"old"'
    assert {path.name for path in small_disk.iterdir()} == {"result.json", "taken"}


def test_lines_end_before_the_disk_has_less_than_the_floor(
    small_disk: Path, colour_model: MakeModel, colour_folder: Path, cli: Cli
) -> None:
    larger = ["mount", "-o", f"remount,size={5 * PAGE}", str(small_disk)]
    subprocess.run(larger, check=True)
    path, floor = small_disk / "feed.jsonl", 2 * PAGE
    code, out, error = cli(
        *("camera", "--model", colour_model(), "--source", colour_folder, "--jsonl", path),
        *("--keep-free", floor),
    )
    assert code == 1
    reason = "its disk is nearly full (--keep-free)"
    assert f"feed.jsonl cannot be written any more: {reason}; expected " in error
    assert "30 answered" in out  # the camera went on
    (line,) = path.read_text().splitlines()  # it took a page
    assert json.loads(line)["frame"] == 0
    assert shutil.disk_usage(small_disk).free >= floor
