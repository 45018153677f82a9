"""``--help``: what most people need comes first, and the rest says when one would want it."""

from __future__ import annotations

import re

import click
import pytest

from edge_effnet.cli import group
from edge_effnet.plugins import COMMANDS
from edge_effnet.ui.command_classes import ADVANCED, GroupedCommand

GROUPED = [
    name
    for name in COMMANDS
    if getattr(group.get_command(None, name), "groups", None)  # type: ignore[arg-type]
]
# Lines of a screen that the options most people need may fill.
MOST_LINES = 45


def sections(name: str) -> dict[str, list[click.Option]]:
    command = group.get_command(None, name)  # type: ignore[arg-type]
    assert isinstance(command, GroupedCommand)
    context = click.Context(command, info_name=name, help_option_names=["-h", "--help"])
    return command.sections(context)


def help_text(name: str) -> str:
    command = group.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    context = click.Context(
        command, info_name=name, help_option_names=["-h", "--help"], terminal_width=80
    )
    return command.get_help(context)


def test_long_helps_have_headings() -> None:
    assert set(GROUPED) >= {"convert", "prune", "train", "camera", "bench", "evaluate", "compare"}


@pytest.mark.parametrize("name", GROUPED)
def test_every_option_has_its_place(name: str) -> None:
    command = group.get_command(None, name)
    assert isinstance(command, GroupedCommand)
    placed = [flag for flags in command.groups.values() for flag in flags]
    shown = [option.opts[0] for options in sections(name).values() for option in options]
    assert sorted(placed) == sorted(set(shown) - {"-h", "--help"})
    headings = [*sections(name)]
    first = next(i for i, heading in enumerate(headings) if heading.startswith(ADVANCED))
    assert all(heading.startswith(ADVANCED) for heading in headings[first:])


@pytest.mark.parametrize("name", GROUPED)
def test_what_most_people_need_is_read_in_one_go(name: str) -> None:
    text = help_text(name)
    options = text.partition("Examples:")[2].partition("\n\n")[2].partition(f"\n{ADVANCED}")[0]
    assert len(options.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", GROUPED)
def test_an_advanced_option_says_in_a_sentence_what_it_is_for(name: str) -> None:
    for heading, options in sections(name).items():
        for option in options:
            sentence = re.sub(r"\s*\[default.*", "", option.help or "")
            assert sentence.endswith("."), (heading, option.opts)
            assert sentence[0].isupper() or sentence.startswith(
                ("b0", "auto", "picamera2", "coral")
            )
            if heading.startswith(ADVANCED):
                assert len(sentence.split()) >= 5, (heading, option.opts)


def test_recipes_begin_with_what_most_people_need() -> None:
    text = help_text("convert")
    flags = ["--int8 ", "--edgetpu ", f"{ADVANCED}, recipes:", "--float16 ", "--int16x8 "]
    options = text.partition("Recipe:")[2]
    places = [options.index(flag) for flag in flags]
    assert places == sorted(places)
