"""Weights in safetensors files, read by the package ``safetensors``: a table of names, shapes and
places in JSON, and the values; the package checks that each fits the others before it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from edge_effnet.errors import EdgeEffnetError, ModelError, WeightsError
from edge_effnet.files.damage import reason
from edge_effnet.files.limits import CONFIG_BYTES, WEIGHTS_BYTES
from edge_effnet.files.read import open_file, read_bytes
from edge_effnet.model_files import identify
from edge_effnet.network.backend import safetensors_module
from edge_effnet.network.weights.files import Array

_READ = {"F32": "<f4", "F16": "<f2"}
_COUNTERS = ("I64",)  # batch normalization's, of the steps it was trained for
_LENGTH_BYTES = 8  # of the header's length, in front of it


def is_safetensors(path: Path) -> bool:
    """Whether a file looks like one; its name is not looked at."""
    try:
        return identify(path).kind.code == "safetensors"
    except ModelError:
        return False


def read_safetensors(path: Path) -> dict[str, Array]:
    """Tensors by name, float32; counters (int64) are left out.

    Raises:
        WeightsError: missing, damaged, above the limit, or of numbers that NumPy does not have.
        MissingExtra: the package is not installed.
    """
    _check_header(path)
    content = read_bytes(path, WEIGHTS_BYTES, WeightsError)
    found: dict[str, Array] = {}
    with _damage_of(path):
        for name, tensor in safetensors_module().deserialize(content):
            kind = tensor["dtype"]
            if kind in _COUNTERS:
                continue
            if kind not in _READ:
                raise _other_numbers(path, name, kind)
            values = np.frombuffer(tensor["data"], _READ[kind]).reshape(tensor["shape"])
            found[name] = values.astype(np.float32, copy=False)
    return found


def tensor_shape(path: Path, name: str) -> tuple[int, ...] | None:
    """The shape of one tensor, None where there is none of that name; reads the header alone.

    Raises:
        As ``read_safetensors``.
    """
    _check_header(path)
    with _damage_of(path), safetensors_module().safe_open(path, framework="np") as file:
        return tuple(file.get_slice(name).get_shape()) if name in file.keys() else None  # noqa: SIM118


def _check_header(path: Path) -> None:
    """Refuse a table of any length: it is parsed whole."""
    with open_file(path) as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
    CONFIG_BYTES.check(length, str(path), WeightsError)


@contextmanager
def _damage_of(path: Path) -> Iterator[None]:
    try:
        yield
    except EdgeEffnetError:
        raise
    except (safetensors_module().SafetensorError, ValueError, LookupError, OSError) as error:
        raise WeightsError(
            f"{path} is damaged",
            found=reason(error),
            expected="a safetensors file",
            fix="copy or download it again",
        ) from error


def _other_numbers(path: Path, name: str, kind: str) -> WeightsError:
    return WeightsError(
        f"{path} holds numbers that are not read here",
        found=f"{kind} in {name}",
        expected="float32 (F32) or float16 (F16)",
        fix="save it in float32 in the program that wrote it: model.float() in PyTorch",
    )
