"""``edge-effnet``: a group of commands, each imported only when it is called.

It also owns how errors end: one line, an exit code, no traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from edge_effnet import __version__
from edge_effnet.errors import EdgeEffnetError
from edge_effnet.plugins import COMMANDS, load
from edge_effnet.printable import printable
from edge_effnet.system.native_threads import exit_process
from edge_effnet.ui.command_classes import SuggestingGroup
from edge_effnet.ui.shown_commands import with_own_command
from edge_effnet.ui.stop import merge_repeats
from edge_effnet.ui.streams import open_what_is_closed, write_what_can_be_written
from edge_effnet.ui.usage_errors import in_one_line

# Its message is the help, in lines; older versions of click print that themselves.
_GROUP_ALONE: Any = getattr(click.exceptions, "NoArgsIsHelpError", ())
TRACEBACK = "EDGE_EFFNET_TRACEBACK"


class ReaderGone(Exception):
    """Whoever read our output stopped, as in ``edge-effnet variants | head``."""


@contextmanager
def _broken_pipe_noticed() -> Iterator[None]:
    """Before click and rich make an exit code of their own of it."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except SystemExit as stop:
        if isinstance(stop.__context__, BrokenPipeError):  # from rich
            raise ReaderGone from stop
        raise


class LazyGroup(SuggestingGroup):
    """A click group that imports a command's module when the command is called."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _broken_pipe_noticed():  # --help prints from here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _broken_pipe_noticed():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = load(COMMANDS[cmd_name][0])
        assert isinstance(command, click.Command)  # noqa: S101 (the table is ours)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="edge-effnet")
def group() -> None:
    """EfficientNet on small devices: small, fast, and still right.

    \b
    Examples:
      edge-effnet variants b0
      edge-effnet convert --variant b0 --int8 --data photos/
      edge-effnet compare b0-float32.tflite b0-int8.tflite --data photos/
      edge-effnet classify b0-int8.tflite cat.jpg
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the installed command; always ends in ``SystemExit``."""
    # A kill asks for the same care as Ctrl-C: remove what is half-written, say so, stop.
    stop = merge_repeats(signal.default_int_handler)
    signal.signal(signal.SIGTERM, stop)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as in background jobs of a shell
        signal.signal(signal.SIGINT, stop)
    open_what_is_closed()
    write_what_can_be_written()
    exit_process(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    0 done, 1 failed, 2 usage, 3 done but a limit was missed, 130 interrupted.
    """
    try:
        result: Any = group.main(args=arguments, prog_name="edge-effnet", standalone_mode=False)
        sys.stdout.flush()  # what cannot be written fails here, not at the interpreter's end
    except EdgeEffnetError as error:
        return _fail(str(error), error.exit_code)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and not isinstance(error, _GROUP_ALONE):
            return _fail(str(in_one_line(error)), error.exit_code)
        if not isinstance(error, _GROUP_ALONE):
            error.message = printable(error.message)  # type: ignore[misc]  # final for type checkers
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as stop:
        said = stop.__cause__ if isinstance(stop.__cause__, KeyboardInterrupt) else stop  # by click
        if type(said) in (KeyboardInterrupt, click.Abort):
            click.echo("interrupted; nothing half-written was left behind", err=True)
        elif said.args:  # else it was said already how it goes on
            click.echo(f"interrupted; {printable(str(said))}", err=True)
        return 130
    except (ReaderGone, BrokenPipeError):
        # The reader has what it wanted.
        _discard_stdout()
        return 0
    except OSError as error:
        return _fail(_system_said(error), 1)
    except MemoryError:
        return _fail("out of memory; to fix: use a smaller network or fewer images at a time", 1)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        return _fail(
            f"an error that edge-effnet does not know; found {type(error).__name__}: "
            f"{' '.join(str(error).split())[:200]}; to fix: this is a bug: run the command again "
            f"with {TRACEBACK}=1 in its environment, and report what it prints",
            1,
        )
    return result if isinstance(result, int) else 0


def _system_said(error: OSError) -> str:
    """An error of the system that no command turned into one of its own."""
    said = error.strerror or str(error)
    if error.filename is None:
        _discard_stdout()
        return f"the output cannot be written; found {said}; to fix: send it where there is space"
    name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else error.filename
    return f"{name} cannot be used; found {said}; to fix: check the path and its permissions"


def _discard_stdout() -> None:
    """Let what is still buffered for stdout go nowhere when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(line: str, code: int) -> int:
    click.echo(f"error: {printable(with_own_command(line))}", err=True)
    return code
