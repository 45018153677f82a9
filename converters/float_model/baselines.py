"""The table of peers' networks from ``keras.applications``, to be measured beside EfficientNet.

Addresses and checksums of the official weights are those ``keras.applications`` publishes
(Apache-2.0). ``converters.float_model.baseline_source`` builds a row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Pixels = Literal["tf", "torch", "caffe"]
FOLDER = "https://storage.googleapis.com/tensorflow/keras-applications/"
_KERNELS = "_weights_tf_dim_ordering_tf_kernels"


@dataclass(frozen=True)
class Baseline:
    """One network of ``keras.applications``.

    Attributes:
        name: of ``--baseline`` and of the files.
        maker: its function there.
        side: of the input, in pixels.
        pixels: the mode of ``preprocess_input`` it was trained with.
        weights_file: of the official weights, below ``FOLDER``.
        md5: as published; None where Keras publishes none, and then nothing is downloaded.
        options: further arguments of the function.
    """

    name: str
    maker: str
    side: int
    pixels: Pixels
    weights_file: str
    md5: str | None
    options: Mapping[str, Any] = field(default_factory=dict)


BASELINES: dict[str, Baseline] = {
    row.name: row
    for row in (
        Baseline(
            "mobilenetv2", "MobileNetV2", 224, "tf",
            f"mobilenet_v2/mobilenet_v2{_KERNELS}_1.0_224.h5", None,
        ),
        Baseline(
            "mobilenetv3", "MobileNetV3Large", 224, "tf",
            "mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float.h5",
            "59e551e166be033d707958cf9e29a6a7", {"include_preprocessing": False},
        ),
        Baseline(
            "resnet50", "ResNet50", 224, "caffe",
            f"resnet/resnet50{_KERNELS}.h5", "2cb95161c43110f7111970584f804107",
        ),
        Baseline(
            "densenet121", "DenseNet121", 224, "torch",
            f"densenet/densenet121{_KERNELS}.h5", "9d60b8095a5708f2dcce2bca79d332c7",
        ),
        Baseline(
            "densenet169", "DenseNet169", 224, "torch",
            f"densenet/densenet169{_KERNELS}.h5", "d699b8f76981ab1b30698df4c175e90b",
        ),
        Baseline(
            "densenet201", "DenseNet201", 224, "torch",
            f"densenet/densenet201{_KERNELS}.h5", "1ceb130c1ea1b78c3bf6114dbdfd8807",
        ),
        Baseline(
            "inceptionv3", "InceptionV3", 299, "tf",
            f"inception_v3/inception_v3{_KERNELS}.h5", "9a0d58056eeedaa3f26cb7ebd46da564",
        ),
        Baseline(
            "vgg16", "VGG16", 224, "caffe",
            f"vgg16/vgg16{_KERNELS}.h5", "64373286793e3c8b2b4e3219cbf3544b",
        ),
    )
}  # fmt: skip
