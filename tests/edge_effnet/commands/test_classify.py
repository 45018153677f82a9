"""``edge-effnet classify``: the best answers for each image."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel


def test_classify_prints_the_best_answers(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    image = colour_folder / "green" / "3.png"
    code, out, _ = cli("classify", colour_model(), image, "--top", 2)
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == str(image)
    assert lines[1].endswith("green")
    assert len(lines) == 3


def test_classify_goes_on_after_an_unreadable_image(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    good = colour_folder / "blue" / "0.png"
    code, out, err = cli("classify", colour_model(), "nowhere.jpg", good, "--json", "-")
    first, second = json.loads(out)["images"]
    assert code == 1
    assert "nowhere.jpg cannot be read" in first["error"]
    assert second["answers"][0]["label"] == "blue"
    assert sum(answer["score"] for answer in second["answers"]) == pytest.approx(1)
    assert err.startswith("error: nowhere.jpg")
