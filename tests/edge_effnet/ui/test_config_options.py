"""The options of a command are the fields of its config."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from click.testing import CliRunner

from edge_effnet.config_files import option
from edge_effnet.ui.config_options import config_options, from_options
from edge_effnet.ui.quantities import Points


@dataclass(frozen=True)
class Recipe:
    name: str = field(metadata=option("Of the dish.", metavar="NAME"))
    share: float = field(default=0.5, metadata=option("Of salt.", 0, 1, share=True))
    speed: Literal["slow", "quick"] | None = field(default=None, metadata=option("Of the fire."))
    people: int = field(default=4, metadata=option("At the table.", 1, 20))
    large: bool = field(default=False, metadata=option("Cut large."))
    hot: bool | None = field(default=None, metadata=option("Or not."))
    cooks: int = field(default=1, metadata=option("Hands at work.", 1, 9, flag="--hands"))
    fat: float = field(default=1.0, metadata=option("Of all.", kind=Points(least=0.1)))
    book: Path | None = field(default=None, metadata=option("To read."))
    secret: int = 3


@click.command()
@config_options(Recipe, leave_out=("people",))
def cook(**options: Any) -> None:
    click.echo(json.dumps(options))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", {}),
        ("--name soup --share 30%", {"name": "soup", "share": 0.3}),
        ("--speed quick --large --no-hot", {"speed": "quick", "large": True, "hot": False}),
        ("--hot", {"hot": True}),
        ("--hands 2", {"cooks": 2}),
        ("--fat 5%", {"fat": 5.0}),
    ],
)
def test_what_is_typed_becomes_values(typed: str, expected: dict[str, Any]) -> None:
    defaults = {"name": None, "share": 0.5, "speed": None, "large": False, "hot": None, "cooks": 1}
    defaults |= {"fat": 1.0, "book": None}
    result = CliRunner().invoke(cook, typed.split())
    assert json.loads(result.output) == defaults | expected


def test_values_become_the_config() -> None:
    @click.command()
    @config_options(Recipe)
    def read(**options: Any) -> None:
        made.append(from_options(Recipe, options, secret=7))

    made: list[Recipe] = []
    CliRunner().invoke(read, ["--name", "soup", "--book", "a/b"])
    assert made == [Recipe("soup", book=Path("a/b"), secret=7)]


def test_the_help_says_what_the_config_says() -> None:
    text = CliRunner().invoke(cook, ["--help"]).output
    assert "--name NAME" in text
    assert "Of salt.  [default: 0.5]" in text
    assert "--hot / --no-hot" in text
    assert "people" not in text
    assert "secret" not in text
