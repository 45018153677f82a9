"""What is really in a frame: from a CSV or the folder's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.camera.evaluation.ground_truth import read_ground_truth
from edge_effnet.camera.frames import Frame
from edge_effnet.errors import DataError
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera import conftest

LABELS = ("stop", "turn left", "go")


ONE_OF_THREE = Head("softmax", 3)


def frame_at(position: int, path: Path | None = None) -> Frame:
    return Frame(conftest.plain("red", 4, 4), position, position, 0.0, 0.0, path)


def test_truth_from_a_csv_of_frames(tmp_path: Path) -> None:
    path = tmp_path / "clip.csv"
    path.write_text("frame,label,x0\n0,stop,1\n1,,\n2,Turn_Left,3\n")
    truth = read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)
    assert [truth(frame_at(position)) for position in range(4)] == [(0,), None, (1,), None]


def test_truth_from_a_csv_of_files(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("file,label\nset/a.png,go\n")
    truth = read_ground_truth(str(path), "set", LABELS, ONE_OF_THREE)
    assert truth(frame_at(0, tmp_path / "set" / "a.png")) == (2,)
    assert truth(frame_at(0, tmp_path / "b.png")) is None


@pytest.mark.parametrize(
    "rows",
    [
        "frame,label\n0,stop|go\n1,(none)\n2,\n3,Turn-Left\n",
        "frame,labels?,stop,turn left,go\n0,,1,0,1\n1,,0,0,0\n2,,,,\n3,,no,yes,0\n",
    ],
)
def test_truth_of_several_labels(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "clip.csv"
    path.write_text(rows)
    truth = read_ground_truth(str(path), "clip.mp4", LABELS, Head("multilabel", 3))
    assert [truth(frame_at(position)) for position in range(4)] == [(0, 2), (), None, (1,)]


def test_truth_of_values(tmp_path: Path) -> None:
    path = tmp_path / "clip.csv"
    path.write_text("frame,value\n0,-1.5\n1,\n")
    truth = read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    assert [truth(frame_at(position)) for position in range(2)] == [-1.5, None]
    path.write_text("frame,value\n0,red\n")
    with pytest.raises(DataError, match="a row without a value"):
        read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    path.write_text("frame,label\n0,red\n")
    with pytest.raises(DataError, match="has no values"):
        read_ground_truth(str(path), "clip.mp4", ("value",), Head("regression", 1))
    with pytest.raises(DataError, match="names a class"):
        read_ground_truth("folder", str(tmp_path), ("value",), Head("regression", 1))


def test_truth_from_the_folders_name(tmp_path: Path) -> None:
    clip = tmp_path / "stop" / "clip.mp4"
    clip.parent.mkdir()
    clip.touch()
    assert read_ground_truth("folder", str(clip), LABELS, ONE_OF_THREE)(frame_at(7)) == (0,)
    for name in ("go/a.png", "go/deep/b.png", "dog/a.png"):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    source = tmp_path / "set"
    truth = read_ground_truth("folder", str(source), LABELS, ONE_OF_THREE)
    assert truth(frame_at(0, source / "go" / "a.png")) == (2,)
    assert truth(frame_at(0, source / "go" / "deep" / "b.png")) == (2,)
    assert truth(frame_at(0, source / "dog" / "a.png")) is None
    with pytest.raises(DataError, match="names no class that the model knows; found 'dog', 'go'"):
        read_ground_truth("folder", str(source), ("red", "green", "blue"), ONE_OF_THREE)


def test_folders_are_never_matched_with_invented_names(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.png").touch()
    with pytest.raises(DataError, match=r"found 2 classes: 1, 2; expected 3.*--labels numbers"):
        read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE)
    assert read_ground_truth("folder", str(tmp_path), ("0", "1", "2"), ONE_OF_THREE)(
        frame_at(0, tmp_path / "2" / "a.png")
    ) == (2,)


def test_a_truth_about_other_images_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "set"
    source.mkdir()
    (source / "a.png").touch()
    path = tmp_path / "truth.csv"
    path.write_text("file,label\nother/a.png,go\n")
    with pytest.raises(DataError, match=r"says nothing of .*set; found 1 file, the first .*other"):
        read_ground_truth(str(path), str(source), LABELS, ONE_OF_THREE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "expected frame"),
        ("", "an empty file"),
        ("frame,text\n0,stop\n", "lacks columns; found frame, text"),
        ("frame,label\n0,\n", "says nothing of any frame"),
        ("frame,label\n0,elephant\n", "classes that the labels do not have; found 'elephant'"),
        ("frame,label\nx,stop\n", "no number"),
    ],
)
def test_a_bad_truth_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "truth.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)
    with pytest.raises(DataError, match="cannot be read"):
        read_ground_truth(str(tmp_path / "nowhere.csv"), "clip.mp4", LABELS, ONE_OF_THREE)
    with pytest.raises(DataError, match="needs a file or a folder"):
        read_ground_truth("folder", "picamera2", LABELS, ONE_OF_THREE)


def test_a_truth_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "truth.csv"
    path.write_text("frame,label\n0,stop\n0,stop\n1,stop\n1,go\n")
    with pytest.raises(DataError, match="rows that differ about frame 1"):
        read_ground_truth(str(path), "clip.mp4", LABELS, ONE_OF_THREE)


def test_how_folders_were_read_as_truth_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    for name in ("a", "b", "val"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "0.png").touch()
    read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE, told.append)
    assert "in the order a, b, val" in told.pop()
    read_ground_truth("folder", str(tmp_path), ("a", "b", "c"), ONE_OF_THREE, told.append)
    assert told == ["not evaluated, since the model knows no such class: images of val (1)"]
    (tmp_path / "a").rename(tmp_path / "train")
    (tmp_path / "b" / "0.png").unlink()
    (tmp_path / "b").rmdir()
    with pytest.raises(DataError, match=r"--source .*val"):
        read_ground_truth("folder", str(tmp_path), None, ONE_OF_THREE)
