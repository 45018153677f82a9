"""What the site needs beside its pages: the commands as mkdocs-click shall see them.

mkdocs-click takes a command's help for Markdown and its name from the function; here every command
goes by the name it is called by, and its examples are blocks of code. The page names this module
as ``documented_commands``.
"""

from __future__ import annotations

import copy
import inspect
import re
import sys
from typing import Any

import click

from edge_effnet.cli import group as _installed
from edge_effnet.ui.command_classes import GroupedCommand


class _Heading(click.Option):
    """Stands before the options of a heading: mkdocs-click lists all in one block."""

    def __init__(self, heading: str) -> None:
        super().__init__(["--heading"], help=heading)

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:  # noqa: ARG002
        return f"\n{self.help}:", ""


def _documented(command: click.Command, name: str) -> click.Command:
    shown = copy.copy(command)
    shown.name, shown.help = name, _as_markdown(command.help or "")
    if isinstance(command, GroupedCommand) and command.groups:
        shown.params = [param for param in command.params if isinstance(param, click.Argument)]
        for heading, options in command.sections(click.Context(command)).items():
            own = [option for option in options if option in command.params]
            shown.params += [_Heading(heading), *own] if own else []
    if isinstance(command, click.Group):
        context = click.Context(command)
        found = {key: command.get_command(context, key) for key in command.list_commands(context)}
        children = {key: _documented(child, key) for key, child in found.items() if child}
        shown = click.Group(
            name,
            children,
            help=shown.help,
            params=command.params,
            context_settings=command.context_settings,
        )
    return shown


def _as_markdown(text: str) -> str:
    """Paragraphs behind ``\\b`` are examples, of which the first line is a heading."""
    paragraphs = []
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if paragraph.startswith("\b"):
            heading, *lines = paragraph.removeprefix("\b").strip("\n").splitlines()
            lines = inspect.cleandoc("\n" + "\n".join(lines)).splitlines()
            paragraphs += [heading, "\n".join(["```bash", *lines, "```"])]
        else:
            text = paragraph.replace("<", "&lt;").replace("*", r"\*")
            paragraphs.append(re.sub(r"(?<![\w`-])(--[a-z][\w-]*)", r"`\1`", text))
    return "\n\n".join(paragraphs)


group = _documented(_installed, "edge-effnet")


def on_config(config: Any) -> Any:
    """Called by mkdocs before pages are read."""
    sys.modules["documented_commands"] = sys.modules[on_config.__module__]
    return config
