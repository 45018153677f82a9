"""A file takes another's place, and the other stays."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from edge_effnet.errors import OutputError
from edge_effnet.files.exchange import newest_before, replace_keeping


def test_the_old_file_stays_beside_the_new_one(tmp_path: Path) -> None:
    path, new = tmp_path / "mine.tflite", tmp_path / "part"
    path.write_text("old")
    new.write_text("new")
    (kept,) = replace_keeping([(path, new)])
    assert (path.read_text(), kept.read_text(), new.exists()) == ("new", "old", False)
    assert kept.name.startswith("mine.before-")
    assert newest_before(path) == kept


def test_back_and_forth(tmp_path: Path) -> None:
    path, new = tmp_path / "mine.tflite", tmp_path / "part"
    path.write_text("old")
    new.write_text("new")
    replace_keeping([(path, new)])
    for expected in ("old", "new", "old"):  # within one second too
        before = newest_before(path)
        assert before is not None
        replace_keeping([(path, before)])
        assert path.read_text() == expected


def test_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", refuse)  # as FAT does
    path, new = tmp_path / "mine.tflite", tmp_path / "part"
    path.write_text("old")
    new.write_text("new")
    (kept,) = replace_keeping([(path, new)])
    assert (path.read_text(), kept.read_text()) == ("new", "old")
    assert {one.name for one in tmp_path.iterdir()} == {path.name, kept.name}


def test_what_cannot_be_done_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mine.tflite"
    path.write_text("old")
    with pytest.raises(OutputError):
        replace_keeping([(path, tmp_path / "missing")])
    assert path.read_text() == "old"


def test_files_of_other_names_are_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "mine2.before-20261129-101500.tflite").write_text("another's")
    (tmp_path / "[ab].before-20261129-101500.tflite").write_text("its own")
    assert newest_before(tmp_path / "mine.tflite") is None
    assert newest_before(tmp_path / "a.tflite") is None
    assert newest_before(tmp_path / "[ab].tflite") is not None


def test_files_that_belong_together_are_replaced_together_or_not_at_all(tmp_path: Path) -> None:
    model, reference, new = tmp_path / "mine.tflite", tmp_path / "float.tflite", tmp_path / "new"
    model.write_text("old")
    reference.mkdir()  # which no file can take the place of
    new.write_text("new")
    with pytest.raises(OutputError):
        replace_keeping([(model, new), (reference, new)])
    assert model.read_text() == "old"
    assert {one.name for one in tmp_path.iterdir()} == {"mine.tflite", "float.tflite", "new"}


def test_a_new_file_of_another_disk(tmp_path: Path) -> None:
    other = Path("/dev/shm")  # noqa: S108 (a disk of its own on Linux)
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second disk here")
    path = tmp_path / "mine.tflite"
    path.write_text("old")
    with tempfile.TemporaryDirectory(dir=other) as folder:
        new = Path(folder) / "new"
        new.write_text("new")
        replace_keeping([(path, new)])
    assert path.read_text() == "new"
