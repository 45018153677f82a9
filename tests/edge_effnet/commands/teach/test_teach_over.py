"""``teach`` on a file that was taught before: it is compared first, and replaced if not worse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


@pytest.fixture
def taught(cli: Cli, base: Path, colour_folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mine.tflite"
    assert cli("teach", colour_folder, "--base", base, "--out", path)[0] == 0
    return path


def test_a_class_is_added_to_the_file_itself(
    cli: Cli, base: Path, colour_folder: Path, tmp_path: Path
) -> None:
    out, blue = tmp_path / "mine.tflite", tmp_path / "blue"
    colour_folder.joinpath("blue").rename(blue)
    assert cli("teach", colour_folder, "--base", base, "--out", out)[0] == 0
    document = tmp_path / "told.json"
    code, told, said = cli(
        "teach", "--from", out, "--add", f"blue={blue}", "--out", out, "--json", document
    )
    assert code == 0, said
    assert f"by {out} as it was" in told
    before = json.loads(document.read_text())["before"]
    assert before["classes_new"] == ["blue"]
    known, every = before["images_of_known_classes"], before["images"]
    assert known["before"] == every["before"] == known["images"] < every["images"]
    assert every["now"] == every["images"]


def test_the_same_photos_again_replace_the_file_by_the_same(
    cli: Cli, base: Path, colour_folder: Path, taught: Path
) -> None:
    before = taught.read_bytes()
    code, told, _ = cli("teach", colour_folder, "--base", base, "--out", taught)
    assert code == 0
    assert "(+0.0 points" in told
    assert taught.read_bytes() == before


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("a class fewer", "knows classes that the new file would not; found 'red'"),
        ("another network", "was taught another network"),
        ("no features", "cannot be compared with what would replace it"),
        ("not taught", "already exists"),
    ],
)
def test_what_cannot_be_compared_or_knows_less_needs_force(
    cli: Cli,
    colour_model: MakeModel,
    base: Path,
    colour_folder: Path,
    cache: Path,
    taught: Path,
    case: str,
    message: str,
) -> None:
    options: tuple[str, ...] = ()
    if case == "a class fewer":
        shutil.rmtree(colour_folder / "red")
    elif case == "another network":
        options = ("--preprocess", "caffe")
        base = colour_model("other.tflite", labels=None)
    elif case == "no features":
        shutil.rmtree(cache)
        for path in colour_folder.rglob("1.png"):
            path.unlink()
    else:
        shutil.copy(base, taught)
    before = taught.read_bytes()
    command = ("teach", colour_folder, "--base", base, "--out", taught, *options)
    code, _, said = cli(*command)
    assert code == 1
    assert message in said
    assert "--force" in said.splitlines()[-1]
    assert taught.read_bytes() == before
    assert cli(*command, "--force")[0] == 0


def test_a_class_that_is_taken_away_is_missed_by_nobody(cli: Cli, taught: Path) -> None:
    assert cli("teach", "--from", taught, "--remove", "red", "--out", taught)[0] == 0
