"""Nothing is ever half-written, and nothing is replaced unasked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_effnet.errors import OutputError
from edge_effnet.files.write import write_atomically


def test_folders_are_made_and_the_umask_counts(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "file.json"
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
    plain = tmp_path / "plain"
    plain.write_text("")
    assert path.stat().st_mode == plain.stat().st_mode
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stays_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("mine")
    with pytest.raises(OutputError, match=r"file\.json already exists; expected a free name"):
        write_atomically(path, b"yours")
    assert path.read_text() == "mine"
    write_atomically(path, b"yours", overwrite=True)
    assert path.read_text() == "yours"


def test_only_files_are_replaced(tmp_path: Path) -> None:
    """As root, renaming onto /dev/null would replace the device."""
    os.mkfifo(pipe := tmp_path / "pipe")
    for path, found in ((tmp_path, "a folder"), (Path("/dev/null"), "a device"), (pipe, "a pipe")):
        with pytest.raises(OutputError, match=f"could be replaced; found {found}"):
            write_atomically(path, b"", overwrite=True)
    assert Path("/dev/null").is_char_device()


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "below", tmp_path / ("x" * 300), Path("/proc/nothing/here")):
        with pytest.raises(OutputError, match="cannot be written"):
            write_atomically(path, b"content", overwrite=True)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_the_longest_name_works(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".json")  # 255 bytes
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from edge_effnet.errors import OutputError
from edge_effnet.files.write import write_atomically

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"new" * 1000, overwrite=True)
except OutputError as error:
    print(error)
"""


def test_a_full_disk_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True
    )
    assert "file.json cannot be written; found File too large" in done.stdout
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
