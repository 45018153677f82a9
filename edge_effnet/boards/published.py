"""Latencies that others published (and ours on x86-64), each with what exactly was measured.

``NETWORKS`` holds those of our own variants. ``REFERENCES`` holds MobileNetV2 on each board, from
which the others are estimated. ``CHECKS`` holds figures that the estimate did not see: the tests
hold it against them, and docs/reference/boards.md says how far off it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Precision = Literal["float", "int8"]
PRECISIONS: tuple[Precision, Precision] = ("float", "int8")


@dataclass(frozen=True)
class Source:
    """Where figures were published.

    Attributes:
        conditions: what was measured there, and how.
    """

    url: str
    conditions: str


@dataclass(frozen=True)
class Measured:
    """One published latency.

    Attributes:
        board: a name of ``table.BOARDS``, or words for another machine.
        network: a name of ``VARIANTS``, or of the network that was measured.
        macs: multiply-adds of that network for one image.
        latency_ms: of one inference, without the preparation of the image.
    """

    board: str
    network: str
    macs: float
    precision: Precision
    latency_ms: float
    source: Source


XNNPACK = Source(
    "https://github.com/google/XNNPACK/blob/master/README.md",
    "XNNPACK's own end2end-bench, all cores, random weights, February 2022; Pi 3 in 32 bits, Pi 4 "
    "in 64; int8 with a scale for each channel",
)
ARM_COURSE = Source(
    "https://learn.arm.com/courses/executorch-on-arm/optimize-image-classification/"
    "evaluate-int8-mobilenetv2/bring-the-runtime-paths-into-one-view/",
    "ExecuTorch with XNNPACK, mean of 50 runs; the page says Raspberry Pi without its number, and "
    "no other than the Pi 5 is this fast",
)
ARM_MODELS = Source(
    "https://huggingface.co/Arm/resnet-50-int8-xnnpack-executorch",
    "ExecuTorch with XNNPACK on a Raspberry Pi 5, 64-bit, median",
)
CORAL_BENCHMARKS = Source(
    "https://coral.ai/docs/edgetpu/benchmarks/",
    "a USB Accelerator on USB 3 of a desktop computer, C++, the model alone",
)
CORAL_MODELS = Source(
    "https://coral.ai/models/image-classification",
    "Coral's page of trained models",
)
LITE_README = Source(
    "https://github.com/tensorflow/tpu/blob/master/models/official/efficientnet/lite/README.md",
    "TensorFlow Lite on a Pixel 4, four threads",
)
OURS = Source(
    "docs/research/figures.md",
    "edge-effnet bench, LiteRT, one thread of an x86-64 server core with VNNI",
)
NCNN_PI3 = Source("https://github.com/Tencent/ncnn/issues/3451", "ncnn, four threads")
NCNN_ZERO2 = Source("https://github.com/Tencent/ncnn/issues/3485", "ncnn, four threads")

# Multiply-adds as github.com/tensorflow/models states them (research/slim/nets).
_V1, _V2, _V3, _RESNET50 = 569e6, 300e6, 215e6, 3500e6

REFERENCES = (
    Measured("pi3", "MobileNetV2", _V2, "float", 79, XNNPACK),
    Measured("pi3", "MobileNetV2", _V2, "int8", 30, XNNPACK),
    Measured("pi4", "MobileNetV2", _V2, "float", 46, XNNPACK),
    Measured("pi4", "MobileNetV2", _V2, "int8", 17, XNNPACK),
    Measured("pi5", "MobileNetV2", _V2, "float", 10.89, ARM_COURSE),
    Measured("pi5", "MobileNetV2", _V2, "int8", 4.01, ARM_COURSE),
    Measured("coral", "MobileNetV2", _V2, "int8", 2.6, CORAL_BENCHMARKS),
)
NETWORKS = (
    Measured("coral", "edgetpu-s", 1789e6, "int8", 5.1, CORAL_BENCHMARKS),
    Measured("coral", "edgetpu-m", 3013e6, "int8", 8.7, CORAL_BENCHMARKS),
    Measured("coral", "edgetpu-l", 7936e6, "int8", 21.3, CORAL_MODELS),
)


@dataclass(frozen=True)
class Check:
    """Two published figures of one machine: the one estimated from the other.

    Attributes:
        dense: whether the estimated network has convolutions over all channels, which take less
            time for a multiply-add than depthwise ones and the 1×1 ones around them.
    """

    known: Measured
    other: Measured
    dense: bool = False

    @property
    def error(self) -> float:
        """Of the estimate, as a share: 0.25 is a quarter too long."""
        estimated = self.known.latency_ms * self.other.macs / self.known.macs
        return estimated / self.other.latency_ms - 1


def reference(board: str, precision: Precision) -> Measured | None:
    """The figure from which latencies on a board are estimated."""
    found = (row for row in REFERENCES if (row.board, row.precision) == (board, precision))
    return next(found, None)


def published(board: str, network: str, precision: Precision) -> Measured | None:
    """The figure that somebody published for one of our networks on a board."""
    asked = (board, network, precision)
    found = (row for row in NETWORKS if (row.board, row.network, row.precision) == asked)
    return next(found, None)


def _check(known: Measured, network: str, macs: float, ms: float, *, dense: bool = False) -> Check:
    other = Measured(known.board, network, macs, known.precision, ms, known.source)
    return Check(known, other, dense)


_PI3, _PI3_INT8, _PI4, _PI4_INT8, _, _PI5_INT8, _CORAL = REFERENCES
_PIXEL4 = Measured("Pixel 4", "lite0", 385e6, "float", 12, LITE_README)
_PIXEL4_INT8 = Measured("Pixel 4", "lite0", 385e6, "int8", 6.5, LITE_README)
_NCNN_PI3 = Measured("pi3 with ncnn", "MobileNetV2", _V2, "float", 120.33, NCNN_PI3)
_NCNN_ZERO2 = Measured("pizero2 with ncnn", "MobileNetV2", _V2, "float", 147.39, NCNN_ZERO2)
_X86 = Measured("x86-64", "MobileNetV2", _V2, "float", 6.7, OURS)
_X86_INT8 = Measured("x86-64", "MobileNetV2", _V2, "int8", 4.9, OURS)
CHECKS = (
    _check(_PI3, "MobileNetV1", _V1, 114),
    _check(_PI3_INT8, "MobileNetV1", _V1, 46),
    _check(_PI4, "MobileNetV1", _V1, 77),
    _check(_PI4_INT8, "MobileNetV1", _V1, 24),
    _check(_PI3, "MobileNetV3-Large", _V3, 67),
    _check(_PI4, "MobileNetV3-Large", _V3, 40),
    _check(_PIXEL4, "lite4", 2553e6, 76),
    _check(_PIXEL4_INT8, "lite4", 2553e6, 30),
    _check(_NCNN_PI3, "b0", 386e6, 153.97),
    _check(_NCNN_ZERO2, "b0", 386e6, 202.14),
    _check(_X86, "lite0", 385e6, 9.6),
    _check(_X86_INT8, "lite0", 385e6, 5.2),
    _check(_X86, "b0", 386e6, 13.1),
    _check(_X86_INT8, "b0", 386e6, 6.7),
    _check(_X86, "v2-b0", 718e6, 16.3, dense=True),
    _check(_X86_INT8, "v2-b0", 718e6, 5.2, dense=True),
    _check(_NCNN_PI3, "v2-b0", 718e6, 175.61, dense=True),
    _check(_NCNN_ZERO2, "v2-b0", 718e6, 228.09, dense=True),
    Check(_PI5_INT8, Measured("pi5", "ResNet-50", _RESNET50, "int8", 20.64, ARM_MODELS), True),
    Check(_CORAL, NETWORKS[0], True),
    Check(_CORAL, NETWORKS[1], True),
)
