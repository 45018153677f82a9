"""What a user's ``.tflite`` must be before anything is done to it, told from its structure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from edge_effnet.errors import ModelError
from edge_effnet.files.limits import ACTIVATION_BYTES, RESULTS_BYTES
from edge_effnet.heads.tasks import integer_activations, open_size, refuse_other_tasks
from edge_effnet.tflite.reader import DTYPES, Structure

_BITS = {"float32": 32, "float16": 16, "int32": 32, "uint8": 8, "int64": 64, "bool": 8,
         "int16": 16, "int8": 8, "float64": 64, "uint64": 64, "uint32": 32, "uint16": 16,
         "int4": 4, "int2": 2}  # fmt: skip
_LARGEST_SIDE = 4096
_LARGEST_RANK = 8
_RECURRENT = ("WHILE", "IF", "CALL_ONCE", "LSTM", "RNN", "UNIDIRECTIONAL", "BIDIRECTIONAL", "SVDF")
_STATE = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "HASHTABLE")


def refuse_unreadable(structure: Structure, path: Path) -> None:
    """Refuse what is damaged, no classifier of images, or integers already.

    Raises:
        ModelError: names what it is, and what to do.
    """
    _refuse_inconsistent(structure, path)
    refuse_other_tasks(structure, path.name)
    _refuse_input(structure, path)
    refuse_quantized(structure, path)
    _refuse_operators(structure, path)
    refuse_too_large(structure, path)


def refuse_quantized(structure: Structure, path: Path) -> None:
    """A file that computes in integers is what converting makes: it is run as it is.

    Raises:
        ModelError: with the command that runs it.
    """
    integer = integer_activations(structure)
    if not integer:
        return
    run = "give it a fixed image size where it was made" if open_size(structure) else (
        f"run it as it is: edge-effnet evaluate {quote(str(path))} --data DIR"
    )  # fmt: skip
    raise ModelError(
        f"{path.name} is quantized already",
        found=", ".join(f"{count} {dtype} activations" for dtype, count in integer.most_common()),
        expected="a model whose activations are float",
        fix=f"{run}; to quantize it anew, convert the float model it was made from",
    )


def _refuse_inconsistent(structure: Structure, path: Path) -> None:
    known = set(structure.inputs)
    for index, tensor in enumerate(structure.tensors):
        shape, bits = tensor.shape, _BITS.get(tensor.dtype)
        if len(shape) > _LARGEST_RANK or any(side < 0 for side in shape):
            raise damaged(path, f"a tensor of shape {list(shape)[:9]}")
        if tensor.dtype not in DTYPES:
            raise damaged(path, f"a tensor of an unknown type ({tensor.dtype})")
        if not tensor.constant_bytes:
            continue
        known.add(index)
        if bits and tensor.constant_bytes != math.ceil(math.prod(shape) * bits / 8):
            raise damaged(path, f"{tensor.constant_bytes} bytes for {tensor.dtype} {list(shape)}")
    for operator in structure.operators:
        if not operator.outputs:
            raise damaged(path, f"{operator.name} makes nothing")
        unknown = [index for index in operator.inputs if index >= 0 and index not in known]
        # Variables of recurrent layers are read before they are made, and refused by name.
        if unknown and not operator.name.startswith((*_RECURRENT, *_STATE)):
            raise damaged(path, f"{operator.name} reads a tensor that nothing makes")
        known.update(operator.outputs)
    if not set(structure.outputs) <= known:
        raise damaged(path, "an output that nothing makes")


def refuse_too_large(structure: Structure, path: Path) -> None:
    """A layer may ask for more values than any machine holds, such as an ``UpSampling2D`` of
    60000.

    Raises:
        ModelError: names the first such tensor, or says what all of them take.
    """
    made = [tensor for tensor in structure.tensors if not tensor.constant_bytes]
    refuse_large_results(
        path,
        [(tensor.name, tensor.shape, _BITS.get(tensor.dtype, 8) / 8) for tensor in made],
    )


def refuse_large_results(
    path: Path | str, results: Sequence[tuple[str, Sequence[int], float]]
) -> None:
    """Refuse a network for what it computes.

    Args:
        results: name, shape and bytes of a value of each.

    Raises:
        ModelError: names the first that is too large, or says what all of them take.
    """
    together = 0
    for name, shape, width in results:
        needed = math.ceil(math.prod(map(int, shape)) * width)
        together += needed
        if needed > ACTIVATION_BYTES.value:
            raise ModelError(
                f"{path} needs more memory than there is",
                found=f"{name.split(';')[0]} with a result of " + "x".join(map(str, shape[1:])),
                expected=f"at most {ACTIVATION_BYTES.value >> 20} MiB for one result",
                fix="build the network with a smaller image or a smaller layer there, or set "
                f"{ACTIVATION_BYTES.variable}={needed}",
            )
    RESULTS_BYTES.check(together, str(path), ModelError)


def damaged(path: Path | str, found: str) -> ModelError:
    """The error of a file whose parts contradict each other."""
    return ModelError(
        f"{path} is damaged",
        found=found,
        expected="a whole .tflite file",
        fix="copy or convert it again",
    )


def _refuse_operators(structure: Structure, path: Path) -> None:
    names = [operator.name for operator in structure.operators]
    custom = sorted({name.partition(":")[2] for name in names if name.startswith("CUSTOM:")})
    if custom:
        raise ModelError(
            f"{path.name} has operators that are not TFLite's own",
            found=", ".join(custom[:5]),
            expected="built-in operators only",
            fix="export it without custom or Flex operators (no SELECT_TF_OPS)",
        )
    stateful = sorted({name for name in names if name.startswith((*_RECURRENT, *_STATE))})
    if stateful:
        raise ModelError(
            f"{path.name} is no feed-forward network: it has recurrent layers, loops or variables",
            found=", ".join(stateful[:5]),
            expected="convolutions, poolings and dense layers",
            fix="give a network without LSTM, GRU or RNN layers",
        )
    if not names:
        raise damaged(path, "no operators")


def _refuse_input(structure: Structure, path: Path) -> None:
    shape = structure.tensors[structure.inputs[0]].shape
    if len(shape) != 4 or not {shape[1], shape[3]} & {1, 3} or min(shape) < 1:
        raise ModelError(
            f"{path.name} does not take an image",
            found=f"input shape {list(shape)}",
            expected="[1, height, width, 3], or 1 for grey",
            fix="give a model that classifies images",
        )
    if max(shape) > _LARGEST_SIDE:
        raise damaged(path, f"an input of shape {list(shape)}")
