"""``classify M a.jpg`` and ``classify --model M a.jpg`` are the same, in every command that runs
a model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from edge_effnet.cli import group
from edge_effnet.plugins import COMMANDS
from edge_effnet.ui.model_command import ModelCommand
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel

BOTH = ("classify", "evaluate", "compare", "bench", "camera", "doctor", "deploy")


@pytest.fixture
def folder(
    colour_model: MakeModel, colour_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Two models, an image and a folder of some, as in a user's working directory."""
    shutil.copy(colour_model("a.tflite"), tmp_path / "b.tflite")
    shutil.copy(colour_folder / "red" / "0.png", tmp_path / "cat.png")
    (tmp_path / "photos").symlink_to(colour_folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(cli: Cli, line: str) -> Any:
    """What a command writes as JSON."""
    code, out, err = cli(*line.split(), "--json", "result.json", "--force")
    assert code == 0, (out, err)
    return json.loads(Path("result.json").read_text())


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("classify a.tflite cat.png", ["classify --model a.tflite cat.png"]),
        ("classify a.tflite cat.png", ["classify cat.png --model=a.tflite"]),
        ("evaluate a.tflite --data photos", ["evaluate --data photos --model a.tflite"]),
        (
            "compare a.tflite b.tflite --data photos",
            ["compare --model a.tflite --data photos --model b.tflite"],
        ),
    ],
)
def test_both_forms_give_the_same(cli: Cli, argument: str, options: list[str]) -> None:
    expected = document(cli, argument)
    assert [document(cli, line) for line in options] == [expected]


@pytest.mark.usefixtures("folder")
def test_both_forms_give_the_same_camera(cli: Cli) -> None:
    for model in ("a.tflite", "--model a.tflite"):
        code, out, err = cli(*f"camera {model} --source cat.png --jsonl -".split())
        assert code == 0, err
        answer = json.loads(out.splitlines()[0])
        assert (answer["label"], "a.tflite" in err) == ("red", True)


@pytest.mark.usefixtures("folder")
def test_both_forms_are_measured(cli: Cli) -> None:
    for models in ("a.tflite b.tflite", "--model a.tflite --model b.tflite"):
        code, out, err = cli(*f"bench {models} --seconds 0.05 --json -".split())
        assert code == 0, err
        assert [case["name"] for case in json.loads(out)["cases"]] == ["a", "b"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("classify a.tflite --model b.tflite", "found a.tflite and --model b.tflite"),
        ("classify a.tflite cat.png --model b.tflite", "classify takes one model; found a.tflite"),
        ("classify --model a.tflite --model b.tflite cat.png", "takes one model; found --model a"),
        ("evaluate gone.tflite --model b.tflite --data photos", "found gone.tflite and --model b"),
        ("compare a.tflite --model b.tflite --data photos", "compare a.tflite b.tflite"),
        ("bench a.tflite --model b.tflite", "in one way, all as arguments or all behind --model"),
        ("camera a.tflite --model b.tflite", "compare with it: --compare b.tflite"),
        ("doctor a.tflite --model b.tflite", "doctor takes one model"),
        ("deploy a.tflite me@pi --model b.tflite", "deploy takes one model"),
    ],
)
def test_two_forms_at_once_are_one_line(cli: Cli, line: str, said: str) -> None:
    code, out, err = cli(*line.split())
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


@pytest.mark.usefixtures("folder")
def test_a_name_that_begins_with_a_dash(cli: Cli) -> None:
    shutil.copy("a.tflite", "-x.tflite")
    assert cli("classify", "--model", "-x.tflite", "cat.png")[0] == 0


def test_one_implementation_serves_all() -> None:
    found = {name for name in COMMANDS if isinstance(group.get_command(None, name), ModelCommand)}
    assert found == set(BOTH)
