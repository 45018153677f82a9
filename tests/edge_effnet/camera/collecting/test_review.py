"""Labels for frames that were kept."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge_effnet.camera.collecting.review import SHOWN, Moved, Review
from edge_effnet.camera.evaluation.taps import Taps
from tests.edge_effnet.camera.conftest import RGB, jpeg, plain


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two frames that were mostly taken for red, and one mostly for blue."""
    kept = tmp_path / "kept"
    (kept / "to-label").mkdir(parents=True)
    for name, score in (("a", 0.5), ("b", 0.55), ("c", 0.1)):
        (kept / "to-label" / f"{name}.jpg").write_bytes(jpeg(plain("red")))
        answers = sorted([["red", score], ["blue", 0.6 - score]], key=lambda one: -one[1])
        line = {"file": f"to-label/{name}.jpg", "reason": "unsure", "model": answers}
        with (kept / "frames.jsonl").open("a") as lines:
            lines.write(json.dumps(line) + "\n")
    return kept


@pytest.fixture
def review(folder: Path) -> Review:
    return Review(folder, Taps(tuple(RGB), may_add=True))


def there(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.glob("*/**/*.jpg")}


def test_frames_that_look_the_same_to_the_model_are_one_group(review: Review) -> None:
    state = review.to_json()
    names = [[file["name"] for file in group] for group in state["groups"]]
    assert names == [["a.jpg", "b.jpg"]]
    assert state["others"] == [{"name": "c.jpg", "why": "unsure", "answer": "blue"}]
    assert (state["waiting"], state["undoable"]) == (3, 0)


def test_many_are_labelled_at_once_and_taken_back(review: Review, folder: Path) -> None:
    assert review.move(["a.jpg", "b.jpg"], "Red") == Moved(2)
    assert there(folder) == {"photos/red/a.jpg", "photos/red/b.jpg", "to-label/c.jpg"}
    assert review.undo() == Moved(2)
    assert there(folder) == {"to-label/a.jpg", "to-label/b.jpg", "to-label/c.jpg"}
    assert review.undo() == Moved(0)


def test_what_is_discarded_is_put_aside(review: Review, folder: Path) -> None:
    review.move(["c.jpg"], None)
    assert "discarded/c.jpg" in there(folder)
    assert review.waiting == 2


def test_a_class_that_a_viewer_has_added(folder: Path) -> None:
    taps = Taps(tuple(RGB), may_add=True)
    taps.add("café 🍵")
    Review(folder, taps).move(["a.jpg"], "café 🍵")
    assert "photos/café 🍵/a.jpg" in there(folder)


def test_two_viewers_label_the_same_frame(review: Review, folder: Path) -> None:
    assert review.move(["a.jpg"], "red") == Moved(1)
    assert review.move(["a.jpg", "b.jpg"], "blue") == Moved(1, gone=1)
    assert {"photos/red/a.jpg", "photos/blue/b.jpg"} <= there(folder)


@pytest.mark.parametrize("name", ["../a.jpg", "photos/a.jpg", ".a.jpg", "a\0.jpg", "a.png", "x\\y"])
def test_only_names_of_kept_frames_are_taken(review: Review, folder: Path, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        review.move([name], "red")
    assert review.image(name) is None
    assert len(there(folder)) == 3


def test_a_class_that_is_not_there(review: Review) -> None:
    with pytest.raises(ValueError, match="no such class"):
        review.move(["a.jpg"], "../pink")


def test_a_disk_that_refuses_leaves_all_where_it_was(review: Review, folder: Path) -> None:
    (folder / "photos").write_text("a file in the way")
    with pytest.raises(ValueError, match="not moved"):
        review.move(["a.jpg", "b.jpg"], "red")
    assert len(there(folder)) == 3


def test_a_folder_that_was_moved_away(review: Review, folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))
    assert review.to_json()["groups"] == []
    assert review.image("a.jpg") is None
    assert review.move(["a.jpg"], "red") == Moved(0, gone=1)


def test_a_frame_that_is_no_image_and_a_line_that_is_cut(review: Review, folder: Path) -> None:
    (folder / "to-label" / "d.jpg").write_bytes(b"no image")
    (folder / "frames.jsonl").write_text('{"file": "to-label/a.jpg", "mod')
    state = review.to_json()
    assert state["waiting"] == 4
    assert (state["groups"], [file["answer"] for file in state["others"]]) == ([], [""] * 4)


def test_more_frames_than_are_shown(review: Review, folder: Path) -> None:
    content = (folder / "to-label" / "a.jpg").read_bytes()
    for number in range(SHOWN):
        (folder / "to-label" / f"e{number}.jpg").write_bytes(content)
    state = review.to_json()
    assert state["waiting"] == SHOWN + 3
    assert sum(map(len, [*state["groups"], state["others"]])) == SHOWN
