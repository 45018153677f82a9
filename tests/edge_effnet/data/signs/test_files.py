"""Signs as a folder of images and as a clip with its truth."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_effnet.data.division.split import leakage
from edge_effnet.data.listing import load_dataset
from edge_effnet.data.signs import clip, folder
from edge_effnet.data.signs.clip import truth_path, write_clip
from edge_effnet.data.signs.folder import NOTE, write_folder
from edge_effnet.data.signs.render import render_sample
from edge_effnet.data.signs.table import BACKGROUND, LABELS
from edge_effnet.data.signs.video import MIN_INSIDE, VIEW_SHARE, clip_frames, inside_view
from edge_effnet.errors import OutputError, UsageProblem
from edge_effnet.image.reading import read_image

COUNT = 40
SMALL = (96, 64)


def _contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_a_folder_is_balanced_and_reads_as_a_data_set(tmp_path: Path) -> None:
    done: list[int] = []
    counts = write_folder(tmp_path / "signs", COUNT, size=48, seed=0, on_progress=done.append)
    assert sum(counts.values()) == COUNT
    assert max(counts.values()) - min(counts.values()) <= 1
    assert done == list(range(1, COUNT + 1))
    dataset = load_dataset(tmp_path / "signs")
    assert dataset.labels == LABELS
    assert dataset.class_counts == counts
    assert all(read_image(sample.path).shape == (48, 48, 3) for sample in dataset.samples[::9])
    note = json.loads((tmp_path / "signs" / NOTE).read_text())
    assert (note["count"], note["size"], note["seed"], note["split"]) == (COUNT, 48, 0, "train")
    assert [entry.name for entry in tmp_path.iterdir()] == ["signs"]


def test_two_runs_write_the_same_bytes_and_other_seeds_and_splits_others(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_folder(tmp_path / name, 16, size=32, seed=5)
    assert _contents(tmp_path / "one") == _contents(tmp_path / "two")
    write_folder(tmp_path / "seed", 16, size=32, seed=6)
    write_folder(tmp_path / "val", 16, size=32, seed=5, split="val")
    train = load_dataset(tmp_path / "one")
    for other in ("seed", "val"):
        assert not leakage(train, load_dataset(tmp_path / other))


def test_png_keeps_the_pixels(tmp_path: Path) -> None:
    write_folder(tmp_path / "signs", 16, size=32, seed=1, suffix="png")
    path = tmp_path / "signs" / LABELS[4] / "00004.png"
    np.testing.assert_array_equal(read_image(path), render_sample(4, 1, 32)[0])


def test_a_full_folder_is_refused_and_force_replaces_only_our_own(tmp_path: Path) -> None:
    target = tmp_path / "signs"
    target.mkdir()
    write_folder(target, 16, size=32, seed=0)  # an empty folder is free
    before = _contents(target)
    with pytest.raises(OutputError, match="not empty"):
        write_folder(target, 16, size=32, seed=1)
    assert _contents(target) == before
    write_folder(target, 16, size=32, seed=1, overwrite=True)
    assert _contents(target).keys() == before.keys()
    assert _contents(target) != before
    (target / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"left alone.*thesis\.txt"):
        write_folder(target, 16, size=32, seed=2, overwrite=True)
    assert (target / "thesis.txt").exists()
    photos = tmp_path / "photos"
    (photos / "stop").mkdir(parents=True)
    with pytest.raises(OutputError, match=f"no {NOTE}"):
        write_folder(photos, 16, size=32, seed=2, overwrite=True)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(OutputError, match="not a folder"):
        write_folder(file, 16, size=32, seed=2)
    assert {entry.name for entry in tmp_path.iterdir()} == {"signs", "photos", "file"}


def test_too_few_pictures_and_bad_sizes_touch_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="at least 16"):
        write_folder(tmp_path / "signs", len(LABELS) - 1, size=32, seed=0)
    with pytest.raises(UsageProblem, match="8 px"):
        write_folder(tmp_path / "signs", 16, size=8, seed=0)
    assert not list(tmp_path.iterdir())


def test_a_disk_that_fills_up_leaves_the_old_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "signs"
    write_folder(target, 16, size=32, seed=0)
    before = _contents(target)

    def full(*_: object, **__: object) -> dict[str, int]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folder, "_fill", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_folder(target, 16, size=32, seed=1, overwrite=True)
    assert _contents(target) == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["signs"]


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_folder(tmp_path / "new" / "signs", 16, size=32, seed=0, on_progress=stop)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_place_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"):
        write_folder(tmp_path / "signs", 16, size=32, seed=0)


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_clip_reads_back_with_a_line_of_truth_per_frame(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    truths = write_clip(path, seconds=3, fps=8, size=SMALL, seed=2)
    with truth_path(path).open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert list(rows[0]) == ["frame", "label", "x0", "y0", "x1", "y1"]
    assert [int(row["frame"]) for row in rows] == list(range(24))
    assert len(truths) == 24
    reader = cv2.VideoCapture(str(path))
    frames = []
    while (answer := reader.read())[0]:
        frames.append(answer[1])
    reader.release()
    assert len(frames) == 24
    assert frames[0].shape == (SMALL[1], SMALL[0], 3)
    # Red and blue are not exchanged on the way to the file.
    drawn = next(clip_frames(24, 8, *SMALL, 2))[0]
    assert np.abs(drawn.mean(axis=(0, 1)) - frames[0].mean(axis=(0, 1))[::-1]).max() < 6
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, "clip.csv"}


def test_a_clip_is_the_same_again_and_shows_signs_and_none() -> None:
    first, again, other = (list(clip_frames(90, 6, *SMALL, seed)) for seed in (0, 0, 1))
    assert all((a[0] == b[0]).all() and a[1] == b[1] for a, b in zip(first, again, strict=True))
    assert any((a[0] != b[0]).any() for a, b in zip(first, other, strict=True))
    labels = Counter(truth.label for _, truth in first)
    assert len(labels) > 5
    assert 0.1 < labels[BACKGROUND] / 90 < 0.6


def test_a_clip_starts_alike_whatever_its_rate() -> None:
    slow = [truth for _, truth in clip_frames(8, 4, *SMALL, 3)]
    fast = [truth for _, truth in clip_frames(16, 8, *SMALL, 3)][::2]
    assert [truth.label for truth in slow] == [truth.label for truth in fast]


def test_truth_follows_what_the_classifier_sees() -> None:
    for _, truth in clip_frames(120, 6, 160, 120, 4):
        if truth.box is None:
            assert truth.label == BACKGROUND
            continue
        x0, y0, x1, y1 = truth.box
        left, top = 80 - VIEW_SHARE * 60, 60 - VIEW_SHARE * 60
        assert x1 > left
        assert y1 > top
        assert x0 < 160 - left
        assert y0 < 120 - top
        if truth.label != BACKGROUND:
            assert max(x1 - x0, y1 - y0) >= 0.25 * VIEW_SHARE * 120
            assert abs((x0 + x1) / 2 - 80) < VIEW_SHARE * 60
            assert abs((y0 + y1) / 2 - 60) < VIEW_SHARE * 60


def test_share_inside_the_view() -> None:
    square = np.array([[40.0, 40], [60, 40], [60, 60], [40, 60]])
    share, box = inside_view(square, 110, 100)  # the view spans 10…100 across
    assert share == pytest.approx(1)
    assert box == (40, 40, 60, 60)
    assert inside_view(square - np.array([40, 0]), 110, 100)[0] == pytest.approx(0.5)
    assert inside_view(square - np.array([80, 0]), 110, 100)[0] == 0
    assert MIN_INSIDE > 0.5


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("clip.gif", {}, ".mp4 or .avi"),
        ("clip", {}, "no suffix"),
        ("clip.mp4", {"size": (63, 64)}, "63x64"),
        ("clip.mp4", {"size": (640, 481)}, "even numbers"),
        ("clip.mp4", {"seconds": 0}, "at least one frame"),
        ("clip.mp4", {"fps": float("nan")}, "at least one frame"),
        ("clip.mp4", {"seed": -1}, "seed -1"),
    ],
)
def test_bad_clips_are_told(
    tmp_path: Path, name: str, change: dict[str, object], words: str
) -> None:
    settings = {"seconds": 1, "fps": 4, "size": SMALL, "seed": 0} | change
    with pytest.raises(UsageProblem, match=words):
        write_clip(tmp_path / name, **settings)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_a_clip_replaces_neither_video_nor_truth_unasked(tmp_path: Path) -> None:
    (tmp_path / "clip.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"clip\.csv already exists"):
        write_clip(tmp_path / "clip.mp4", seconds=1, fps=4, size=SMALL, seed=0)
    write_clip(tmp_path / "clip.mp4", seconds=1, fps=4, size=SMALL, seed=0, overwrite=True)
    assert (tmp_path / "clip.csv").read_text().startswith("frame,")


def test_a_missing_codec_names_the_other_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cv2.VideoWriter, "isOpened", lambda _: False)
    with pytest.raises(OutputError, match=r"no mp4v encoder.*clip\.avi"):
        write_clip(tmp_path / "clip.mp4", seconds=1, fps=4, size=SMALL, seed=0)
    assert not list(tmp_path.iterdir())


def test_a_video_that_came_out_short_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = clip._encode

    def short(temporary: Path, path: Path, frames: int, *rest: object) -> object:
        return encode(temporary, path, frames - 1, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(clip, "_encode", short)
    with pytest.raises(OutputError, match="read back"):
        write_clip(tmp_path / "clip.mp4", seconds=1, fps=4, size=SMALL, seed=0)
    assert not list(tmp_path.iterdir())
