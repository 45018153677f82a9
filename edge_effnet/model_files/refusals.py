"""The one line for a command that cannot use a file."""

from __future__ import annotations

import shlex
from pathlib import Path

from edge_effnet.errors import ModelError
from edge_effnet.model_files.archives import float_first
from edge_effnet.model_files.convertible import refuse_unconvertible
from edge_effnet.model_files.identify import ModelFile, identify
from edge_effnet.model_files.kinds import Use
from edge_effnet.model_files.saved_model import unusual_operators
from edge_effnet.plurals import counted

_EXPECTED = {
    "run": "a .tflite file",
    "convert": "a .tflite, .keras or whole-model .h5 file, or a SavedModel folder",
    "weights": "official-layout .h5, .keras or .weights.h5, or timm's .safetensors",
}


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def way(found: ModelFile, use: Use = "convert") -> str:
    """What to do with a file, with its own name in it.

    Raises:
        ModelError: it would be to convert it, which ``convert`` is known to refuse.
    """
    path = found.path
    if found.kind.code == "folder-of-model" and found.member:
        members = [identify(path / name) for name in (found.member, *found.others)]
        fitting = [str(one.path) for one in members if use in one.kind.uses]
        return f"give {shlex.quote(float_first(fitting))}" if fitting else way(members[0])
    any_size = "convert" in found.kind.uses and refuse_unconvertible(found)
    return found.kind.way.format(
        file=quoted(path),
        size=" --resolution 224" if any_size else "",
        folder=quoted(path.parent),
        python=repr(str(path)),
        keras=repr(f"{path.stem.removesuffix('.weights') or 'NAME'}.keras"),
    )


def refusal(found: ModelFile, use: Use) -> ModelError:
    """Why a file cannot be used, and what can be done with it instead: what ``convert`` says, of a
    file that it refuses too.

    Args:
        use: what the command wants it for.
    """
    try:
        return _refusal(found, use)
    except ModelError as error:
        return error


def _refusal(found: ModelFile, use: Use) -> ModelError:
    what = f"{found.path} is {found.kind.title.format(file=quoted(found.path))}"
    if found.maker and found.kind.code != "edge-impulse-source":
        what += f", as {found.maker} writes it"
    if "convert" not in found.kind.uses or use == "convert":
        fix = way(found, use)
        return ModelError(what, found=_found(found), expected=_EXPECTED[use], fix=fix)
    if use == "weights":
        return ModelError(f"{what}, not a weight file", expected=_EXPECTED[use], fix=way(found))
    return ModelError(
        f"{what}, which has to be converted before it runs{_doubt(found)}",
        expected=_EXPECTED[use],
        fix=f"{way(found)}, where PHOTOS is a folder with a folder of photos for each class",
    )


def _doubt(found: ModelFile) -> str:
    if found.kind.code != "saved-model" or not (names := unusual_operators(found.path)):
        return ""
    return f", if that is possible with its operators {', '.join(names)}"


def _found(found: ModelFile) -> str | None:
    if found.kind.code != "unknown":
        return None
    with found.path.open("rb") as file:
        head = file.read(8)
    return f"{counted(found.path.stat().st_size, 'byte')} starting with {head!r}"
