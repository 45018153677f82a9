"""``classify --json`` says how images became the input, and who said so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


@pytest.mark.parametrize(
    ("labels", "asked", "settings", "origin"),
    [
        (("red", "green", "blue"), None, "raw,crop=0.9", "its model card"),
        (("red", "green", "blue"), "crop=1", "raw,crop=1", "--preprocess and its model card"),
        (None, "unit", "unit,fit=squash", "--preprocess"),
    ],
)
def test_the_settings_and_their_origin(
    cli: Cli,
    colour_model: MakeModel,
    colour_folder: Path,
    labels: tuple[str, ...] | None,
    asked: str | None,
    settings: str,
    origin: str,
) -> None:
    photo = next(colour_folder.rglob("*.png"))
    told = ("--preprocess", asked) if asked else ()
    code, out, _ = cli("classify", colour_model(labels=labels), photo, *told, "--json", "-")
    assert code == 0
    assert json.loads(out)["preprocess"] == {"settings": settings, "from": origin}


def test_what_the_file_tells(cli: Cli, reference: Path) -> None:
    folder = reference / "teachable" / "fruit6"
    photo = next((reference / "images" / "fruit6").rglob("*.jpg"))
    code, out, _ = cli("classify", folder / "model_unquant.tflite", photo, "--json", "-")
    assert code == 0
    assert json.loads(out)["preprocess"] == {
        "settings": "tf,crop=1",
        "from": "the way Teachable Machine exports",
    }


def test_a_part_that_the_user_says_is_credited_to_the_user_once(cli: Cli, reference: Path) -> None:
    folder = reference / "teachable" / "fruit6"
    photo = next((reference / "images" / "fruit6").rglob("*.jpg"))
    asked = ("--preprocess", "fit=pad", "--json", "-")
    code, out, err = cli("classify", folder / "model_unquant.tflite", photo, *asked)
    assert code == 0
    origin = "the way Teachable Machine exports, with fit=pad as --preprocess says"
    assert json.loads(out)["preprocess"] == {"settings": "tf,fit=pad", "from": origin}
    assert f"found from {origin}" in err
