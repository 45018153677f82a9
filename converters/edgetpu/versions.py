"""Which versions of operators the compiler reads: one beyond them, and it refuses the file."""

from __future__ import annotations

from edge_effnet.tflite.reader import Structure

# The newest version of an operator that compiler 16 (of July 2021) reads; one beyond it makes it
# refuse the whole file: "Didn't find op for builtin opcode 'CONV_2D' version '6'" (issues 631 and
# 845; fully connected by TensorFlow 2.6 of that summer).
NEWEST_VERSION = {"CONV_2D": 5, "FULLY_CONNECTED": 9, "TRANSPOSE_CONV": 3}


def too_new(structure: Structure) -> str | None:
    """Why the compiler would not even read the file, or None."""
    for op in structure.operators:
        if op.version > NEWEST_VERSION.get(op.name, op.version):
            return (
                f"the compiler does not read the file: {op.name} is of version {op.version}, it "
                f"knows up to {NEWEST_VERSION[op.name]}"
            )
    return None
