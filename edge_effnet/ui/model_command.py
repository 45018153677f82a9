"""Commands that run models: ``classify M a.jpg`` and ``classify --model M a.jpg`` are the same."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote
from typing import Any

import click

from edge_effnet.errors import UsageProblem
from edge_effnet.ui.command_classes import GroupedCommand, holds_images, uses_of
from edge_effnet.ui.usage_errors import given_paths, one_too_many, split_path

_NAMED = "named_models"


class ModelCommand(GroupedCommand):
    """A command whose models stand as arguments, before any others, or behind ``--model``.

    What was typed behind ``--model`` is put in front of the other arguments, so that the command
    itself sees one form only.

    Args:
        models: the parameters that are models, in their order.
        model_help: of the option; by default that it is another way to give the arguments.
    """

    def __init__(
        self,
        *args: Any,
        models: Sequence[str] = ("model",),
        model_help: str | None = None,
        **settings: Any,
    ):
        super().__init__(*args, **settings)
        taken = {param.name: param for param in self.params}
        self.models = [taken[name] for name in models]
        names = " and ".join(str(one.name).upper() for one in self.models)
        self.params.append(
            click.Option(
                ["--model", _NAMED],
                multiple=True,
                expose_value=False,
                metavar="FILE",
                help=model_help or f"Another way to give {names}{self._again}.",
            )
        )

    @property
    def _most(self) -> int | None:
        """Models at most; None for any number."""
        return None if any(one.nargs == -1 for one in self.models) else len(self.models)

    @property
    def _again(self) -> str:
        if self._most == 1:
            return ""
        return ", once for each" + (", in this order" if self._most else "")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        typed = self.as_named_now(args)
        named, words = self._read(ctx, typed)
        if named and not ctx.resilient_parsing:
            self._refuse_too_many(ctx, named, words)
            # In front, where a name that begins with a dash would be read as an option.
            typed = [*(f"./{name}" if name.startswith("-") else name for name in named), *typed]
        ctx.allow_extra_args = True
        try:
            rest = super().parse_args(ctx, typed)
        except click.MissingParameter as error:
            stray = next((word for word in words if holds_images(word)), None)
            if error.param is None or error.param.name != "data" or stray is None:
                raise
            raise UsageProblem(
                f"{ctx.command_path} takes its images behind an option; did you mean "
                f"--data {stray}?",
                found=f"{stray!r} among the models",
                fix=f"{ctx.command_path} --help shows an example",
            ) from error
        if ctx.args and not ctx.resilient_parsing:
            raise self._one_too_many(ctx)
        return rest

    def _read(self, ctx: click.Context, args: Sequence[str]) -> tuple[list[str], list[str]]:
        """What stands behind ``--model``, and the arguments, all in the order they were typed."""
        options: list[click.Parameter] = [
            param for param in self.params if isinstance(param, click.Option)
        ]
        parser = click.Command(self.name, params=options).make_parser(ctx)
        values, words, _ = parser.parse_args(list(args))
        return list(values.get(_NAMED) or ()), words

    def _refuse_too_many(
        self, ctx: click.Context, named: Sequence[str], words: Sequence[str]
    ) -> None:
        """Raise UsageProblem where models are named in both ways, or too many."""
        behind = " ".join(f"--model {quote(name)}" for name in named)
        models = [word for word in words if uses_of(Path(word))]
        plain = " ".join(map(quote, (*models, *named)))
        if models and self._most != 1:
            raise UsageProblem(
                f"{ctx.command_path} takes its models in one way, all as arguments or all behind "
                "--model: their order counts",
                found=f"{' '.join(models)} and {behind}",
                fix=f"for example: {ctx.command_path} {plain}",
            )
        most = self._most
        if models or (most is not None and len(named) > most):
            raise UsageProblem(
                f"{ctx.command_path} takes {'one model' if most == 1 else f'{most} models'}",
                found=f"{' '.join(models)} and {behind}" if models else behind,
                fix=("leave one of them out" if most == 1 else "leave the others out")
                + self._beside(named[-1]),
            )

    def _one_too_many(self, ctx: click.Context) -> UsageProblem:
        """For an argument that no parameter takes."""
        word = ctx.args[0]
        if split_path(list(given_paths(ctx)), ctx.args):
            return one_too_many(ctx, ctx.args)
        if uses_of(Path(word)):
            meant, beside = "", self._beside(word)
        else:
            flags = ("--data", "--source") if holds_images(word) else ("--source",)
            known = next((flag for flag in flags if self.knows(flag)), None)
            meant, beside = f"; did you mean {known} {quote(word)}?" if known else "", ""
        return UsageProblem(
            f"{ctx.command_path} takes no further argument{meant}",
            found=repr(word),
            fix=f"leave it out{beside}; {ctx.command_path} --help lists the options",
        )

    def _beside(self, word: str) -> str:
        return f", or compare with it: --compare {quote(word)}" if self.knows("--compare") else ""
