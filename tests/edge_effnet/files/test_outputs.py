"""All outputs of a command are looked at before one of them is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    besides: Mapping[Path, Sequence[str]] | None = None,
) -> None:
    with claimed(outputs, inputs or {}, overwrite=overwrite, shared=shared, besides=besides):
        pass


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "old.json"
    path.write_text("of yesterday")
    return path


def test_one_that_cannot_be_written_keeps_the_others_as_they_are(old: Path, tmp_path: Path) -> None:
    second = tmp_path / "folder"
    second.mkdir()
    with pytest.raises(OutputError, match=r"folder is not a file .* found a folder"):
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


@pytest.mark.parametrize("name", ["history.csv", "step-1/any", "./x/../history.csv", "link"])
def test_what_the_command_writes_besides_is_no_output(name: str, tmp_path: Path) -> None:
    run = tmp_path / "run[1]"
    (tmp_path / "link").symlink_to(run / "history.csv")
    path = tmp_path / "link" if name == "link" else run / name
    with pytest.raises(UsageProblem, match="--json is a file that the command writes itself"):
        claim({"--json": [path]}, besides={run: ("history.csv", "step-*/*")})
    assert set(tmp_path.iterdir()) == {tmp_path / "link"}


def test_other_files_in_such_a_folder_are_free(tmp_path: Path) -> None:
    run = tmp_path / "run"
    for name in ("report.json", "mine/history.csv"):
        claim({"--json": [run / name]}, besides={run: ("history.csv",)})
    assert not run.exists()  # nothing was written into it


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    one, below = tmp_path / "models", tmp_path / "models" / "b0.tflite"
    for outputs, besides in (
        ({"--json": [one], "--out": [below]}, {}),
        ({"--out": [below], "--json": [one]}, {}),
        ({"--json": [one]}, {one: ("*",)}),
        ({"--json": [one]}, {one / "run": ("*",)}),
    ):
        with pytest.raises(UsageProblem, match="models cannot be a file and the folder"):
            claim(outputs, besides=besides)
    assert not one.exists()


def test_names_that_are_swept_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="writes itself"):
        claim({"--json": [tmp_path / ".edge-effnet-part-1"]})


def test_links_in_a_circle_are_replaced(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    claim({"--json": [circle], "--plot": [tmp_path / "other"]}, {"IMAGE": tmp_path / "image"})


def test_an_output_is_no_input(old: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(old)
    for path in (old, link):
        with pytest.raises(UsageProblem, match="--json would replace what the command reads"):
            claim({"--json": [path]}, {"--on": Path("sh -c " + "x" * 300), "--labels": old})


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
