"""The store of resumable runs, without any training."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.errors import DataError, OutputError, UsageProblem
from edge_effnet.runs import (
    RunState,
    StepResults,
    clear_run,
    fingerprint,
    read_state,
    refuse_changed,
    refuse_existing_run,
    write_state,
)

STATE = RunState(
    {"data": "photos"},
    {"step": 3, "losses": [0.5, 0.25]},
    {
        "weights": [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(7, np.int64)],
        "optimizer": [],
    },
)


def test_a_state_comes_back_bit_by_bit(tmp_path: Path) -> None:
    write_state(tmp_path / "state", STATE)
    back = read_state(tmp_path / "state")
    assert (back.depends_on, back.progress) == (STATE.depends_on, STATE.progress)
    assert back.arrays.keys() == STATE.arrays.keys()
    for name, group in STATE.arrays.items():
        for one, other in zip(back.arrays[name], group, strict=True):
            assert (one.dtype, one.shape, one.tobytes()) == (
                other.dtype,
                other.shape,
                other.tobytes(),
            )


def test_a_damaged_state_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with pytest.raises(DataError, match="cannot be resumed; found no state in it"):
        read_state(path)
    write_state(path, STATE)
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:100] + bytes([content[100] ^ 1]) + content[101:]
    for damaged in (b"", b"text", content[:middle], content[:-1], flipped):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"is damaged; found .*; to fix: start the run again"):
            read_state(path)
    np.savez(path, about=np.frombuffer(b'{"format": "x", "version": 1}', np.uint8))
    path.with_suffix(".npz").replace(path)
    with pytest.raises(DataError, match="found 'x', version 1"):
        read_state(path)


def test_a_full_disk_keeps_the_state_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    write_state(path, STATE)
    before = path.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        write_state(path, RunState({}, {}, {}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_results_are_taken_over_only_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    StepResults(path, resume=True).put("one", {"accuracy": 0.5})
    again = StepResults(path, resume=True)
    assert again.get("one") == {"accuracy": 0.5}
    assert again.get("two") is None
    assert StepResults(path, resume=False).get("one") is None
    path.write_text('{"one": ')
    assert StepResults(path, resume=True).get("one") is None


def test_a_fingerprint_tells_parts_apart() -> None:
    array = np.arange(4, dtype=np.int16)
    parts: list[tuple[object, ...]] = [
        (b"ab", b"c"),
        (b"a", b"bc"),
        ("ab",),
        (array,),
        (array.reshape(2, 2),),
        (array.view(np.uint16),),
        (array.tobytes(),),
    ]
    assert len({fingerprint(*one) for one in parts}) == len(parts)
    assert fingerprint("x", 1) == fingerprint("x", 1)


def test_a_changed_world_is_named(tmp_path: Path) -> None:
    before = {"data": "photos", "labels": ["a", "b"], "gone": 1}
    how = {"expected": "the same", "fix": "put it back"}
    refuse_changed(tmp_path, before, {"data": "photos", "labels": ("a", "b")}, **how)  # type: ignore[arg-type]
    with pytest.raises(UsageProblem, match="found another data and 2 classes fewer"):
        refuse_changed(
            tmp_path,
            before,
            {"data": "others", "labels": []},
            said={"labels": "2 classes fewer"},
            **how,  # type: ignore[arg-type]
        )


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    refuse_existing_run(tmp_path / "new", ["a", "b"], own=False, overwrite=False)
    for name in ("a", "b", "photo.jpg"):
        (tmp_path / name).touch()
    with pytest.raises(OutputError, match="already holds a run; found a, b"):
        refuse_existing_run(tmp_path, ["a", "b", "c"], own=True, overwrite=False)
    refuse_existing_run(tmp_path, ["a", "b"], own=True, overwrite=True)
    with pytest.raises(OutputError, match=r"would replace, and is none; found a, photo\.jpg; "):
        refuse_existing_run(tmp_path, ["a", "*.jpg"], own=False, overwrite=True)
    with pytest.raises(OutputError, match="is a file"):
        refuse_existing_run(tmp_path / "a", ["a"], own=True, overwrite=True)


def test_clearing_leaves_what_is_not_the_runs(tmp_path: Path) -> None:
    (tmp_path / "step-1").mkdir()
    for name in ("a", "step-1/state", "photo.jpg"):
        (tmp_path / name).touch()
    clear_run(tmp_path, ["a", "step-*/*", "missing"], Path("imagenet"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["photo.jpg"]
    clear_run(tmp_path / "nowhere", ["a"], None)


def test_the_weights_that_a_run_begins_with_are_kept(tmp_path: Path) -> None:
    for name in ("config", "best.h5"):
        (tmp_path / name).touch()
    weights = tmp_path / ".." / tmp_path.name / "best.h5"
    with pytest.raises(UsageProblem, match="belongs to the run that this one would replace"):
        clear_run(tmp_path, ["config", "*.h5"], weights)
    assert len(list(tmp_path.iterdir())) == 2
