"""What a command wants that was not given."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from edge_effnet import cli
from edge_effnet.plugins import COMMANDS


def all_commands() -> Iterator[tuple[str, ...]]:
    for name in COMMANDS:
        command = cli.group.get_command(None, name)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.commands)
        else:
            yield (name,)


# With nothing at all they do something.
WANT_NOTHING = {"camera", "demo", "doctor", "variants"}


@pytest.mark.parametrize("words", [one for one in all_commands() if one[0] not in WANT_NOTHING])
def test_each_command_alone_says_what_it_needs(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert "; found " in err
    assert "; to fix: for example: edge-effnet " in err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (
            ("evaluate", "b0-int8.tflite"),
            "evaluate needs images; found no --data; expected a folder with one folder per class, "
            "or a CSV file; to fix: for example: edge-effnet evaluate b0-int8.tflite "
            "--data photos/",
        ),
        (
            ("compare", "one.tflite"),
            "compare needs a second model; found no CANDIDATE; expected the model to compare with "
            "REFERENCE, such as b0-int8.tflite; to fix: for example: edge-effnet compare "
            "b0-float32.tflite b0-int8.tflite --data photos/",
        ),
        (
            ("classify", "b0-int8.tflite"),
            "classify needs images; found no IMAGE...; expected one image file or several, such as "
            "cat.jpg; to fix: for example: edge-effnet classify b0-int8.tflite cat.jpg",
        ),
        (
            ("signs", "render", "here"),
            "signs render needs a number of images; found no --count; expected how many to render "
            "over all classes, such as -n 1600; to fix: for example: edge-effnet signs render "
            "signs -n 1600",
        ),
    ],
)
def test_what_is_wanted_stands_in_one_line(
    words: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(words) == 2
    assert capsys.readouterr().err == f"error: {line}\n"


def test_a_group_alone_shows_its_help_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["signs"]) in (0, 2)  # by the version of click
    out, err = capsys.readouterr()
    assert "\n  render " in out + err
