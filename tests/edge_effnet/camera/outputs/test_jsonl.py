"""A JSON line for each answer, and disks that fill up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.camera.answers import Decision, ScoredLabel
from edge_effnet.camera.frames import Frame, FrameScores
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.jsonl import JsonLines
from edge_effnet.errors import OutputError
from edge_effnet.heads.head import Head
from tests.edge_effnet.camera.conftest import plain

FLOOR = DiskFloor(1000)
SEEN = Decision((ScoredLabel("red", 1.0),), (ScoredLabel("red", 1.0),))


def test_lines_are_json_each_and_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    lines = JsonLines(str(path), overwrite=False, floor=FLOOR, say=print)
    scores = np.array([0.75, 0.25, 0], np.float32)
    answer = FrameScores(Frame(plain("red"), 3, 3, 0.3, 0.0), scores, 0.1, 1.0, 0.02)
    lines.answer(answer, SEEN, ("red", "green", "blue"), Head("softmax", 3))
    lines.note("it's “there”")
    first, second = map(json.loads, path.read_text().splitlines())
    assert (first["type"], first["frame"], first["raw"]) == ("answer", 3, ["red", 0.75])
    assert first["delay_ms"] == 20
    assert second["text"] == "it's “there”"
    lines.end()
    with pytest.raises(OutputError, match="already exists"):
        JsonLines(str(path), overwrite=False, floor=FLOOR, say=print)


FULL_DISK = """
import resource, signal, sys
from edge_effnet.camera.outputs.disk import DiskFloor
from edge_effnet.camera.outputs.jsonl import JsonLines

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
lines = JsonLines(sys.argv[1], overwrite=False, floor=DiskFloor(1), say=print)
for number in range(100):
    lines.note(f"{number} on the way to a full disk")
lines.end()
assert lines.problem
"""


def test_a_full_disk_ends_the_lines_with_a_note_behind_a_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"{path} cannot be written any more: File too large\n"
    lines = path.read_bytes().splitlines(keepends=True)
    numbers = [int(json.loads(line)["text"].split()[0]) for line in lines]
    assert numbers == list(range(len(lines)))
    assert len(lines) > 5
    assert lines[-1].endswith(b"\n")


def test_lines_end_where_the_disk_would_have_too_little_room(tmp_path: Path) -> None:
    said: list[str] = []
    free = iter([2000] * 3)
    floor = DiskFloor(1000, free=lambda _: next(free, 1010))
    path = tmp_path / "feed.jsonl"
    lines = JsonLines(str(path), overwrite=False, floor=floor, say=said.append)
    for number in range(9):
        lines.note(str(number))
    lines.end()
    assert [json.loads(line)["text"] for line in path.read_text().splitlines()] == ["0", "1", "2"]
    expected = f"{path} cannot be written any more: its disk is nearly full (--keep-free)"
    assert said == [expected]
    assert lines.problem == expected


def test_lines_are_added_behind_those_of_a_run_that_was_killed(tmp_path: Path) -> None:
    path = tmp_path / "feed.jsonl"
    path.write_text('{"text": "before"}\n{"text": "cut o')
    lines = JsonLines(str(path), overwrite=False, floor=FLOOR, say=print, append=True)
    lines.note("after")
    lines.end()
    first, cut, last = path.read_text().splitlines()
    assert json.loads(first)["text"] == "before"
    assert cut == '{"text": "cut o'
    assert json.loads(last)["text"] == "after"
