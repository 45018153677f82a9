"""The table of networks: one row describes one network completely (see ``spec.VariantSpec``).

Sources: EfficientNet (Tan & Le 2019, arXiv:1905.11946, Table 1), EfficientNet-Lite and
EfficientNet-EdgeTPU (the rows in github.com/tensorflow/tpu), EfficientNetV2 (Tan & Le 2021,
arXiv:2104.00298, Table 4).
"""

from __future__ import annotations

from dataclasses import replace

from edge_effnet.architecture.spec import (
    BlockKind,
    Normalization,
    Published,
    StageSpec,
    VariantSpec,
)

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


def _stage(
    kind: BlockKind,
    repeats: int,
    kernel: int,
    stride: int,
    expand_ratio: int,
    widths: tuple[int, int],
    se_ratio: float = 0.0,
    skip: bool = True,
) -> StageSpec:
    return StageSpec(kind, repeats, kernel, stride, expand_ratio, *widths, se_ratio, skip)


# Tan & Le 2019, Table 1: operator, layers, kernel, stride, expansion, channels, SE ratio.
B_STAGES = (
    _stage("mbconv", 1, 3, 1, 1, (32, 16), 0.25),
    _stage("mbconv", 2, 3, 2, 6, (16, 24), 0.25),
    _stage("mbconv", 2, 5, 2, 6, (24, 40), 0.25),
    _stage("mbconv", 3, 3, 2, 6, (40, 80), 0.25),
    _stage("mbconv", 3, 5, 1, 6, (80, 112), 0.25),
    _stage("mbconv", 4, 5, 2, 6, (112, 192), 0.25),
    _stage("mbconv", 1, 3, 1, 6, (192, 320), 0.25),
)
LITE_STAGES = tuple(replace(stage, se_ratio=0.0) for stage in B_STAGES)
EDGETPU_STAGES = (
    _stage("fused", 1, 3, 1, 4, (24, 24), skip=False),
    _stage("fused", 2, 3, 2, 8, (24, 32)),
    _stage("fused", 4, 3, 2, 8, (32, 48)),
    _stage("mbconv", 5, 5, 2, 8, (48, 96)),
    _stage("mbconv", 4, 5, 1, 8, (96, 144)),
    _stage("mbconv", 2, 5, 2, 8, (144, 192)),
)
V2_B_STAGES = (
    _stage("fused", 1, 3, 1, 1, (32, 16)),
    _stage("fused", 2, 3, 2, 4, (16, 32)),
    _stage("fused", 2, 3, 2, 4, (32, 48)),
    _stage("mbconv", 3, 3, 2, 4, (48, 96), 0.25),
    _stage("mbconv", 5, 3, 1, 6, (96, 112), 0.25),
    _stage("mbconv", 8, 3, 2, 6, (112, 192), 0.25),
)
V2_S_STAGES = (
    _stage("fused", 2, 3, 1, 1, (24, 24)),
    _stage("fused", 4, 3, 2, 4, (24, 48)),
    _stage("fused", 4, 3, 2, 4, (48, 64)),
    _stage("mbconv", 6, 3, 2, 4, (64, 128), 0.25),
    _stage("mbconv", 9, 3, 1, 6, (128, 160), 0.25),
    _stage("mbconv", 15, 3, 2, 6, (160, 256), 0.25),
)
V2_M_STAGES = (
    _stage("fused", 3, 3, 1, 1, (24, 24)),
    _stage("fused", 5, 3, 2, 4, (24, 48)),
    _stage("fused", 5, 3, 2, 4, (48, 80)),
    _stage("mbconv", 7, 3, 2, 4, (80, 160), 0.25),
    _stage("mbconv", 14, 3, 1, 6, (160, 176), 0.25),
    _stage("mbconv", 18, 3, 2, 6, (176, 304), 0.25),
    _stage("mbconv", 5, 3, 1, 6, (304, 512), 0.25),
)
V2_L_STAGES = (
    _stage("fused", 4, 3, 1, 1, (32, 32)),
    _stage("fused", 7, 3, 2, 4, (32, 64)),
    _stage("fused", 7, 3, 2, 4, (64, 96)),
    _stage("mbconv", 10, 3, 2, 4, (96, 192), 0.25),
    _stage("mbconv", 19, 3, 1, 6, (192, 224), 0.25),
    _stage("mbconv", 25, 3, 2, 6, (224, 384), 0.25),
    _stage("mbconv", 7, 3, 1, 6, (384, 640), 0.25),
)

