"""Videos and folders of images as sources, whole and damaged."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.sources.base import CapturedFrame, FrameSource, SourceEnded
from edge_effnet.camera.sources.kinds import open_source
from edge_effnet.errors import DataError
from tests.edge_effnet.camera.conftest import MakeClip, plain
from tests.edge_effnet.conftest import write_image


def all_of(source: FrameSource) -> list[CapturedFrame | None]:
    frames = []
    try:
        while True:
            frames.append(source.read())
    except SourceEnded:
        source.close()
        return frames


def test_a_video_file(clip: MakeClip) -> None:
    path = clip(["red"] * 5 + ["blue"] * 5, fps=20)
    source = open_source(str(path))
    assert (source.live, source.fps, source.name) == (False, 20.0, "clip.mp4")
    source.skip()
    frames = all_of(source)
    assert len(frames) == 9
    assert frames[0] is not None
    assert frames[-1] is not None
    assert frames[0].pixels.shape == (48, 64, 3)
    assert frames[0].pixels.mean(axis=(0, 1)).argmax() == 0  # RGB, not BGR
    assert frames[-1].pixels.mean(axis=(0, 1)).argmax() == 2


def test_images_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name, colour in (("b/2.png", "blue"), ("a/1.png", "red"), ("a/3.png", "green")):
        write_image(tmp_path / "set" / name, plain(colour))
    (tmp_path / "set/a/0.jpg").write_text("no image")
    frames = all_of(open_source(str(tmp_path / "set")))
    assert frames[0] is None
    assert [frame.path.name for frame in frames[1:] if frame and frame.path] == [
        *("1.png", "3.png", "2.png")
    ]
    one = all_of(open_source(str(tmp_path / "set/b/2.png")))
    assert len(one) == 1


def test_garbage_for_a_video(tmp_path: Path) -> None:
    path = tmp_path / "noise.mp4"
    path.write_bytes(np.random.default_rng(3).bytes(50_000))
    with pytest.raises(DataError, match="no video that can be read"):
        open_source(str(path))


def test_a_video_whose_name_is_not_utf_8(clip: MakeClip, tmp_path: Path) -> None:
    """OpenCV would end the process."""
    path = clip(["red"])
    odd = path.rename(tmp_path / os.fsdecode(b"clip\xff.mp4"))
    with pytest.raises(DataError, match="not UTF-8; to fix: rename it"):
        open_source(str(odd))


def test_a_file_whose_name_reads_as_a_protocol(
    clip: MakeClip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip(["red"]).rename(tmp_path / "pipe:0")
    monkeypatch.chdir(tmp_path)
    assert len(all_of(open_source("pipe:0"))) == 1


def test_a_cut_off_video_is_refused_or_ends_early(clip: MakeClip) -> None:
    path = clip(["red"] * 30)
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(DataError, match="no video that can be read"):
        open_source(str(path))  # an MP4 keeps its index at its end
    path = clip(["red", "blue"] * 200, name="clip.avi")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 0 < len(all_of(open_source(str(path)))) < 400
