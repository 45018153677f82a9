"""On a full disk a command fails, old files stay, and a log ends with its last whole line."""

from __future__ import annotations

import json
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


def test_lines_that_do_not_fit_end_the_command_with_1(
    small_disk: Path, colour_model: MakeModel, colour_folder: Path, cli: Cli
) -> None:
    path = small_disk / "feed.jsonl"
    code, out, error = cli(
        "camera", "--model", colour_model(), "--source", colour_folder, "--jsonl", path
    )
    assert code == 1
    assert "feed.jsonl cannot be written any more: No space left on device; expected " in error
    assert "30 answered" in out  # the camera went on
    text = path.read_text()
    assert text.endswith("}\n")
    assert all(json.loads(line)["frame"] for line in text.splitlines()[1:])
    assert len(text) > PAGE / 2