IMAGENET_STORED = Normalization(255.0, IMAGENET_MEAN, IMAGENET_STD, stored=True)
IMAGENET_CONSTANT = Normalization(255.0, IMAGENET_MEAN, IMAGENET_STD)
CENTRED_127 = Normalization(128.0, (127 / 128,) * 3, (1.0,) * 3)
CENTRED_128 = Normalization(128.0, (1.0,) * 3, (1.0,) * 3)


def _b(
    index: int, width: float, depth: float, resolution: int, dropout: float, top1: float
) -> VariantSpec:
    return VariantSpec(
        name=f"b{index}",
        family="b",
        stages=B_STAGES,
        width=width,
        depth=depth,
        resolution=resolution,
        dropout=dropout,
        activation="swish",
        normalization=IMAGENET_STORED,
        stem_width=32,
        official_weights=f"efficientnetb{index}",
        published=Published(top1),
    )


def _lite(
    index: int, scale: tuple[float, float], resolution: int, dropout: float, top1: Published
) -> VariantSpec:
    return VariantSpec(
        name=f"lite{index}",
        family="lite",
        stages=LITE_STAGES,
        width=scale[0],
        depth=scale[1],
        resolution=resolution,
        dropout=dropout,
        activation="relu6",
        normalization=CENTRED_127,
        stem_width=32,
        fixed_ends=True,
        published=top1,
    )


def _edgetpu(
    size: str, scale: tuple[float, float], resolution: int, top1: Published
) -> VariantSpec:
    return VariantSpec(
        name=f"edgetpu-{size}",
        family="edgetpu",
        stages=EDGETPU_STAGES,
        width=scale[0],
        depth=scale[1],
        resolution=resolution,
        dropout=0.2,
        activation="relu",
        normalization=CENTRED_127,
        stem_width=32,
        published=top1,
    )


def _v2(
    size: str,
    stages: tuple[StageSpec, ...],
    scale: tuple[float, float],
    resolution: int,
    dropout: float,
    top1: float,
) -> VariantSpec:
    return VariantSpec(
        name=f"v2-{size}",
        family="v2",
        stages=stages,
        width=scale[0],
        depth=scale[1],
        resolution=resolution,
        dropout=dropout,
        activation="swish",
        normalization=IMAGENET_CONSTANT if size.startswith("b") else CENTRED_128,
        stem_width=stages[0].width_in,
        round_up_below=0.0,
        batch_norm_momentum=0.9,
        dwconv_suffix="dwconv2",
        official_weights=f"efficientnetv2-{size}",
        published=Published(top1),
    )


_ROWS = (
    _b(0, 1.0, 1.0, 224, 0.2, 77.1),
    _b(1, 1.0, 1.1, 240, 0.2, 79.1),
    _b(2, 1.1, 1.2, 260, 0.3, 80.1),
    _b(3, 1.2, 1.4, 300, 0.3, 81.6),
    _b(4, 1.4, 1.8, 380, 0.4, 82.9),
    _b(5, 1.6, 2.2, 456, 0.4, 83.6),
    _b(6, 1.8, 2.6, 528, 0.5, 84.0),
    _b(7, 2.0, 3.1, 600, 0.5, 84.3),
    _lite(0, (1.0, 1.0), 224, 0.2, Published(75.1, 74.4, 407)),
    _lite(1, (1.0, 1.1), 240, 0.2, Published(76.7, 75.9, 631)),
    _lite(2, (1.1, 1.2), 260, 0.3, Published(77.6, 77.0, 899)),
    _lite(3, (1.2, 1.4), 280, 0.3, Published(79.8, 79.0, 1440)),
    _lite(4, (1.4, 1.8), 300, 0.3, Published(81.5, 80.2, 2640)),
    _edgetpu("s", (1.0, 1.0), 224, Published(77.23, 77.0)),
    _edgetpu("m", (1.0, 1.1), 240, Published(78.69, 78.6)),
    _edgetpu("l", (1.2, 1.4), 300, Published(80.62, 80.2)),
    _v2("b0", V2_B_STAGES, (1.0, 1.0), 224, 0.2, 78.7),
    _v2("b1", V2_B_STAGES, (1.0, 1.1), 240, 0.2, 79.8),
    _v2("b2", V2_B_STAGES, (1.1, 1.2), 260, 0.3, 80.5),
    _v2("b3", V2_B_STAGES, (1.2, 1.4), 300, 0.3, 82.1),
    _v2("s", V2_S_STAGES, (1.0, 1.0), 384, 0.2, 83.9),
    _v2("m", V2_M_STAGES, (1.0, 1.0), 480, 0.3, 85.2),
    _v2("l", V2_L_STAGES, (1.0, 1.0), 480, 0.4, 85.7),
)
VARIANTS: dict[str, VariantSpec] = {row.name: row for row in _ROWS}
