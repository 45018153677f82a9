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
from edge_effnet.ui.usage_errors import given_paths, one_too_many, split_path

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


ADVANCED = "Advanced"  # begins the headings of what most people never need


class GroupedCommand(click.Command):
    """A command whose ``--help`` shows its options under headings.

    Args:
        renamed: old spellings of options, which ``--help`` does not list, and the new ones.
        groups: headings in ``--help``, and the options under each; those that stand under none,
            as ``--help`` itself, come before the first heading that begins with ``ADVANCED``.
    """

    def __init__(
        self,
        *args: Any,
        renamed: Mapping[str, str] | None = None,
        groups: Mapping[str, Sequence[str]] | None = None,
        **settings: Any,
    ):
        super().__init__(*args, **settings)
        self.renamed, self.groups = renamed or {}, groups or {}

    def sections(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """The options that ``--help`` shows, under their headings in its order."""
        shown = {
            param.opts[0]: param
            for param in self.get_params(ctx)
            if isinstance(param, click.Option) and not param.hidden
        }
        found = {
            heading: [shown.pop(flag) for flag in flags if flag in shown]
            for heading, flags in self.groups.items()
        }
        ordered = {key: found.pop(key) for key in [*found] if not key.startswith(ADVANCED)}
        ordered["Options"] = [*ordered.get("Options", []), *shown.values()]
        return {heading: params for heading, params in {**ordered, **found}.items() if params}

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under their headings."""
        for heading, params in self.sections(ctx).items():
            with formatter.section(heading):
                formatter.write_dl(
                    [record for one in params if (record := one.get_help_record(ctx)) is not None]
                )

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, self.as_named_now(args))

    def as_named_now(self, args: Sequence[str]) -> list[str]:
        """What was typed, with the options' names of today."""
        parts = [word.partition("=") for word in args]
        return [self.renamed.get(name, name) + sign + value for name, sign, value in parts]

    def knows(self, flag: str) -> bool:
        """Whether ``flag`` is an option that ``--help`` shows."""
        return any(
            flag in param.opts for param in self.params if not getattr(param, "hidden", False)
        )


class OptionsOnly(GroupedCommand):
    """A command without arguments that says which option a stray one was meant for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if ctx.args and not ctx.resilient_parsing:
            if split_path(list(given_paths(ctx)), ctx.args):
                raise one_too_many(ctx, ctx.args)
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

        uses, variant = uses_of(Path(word)), nearest_variant(word)
        guesses = [("--model", word)] if "convert" in uses else []
        guesses += [("--weights", word)] if "weights" in uses else []
        if not uses and holds_images(word):
            guesses = [("--data", word)]
        elif not uses and variant:
            guesses = [("--variant", variant)]
        return next((f"{flag} {quote(value)}" for flag, value in guesses if self.knows(flag)), None)


def uses_of(path: Path) -> tuple[Use, ...]:
    """What a file is good for, by its content; where there is none, by its name."""
    from edge_effnet.model_files import identify

    if not path.exists():
        ending = path.suffix.lower()
        return ("run", "convert") if ending in (".tflite", ".lite", ".keras", ".h5") else ()
    try:
        return identify(path).kind.uses
    except ModelError:
        return ()


def holds_images(word: str) -> bool:
    """Whether a word that was typed names a folder or a table of images."""
    path = Path(word)
    return not word.startswith("-") and (path.is_dir() or path.suffix.lower() == ".csv")
