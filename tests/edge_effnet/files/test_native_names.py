"""Names that OpenCV and FFmpeg can open, and those that would end the process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_effnet.camera.outputs.record import refuse_recording
from edge_effnet.data.signs.clip import write_clip
from edge_effnet.errors import DataError, OutputError
from edge_effnet.files.native_names import native_name

ODD = os.fsdecode(b"caf\xe9")


def test_a_name_is_absolute_and_no_protocol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert native_name(Path("pipe:0"), DataError) == f"{tmp_path}/pipe:0"
    assert native_name(tmp_path / "übergang", DataError) == f"{tmp_path}/übergang"


def test_a_name_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(DataError, match=r"caf\\xe9.* not UTF-8; to fix: rename it"):
        native_name(Path(ODD), DataError)


def test_videos_are_not_begun_in_a_folder_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / ODD
    folder.mkdir()
    with pytest.raises(OutputError, match="not UTF-8"):
        refuse_recording(folder / "out.mp4")
    with pytest.raises(OutputError, match="not UTF-8"):
        write_clip(folder / "clip.mp4", seconds=1, fps=5, size=(64, 64), seed=1)
    assert list(folder.iterdir()) == []
