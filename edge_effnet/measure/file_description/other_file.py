"""Files of other frameworks, weights alone, archives and folders: what the bytes tell of them."""

from __future__ import annotations

import re
from pathlib import Path

from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import ModelError
from edge_effnet.measure.file_description.description import (
    FileDescription,
    convert_command,
    size_text,
)
from edge_effnet.measure.finding import Finding
from edge_effnet.model_files import ModelFile, quoted, refuse_unconvertible, way
from edge_effnet.model_files.saved_model import unusual_operators

_BEGINNING = 1 << 20
_TENSORFLOW = re.compile(rb"\x2a([\x05-\x20])(\d+\.\d+\.\d+[\w.-]*)")  # MetaInfoDef, field 5
_PRODUCER = re.compile(rb"^\x08.\x12(.)([\x20-\x7e]+)", re.DOTALL)  # ModelProto, field 2
_OUR_VARIANT = re.compile(rb'"variant":\s*\{[^{}]*?"name":\s*"([\w.-]+)"')


def describe_other(found: ModelFile) -> FileDescription:
    """Describe what is neither a TFLite nor a whole Keras model."""
    path, code = found.path, found.kind.code
    facts = [("file", f"{found.kind.title.format(file=quoted(path))}{_size(path)}")]
    if maker := found.maker or _maker(found):
        facts.append(("made by", maker))
    if code in ("saved-model", "saved-model-package"):
        return _saved_model(found, facts)
    if code == "keras-weights" and (variant := _variant(path)):
        facts.append(("network", f"{variant}, as edge-effnet trained it"))
        command = f"edge-effnet convert --variant {variant} --weights {quoted(path)} --int8"
        return FileDescription(path, code, tuple(facts), (), command, extra="train")
    problem = Finding("other-kind", False, "no command here takes it as it is", way(found))
    if "weights" in found.kind.uses:
        problem = Finding("weights-alone", False, "the network itself is not in it", way(found))
    return FileDescription(path, code, tuple(facts), (problem,))


def _saved_model(found: ModelFile, facts: list[tuple[str, str]]) -> FileDescription:
    path, problems = found.path, tuple[Finding, ...]()
    command: str | None = None
    try:
        options = ["--resolution 224"] if refuse_unconvertible(found) else []
        command = convert_command(path, *options, "--data PHOTOS")
        if names := unusual_operators(path):
            what = f"only convert can tell whether TFLite has its operators {', '.join(names)}"
            problems = (Finding("operators", False, what),)
    except ModelError as error:
        what = f"{error.what}: {error.found}" if error.found else error.what
        problems = (Finding("network", False, what, error.fix),)
    return FileDescription(path, found.kind.code, tuple(facts), problems, command, extra="train")


def _size(path: Path) -> str:
    return "" if path.is_dir() else f", {size_text(path.stat().st_size)}"


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_BEGINNING)


def _maker(found: ModelFile) -> str | None:
    path, code = found.path, found.kind.code
    if code == "saved-model" and (path / "saved_model.pb").is_file():
        match = _TENSORFLOW.search(_beginning(path / "saved_model.pb"))
        return f"TensorFlow {_counted(match)}" if match else None
    if code == "onnx" and path.is_file() and (match := _PRODUCER.match(_beginning(path))):
        return _counted(match)
    return None


def _counted(match: re.Match[bytes]) -> str:
    """A text of a protocol buffer: its length, then itself."""
    return match[2][: match[1][0]].decode("ascii")


def _variant(path: Path) -> str | None:
    """The variant of one of our checkpoints, which say so in JSON."""
    match = _OUR_VARIANT.search(_beginning(path))
    name = match[1].decode() if match else None
    return name if name in VARIANTS else None
