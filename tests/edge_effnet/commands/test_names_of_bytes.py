"""File names are bytes: one that is no UTF-8 ends no command after its work."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from edge_effnet.artifact import Card, read_artifact, write_artifact
from edge_effnet.data.listing import load_dataset
from edge_effnet.files.write import dump_json, text_bytes
from edge_effnet.image.preprocessing import Preprocess
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel

CAFE = os.fsdecode(b"caf\xe9")


@pytest.fixture
def named(colour_folder: Path) -> Path:
    """Photos of a class of such a name, one of them of such a name too."""
    first = next((colour_folder / "red").iterdir())
    first.rename(first.with_name(f"{CAFE}{first.suffix}"))
    (colour_folder / "red").rename(colour_folder / CAFE)
    return colour_folder


def test_json_keeps_the_name_and_text_shows_it() -> None:
    written = dump_json({"file": CAFE, "label": "größer 猫"})
    assert written.encode()
    assert "größer 猫" in written
    assert os.fsencode(json.loads(written)["file"]) == b"caf\xe9"
    assert text_bytes(f"{CAFE} größer") == r"caf\xe9 größer".encode()


def test_labels_of_such_folders_can_be_written(
    named: Path, colour_model: MakeModel, tmp_path: Path
) -> None:
    labels = load_dataset(named).labels
    assert r"caf\xe9" in labels
    path = tmp_path / f"{CAFE}.tflite"
    write_artifact(path, colour_model().read_bytes(), Card(CAFE, labels, Preprocess(8, 8)))
    card = read_artifact(path).card
    assert card is not None
    assert (card.name, card.labels) == (CAFE, labels)


@pytest.mark.parametrize("to", ["file", "-"])
def test_a_folder_of_such_names_is_evaluated_to_the_end(
    to: str, named: Path, colour_model: MakeModel, cli: Cli, tmp_path: Path
) -> None:
    (named / CAFE / f"broken {CAFE}.jpg").write_text("no image")
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(load_dataset(named).labels))
    out = "-" if to == "-" else str(tmp_path / f"{CAFE}.json")
    model = colour_model()
    code, stdout, error = cli("evaluate", model, "--data", named, "--labels", labels, "--json", out)
    assert code == 0, error
    told = json.loads(stdout if to == "-" else Path(out).read_bytes())
    assert named / CAFE / f"broken {CAFE}.jpg" in [Path(one["file"]) for one in told["skipped"]]
