"""Commands whose help has headings and whose options had other names."""

from __future__ import annotations

import json
from typing import Any

import click
from click.testing import CliRunner

from edge_effnet.ui.command_classes import OptionsOnly


@click.command(
    cls=OptionsOnly,
    renamed={"--spice": "--salt"},
    groups={"Taste": ("--salt", "--sugar"), "Empty": ("--none",)},
)
@click.option("--size", type=int)
@click.option("--sugar", type=int)
@click.option("--salt", type=int)
@click.option("--secret", hidden=True)
def cook(**options: Any) -> None:
    click.echo(json.dumps(options))


def test_options_stand_under_their_headings() -> None:
    text = CliRunner().invoke(cook, ["--help"]).output
    order = [text.index(part) for part in ("Taste:", "--salt", "--sugar", "\nOptions:", "--size")]
    assert order == sorted(order)
    assert "Empty" not in text
    assert "secret" not in text
    assert text.count("--salt") == 1


def test_an_old_spelling_is_understood() -> None:
    for typed in (["--spice", "3"], ["--spice=3"], ["--salt", "3"]):
        assert json.loads(CliRunner().invoke(cook, typed).output)["salt"] == 3
