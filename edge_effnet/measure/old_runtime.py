"""What tflite-runtime makes of int8: not what LiteRT makes of it."""

from __future__ import annotations

from collections.abc import Collection

from edge_effnet.measure.environment import Environment
from edge_effnet.measure.finding import Finding
from edge_effnet.measure.storage import Storage

_INTEGER_PRODUCTS: frozenset[Storage] = frozenset({"int8", "int8-answer", "int8-part", "dynamic"})


def is_old(runtime: str | None) -> bool:
    """Whether a runtime, as ``Environment.runtime`` names it, is tflite-runtime."""
    return (runtime or "").startswith("tflite-runtime")


def kernels_finding(environment: Environment, storages: Collection[Storage]) -> Finding | None:
    """Which file to use where the runtime has no fast kernels for int8, or where nobody knows;
    None where LiteRT runs, and where such a file is not in question.

    tflite-runtime 2.14.0's wheels for x86-64 and aarch64 hand float operators to XNNPACK and no
    int8 ones; that for armv7l has no XNNPACK at all (nodes of the interpreter, looked at on all
    three). On x86-64, one thread: EfficientNet-B0 at 96 and 224 px, Lite0 and MobileNetV2 took 7
    to 10 times as long in int8 as in float32, and 6 to 14 times in dynamic range; two threads
    helped float32 and not int8; float16 and int8 weights alone took float32's time.

    Args:
        storages: of the files in question.
    """
    if not is_old(environment.runtime):
        return None
    if environment.bits == 32:
        return Finding(
            "int8-unknown",
            False,
            f"{environment.runtime} has no XNNPACK on 32-bit Arm: int8 and float32 both run in its "
            "own kernels, and how much faster or slower int8 is on a 32-bit Pi is unknown; measure "
            "both files on the board",
            "edge-effnet bench NAME-float32.tflite NAME-int8.tflite",
        )
    if not _INTEGER_PRODUCTS & set(storages):
        return None
    arm = "" if environment.machine == "x86_64" else "; on Arm that is unknown"
    return Finding(
        "int8-slow",
        True,
        f"{environment.runtime} computes int8 without XNNPACK, on x86-64 in 7 to 10 times the time "
        f"of float32{arm}; take LiteRT, or with this runtime the float16 file",
        "pip install ai-edge-litert, or edge-effnet convert --float16",
    )
