"""What a command wants that was not given: one line with an example, in place of click's
"Missing option '--data'"."""

from __future__ import annotations

import click

from edge_effnet.errors import UsageProblem

# As --help shows them: what the command needs, and what is expected there.
_WANTED: dict[str, tuple[str, str]] = {
    "--count": ("a number of images", "how many to render over all classes, such as -n 1600"),
    "--data": ("images", "a folder with one folder per class, or a CSV file"),
    "--out": ("a name for what it writes", "a file name behind -o"),
    "--variant": ("a network", "the name of a variant, as edge-effnet variants lists them"),
    "CANDIDATE": ("a second model", "the model to compare with REFERENCE, such as b0-int8.tflite"),
    "DIR": ("a folder to write to", "a name for it"),
    "FILE_OR_FOLDER...": ("something to copy", "model files, or folders of models and photos"),
    "IMAGE...": ("images", "one image file or several, such as cat.jpg"),
    "MODEL": ("a model", "a model file, such as b0-int8.tflite"),
    "MODELS": ("a model", "one model file or several, such as b0-int8.tflite"),
    "NAME@HOST": ("a Raspberry Pi", "your user name there and its address"),
    "NAME@HOST[:DIR]": ("a Raspberry Pi", "your user name there, its address and the folder"),
    "NAME@HOST[:PATH]": ("a Raspberry Pi", "your user name there and its address"),
    "NEW": ("a second result", "the JSON file of the newer one, as bench --json writes it"),
    "OLD": ("two results of bench", "JSON files, as bench --json writes them"),
    "PHOTOS": ("photos", "a folder with one folder per class, such as photos/robin/, photos/wren/"),
    "REFERENCE": ("two models", "the one to compare with, such as b0-float32.tflite, first"),
    "SOURCES": ("results", "JSON files of bench, evaluate, compare, convert or camera"),
}


def missing(name: str) -> UsageProblem:
    """The error of the command that runs, where a parameter is missing that only some uses need.

    Args:
        name: of the parameter.
    """
    context = click.get_current_context()
    return _problem(context, next(one for one in context.command.params if one.name == name))


def explained(error: click.MissingParameter) -> Exception:
    """What click found missing in this project's form; the same where it is not known."""
    if error.ctx is None or error.param is None or shown_name(error.param) not in _WANTED:
        return error
    return _problem(error.ctx, error.param)


def _problem(context: click.Context, param: click.Parameter) -> UsageProblem:
    flag = shown_name(param)
    what, expected = _WANTED[flag]
    command = context.command_path.partition(" ")[2]
    return UsageProblem(
        f"{command} needs {what}",
        found=f"no {flag}",
        expected=expected,
        fix=f"for example: {_example(context, flag)}",
    )


def shown_name(param: click.Parameter) -> str:
    """``--data``, or of an argument ``MODEL``."""
    if isinstance(param, click.Argument):
        return (param.metavar or str(param.name)).upper()
    return max(param.opts, key=len)


def _example(context: click.Context, flag: str) -> str:
    """The first example of ``--help`` that has the option, else the first."""
    lines = [line.strip() for line in (context.command.help or "").splitlines()]
    examples = [line for line in lines if line.startswith(f"{context.command_path} ")]
    return next((line for line in examples if flag in line), examples[0])
