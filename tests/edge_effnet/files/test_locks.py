"""Of two processes with one file or one run, the second is refused; a killed one holds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.errors import OutputError
from edge_effnet.files.locks import locked, locked_run
from edge_effnet.files.write import write_atomically
from tests.edge_effnet.files.processes import another

HOLD = """
import sys, time
from pathlib import Path
from edge_effnet.files.locks import locked, locked_run
from edge_effnet.files.write import write_atomically

path = Path(sys.argv[1])
with locked_run(path) if path.is_dir() else locked(path):
    for text in sys.argv[2:]:
        write_atomically(path, text.encode())
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("is_run", [False, True])
def test_the_second_process_is_refused_until_the_first_has_ended(
    is_run: bool, tmp_path: Path
) -> None:
    path = tmp_path / "it"
    if is_run:
        path.mkdir()
    with another(HOLD, path) as first:
        refusal = rf"it is being written by another process; found process {first.pid}; to fix"
        with pytest.raises(OutputError, match=refusal), locked(path):
            pass
    with locked(path):  # nobody told the lock that its owner was killed
        pass
    assert list(tmp_path.rglob("*")) == ([path] if is_run else [])


def test_a_lock_is_held_by_one_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "new"
    with (
        locked_run(folder),
        pytest.raises(OutputError, match="another process"),
        locked_run(folder),
    ):
        pass
    assert not folder.exists()  # nothing was written into it


def test_folders_are_made_for_as_long_as_nothing_is_in_them(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    with locked(path):
        assert path.parent.is_dir()
    assert list(tmp_path.iterdir()) == []
    with locked(path):
        write_atomically(path, b"it")
    assert path.read_bytes() == b"it"


def test_a_file_on_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        for path in (tmp_path / name / "it", tmp_path / name / "below" / "it"):
            with pytest.raises(OutputError, match="where a folder belongs"), locked(path):
                pass


def test_a_run_whose_output_nobody_reads_is_said_to_be_unfinished(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="run is not finished"), locked_run(tmp_path / "run"):
        raise BrokenPipeError


def test_what_a_killed_process_wrote_is_written_again_unasked(tmp_path: Path) -> None:
    """A command with several files, killed between them, is run again as it was typed."""
    path = tmp_path / "first-of-two"
    with another(HOLD, path, "half of the work"):
        pass
    with pytest.raises(OutputError, match="already exists"):  # without a lock it is anybody's
        write_atomically(path, b"other")
    with locked(path):
        write_atomically(path, b"again")
    with locked(path), pytest.raises(OutputError, match="already exists"):
        write_atomically(path, b"once more")
    assert path.read_text() == "again"


def test_what_somebody_wrote_there_since_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with another(HOLD, path, "half of the work"):
        pass
    path.write_text("mine")
    with locked(path), pytest.raises(OutputError, match="already exists"):
        write_atomically(path, b"again")
    assert path.read_text() == "mine"


def test_a_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("mine")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / ".edge-effnet-lock").symlink_to(mine)
    with pytest.raises(OutputError, match="cannot be written"), locked_run(folder):
        pass
    assert mine.read_text() == "mine"
