"""Temporary files and folders: removed by their owner, or after its death by whoever comes next."""

from __future__ import annotations

from pathlib import Path

from edge_effnet.files import scratch
from edge_effnet.files.scratch import PartFile, scratch_folder, sweep
from tests.edge_effnet.files.processes import another

LEAVE = """
import sys, time
from pathlib import Path
from edge_effnet.files.locks import locked
from edge_effnet.files.scratch import PartFile, scratch_folder

place = Path(sys.argv[1])
part = PartFile(place)
part.write(b"half")
with scratch_folder(place) as folder, locked(place / "result"):
    (folder / "model").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_is_swept_and_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / ".edge-effnet-notes"
    mine.write_text("of a user")
    link = tmp_path / ".edge-effnet-part-0123456789abcdef"
    link.symlink_to(mine)
    with another(LEAVE, tmp_path):
        kept = set(tmp_path.iterdir())
        assert len(kept) == 5
        sweep(tmp_path)
        assert set(tmp_path.iterdir()) == kept  # it is alive
        scratch._swept.clear()  # a process looks once; this stands for the next one
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {mine, link}
    assert mine.read_text() == "of a user"


def test_a_part_has_a_name_of_its_own_and_is_private_to_its_owner(tmp_path: Path) -> None:
    parts = [PartFile(tmp_path) for _ in range(3)]
    assert len({part.path for part in parts}) == 3
    for part in parts:
        part.end()
    assert list(tmp_path.iterdir()) == []


def test_a_scratch_folder_is_private_and_gone_with_its_content(tmp_path: Path) -> None:
    with scratch_folder(tmp_path) as folder:
        (folder / "file").touch()
        assert folder.stat().st_mode & 0o777 == 0o700
    with scratch_folder() as elsewhere:
        assert elsewhere.parent != tmp_path
    assert list(tmp_path.iterdir()) == []
    assert not elsewhere.exists()
