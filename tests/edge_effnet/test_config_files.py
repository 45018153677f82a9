"""Configs as JSON files."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from edge_effnet.config_files import ConfigFile, option, refuse_bad_values
from edge_effnet.errors import DataError, UsageProblem


@dataclass(frozen=True)
class Recipe:
    name: str
    share: float = field(default=0.5, metadata=option("", 0, 1))
    speed: Literal["slow", "quick"] | None = field(default=None, metadata=option(""))
    large: bool = False

    def __post_init__(self) -> None:
        refuse_bad_values(self)


CONFIG = ConfigFile(Recipe, "recipe.json", "recipes", 1, "recipe")


def test_a_config_comes_back_as_it_was(tmp_path: Path) -> None:
    recipe = Recipe("soup", 1, "quick", large=True)
    CONFIG.write(tmp_path / "run", recipe)
    assert CONFIG.read(tmp_path / "run") == CONFIG.read(tmp_path / "run" / "recipe.json") == recipe
    document = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert (document["format"], document["version"]) == ("recipes", 1)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"share": "half"}, "share: 'half' is no float"),
        ({"large": 1}, "large: 1 is no bool"),
        ({"speed": "fast"}, "speed: 'fast' is none of slow, quick"),
        ({"salt": 1, "oil": 2}, "unknown fields oil, salt"),
        ({"version": 2}, "version 2, while this reads 1"),
        ({"format": "other"}, "JSON of another kind"),
    ],
)
def test_a_config_that_does_not_fit_is_refused(change: dict[str, Any], found: str) -> None:
    with pytest.raises(DataError, match="mine is not a recipe; found ") as caught:
        CONFIG.from_json(CONFIG.to_json(Recipe("soup")) | change, "mine")
    assert found in str(caught.value)


def test_what_the_config_refuses_itself_keeps_its_words() -> None:
    with pytest.raises(UsageProblem, match="--share is out of range; found 2; expected 0 to 1"):
        CONFIG.from_json(CONFIG.to_json(Recipe("soup")) | {"share": 2.0}, "mine")
