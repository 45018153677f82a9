"""Commands whose errors know what was meant. Light: ``--help`` comes through here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

import click

from edge_effnet.errors import ModelError, UsageProblem
from edge_effnet.spelling import did_you_mean
from edge_effnet.ui.missing import explained

if TYPE_CHECKING:
    from edge_effnet.model_files.kinds import Use


class SuggestingGroup(click.Group):
    """A group that says which command was meant, and what one lacks."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise UsageProblem(
                f"there is no command {args[0]!r}{did_you_mean(args[0], known)}",
                expected=f"one of {', '.join(known)}",
                fix=f"{ctx.command_path} --help says what each does",
            )
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what it lacks is said in one line."""
        try:
            return super().invoke(ctx)
        except click.MissingParameter as error:
            raise explained(error) from error


class OptionsOnly(click.Command):
    """A command without arguments that says which option a stray one was meant for.

    Args:
        renamed: old spellings of options, which ``--help`` does not list, and the new ones.
        groups: headings in ``--help``, and the options under each; the others stand last.
        model_use: what ``--model`` has to be good for, as in the table of kinds of files.
    """

    def __init__(
        self,
        *args: Any,
        renamed: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        model_use: Use = "convert",
        **settings: Any,
    ):
        super().__init__(*args, **settings)
        self.renamed, self.groups, self.model_use = renamed or {}, groups or {}, model_use

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        records = {
            param.opts[0]: record
            for param in self.get_params(ctx)
            if (record := param.get_help_record(ctx)) is not None
        }
        sections = {
            heading: [records.pop(flag) for flag in flags if flag in records]
            for heading, flags in self.groups.items()
        }
        for heading, section in {**sections, "Options": [*records.values()]}.items():
            if section:
                with formatter.section(heading):
                    formatter.write_dl(section)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        parts = [word.partition("=") for word in args]
        rest = super().parse_args(
            ctx, [self.renamed.get(name, name) + sign + value for name, sign, value in parts]
        )
        if ctx.args and not ctx.resilient_parsing:
            meant = self._meant(ctx.args[0])
            raise UsageProblem(
                f"{ctx.command_path} takes options only"
                + (f"; did you mean {meant}?" if meant else ""),
                found=repr(ctx.args[0]),
                fix=f"{ctx.command_path} --help lists them",
            )
        return rest

    def _meant(self, word: str) -> str | None:
        from edge_effnet.architecture.files import nearest_variant

        uses, variant = _uses(Path(word)), nearest_variant(word)
        guesses = [("--model", word)] if self.model_use in uses else []
        guesses += [("--weights", word)] if "weights" in uses else []
        if not uses and _holds_images(word):
            guesses = [("--data", word)]
        elif not uses and variant:
            guesses = [("--variant", variant)]
        known = {
            name for param in self.params for name in param.opts if not getattr(param, "hidden", 0)
        }
        return next((f"{flag} {quote(value)}" for flag, value in guesses if flag in known), None)


class NeedsData(click.Command):
    """A command that says which of its arguments was meant for ``--data``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, list(args))
        except click.MissingParameter as error:
            stray = next((word for word in args if _holds_images(word)), None)
            if error.param is None or error.param.name != "data" or stray is None:
                raise
            raise UsageProblem(
                f"{ctx.command_path} takes its images behind an option; did you mean "
                f"--data {stray}?",
                found=f"{stray!r} among the models",
                fix=f"{ctx.command_path} --help shows an example",
            ) from error


def _uses(path: Path) -> tuple[Use, ...]:
    """What a file is good for, by its content; where there is none, by its name."""
    from edge_effnet.model_files import identify

    if not path.exists():
        ending = path.suffix.lower()
        return ("run", "convert") if ending in (".tflite", ".lite", ".keras", ".h5") else ()
    try:
        return identify(path).kind.uses
    except ModelError:
        return ()


def _holds_images(word: str) -> bool:
    path = Path(word)
    return not word.startswith("-") and (path.is_dir() or path.suffix.lower() == ".csv")
