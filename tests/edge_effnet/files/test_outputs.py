"""All outputs of a command are looked at before one of them is touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.files.outputs import claimed


def claim(
    outputs: dict[str, list[Path]],
    inputs: dict[str, Path] | None = None,
    *,
    overwrite: bool = True,
    shared: Sequence[str] = (),
) -> None:
    with claimed(outputs, inputs or {}, overwrite=overwrite, shared=shared):
        pass


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.json"
    path.write_text("of yesterday")
    return path


def test_one_that_cannot_be_written_keeps_the_others_as_they_are(old: Path, tmp_path: Path) -> None:
    second = tmp_path / "folder"
    second.mkdir()
    with pytest.raises(OutputError, match="folder is a folder"):
        claim({"--json": [old], "--plot": [second]})
    assert old.read_text() == "of yesterday"
    assert set(tmp_path.iterdir()) == {old, second}


@pytest.mark.parametrize("how", ["same", "dots", "link", "hard link"])
def test_two_outputs_that_are_one_file(how: str, old: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    if how == "same":
        other = old
    elif how == "dots":
        other = tmp_path / "x" / ".." / old.name
    elif how == "link":
        other.symlink_to(old)
    else:
        other.hardlink_to(old)
    with pytest.raises(UsageProblem, match=r"two outputs are the same file.*--json and --jsonl"):
        claim({"--json": [old], "--jsonl": [other]})


def test_an_output_is_no_input(old: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(old)
    for path in (old, link):
        with pytest.raises(UsageProblem, match="--json would replace what the command reads"):
            claim({"--json": [path]}, {"--labels": old})


def test_without_force_what_exists_is_refused(old: Path, tmp_path: Path) -> None:
    outputs = {"--json": [tmp_path / "new" / "file.json"], "--plot": [old]}
    with pytest.raises(OutputError, match=r"old\.json already exists"):
        claim(outputs, overwrite=False)
    claim(outputs, overwrite=False, shared=["--plot"])  # which is added to


def test_a_second_process_is_refused(old: Path) -> None:
    with (
        claimed({"--json": [old]}, {}, overwrite=True),
        pytest.raises(OutputError, match="is being written by another process"),
    ):
        claim({"--out": [old]})
    claim({"--out": [old]})
    assert list(old.parent.iterdir()) == [old]
