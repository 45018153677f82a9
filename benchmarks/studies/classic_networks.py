"""Published figures of EfficientNet and of the networks it was built to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SOURCE = "published: keras.io/api/applications; MobileNetV3: keras.applications.MobileNetV3Large"


@dataclass(frozen=True)
class ClassicNetwork:
    """A network as it was published.

    Attributes:
        name: of its files, and for ``convert``.
        option: of ``convert`` that makes it.
        parameters_millions: with the classifier of 1000 classes.
        depth: layers with parameters, as the source counts them; None where it does not.
        top1_percent: on ImageNet's validation images, float, a single crop.
    """

    name: str
    title: str
    option: Literal["--variant", "--baseline"]
    parameters_millions: float
    depth: int | None
    top1_percent: float


# From SOURCE.
CLASSIC: dict[str, ClassicNetwork] = {
    row.name: row
    for row in (
        ClassicNetwork("b0", "EfficientNetB0", "--variant", 5.3, 132, 77.1),
        ClassicNetwork("b1", "EfficientNetB1", "--variant", 7.9, 186, 79.1),
        ClassicNetwork("b2", "EfficientNetB2", "--variant", 9.2, 186, 80.1),
        ClassicNetwork("b3", "EfficientNetB3", "--variant", 12.3, 210, 81.6),
        ClassicNetwork("b4", "EfficientNetB4", "--variant", 19.5, 258, 82.9),
        ClassicNetwork("b5", "EfficientNetB5", "--variant", 30.6, 312, 83.6),
        ClassicNetwork("b6", "EfficientNetB6", "--variant", 43.3, 360, 84.0),
        ClassicNetwork("b7", "EfficientNetB7", "--variant", 66.7, 438, 84.3),
        ClassicNetwork("mobilenetv2", "MobileNetV2", "--baseline", 3.5, 105, 71.3),
        ClassicNetwork("mobilenetv3", "MobileNetV3Large", "--baseline", 5.4, None, 75.6),
        ClassicNetwork("densenet121", "DenseNet121", "--baseline", 8.1, 242, 75.0),
        ClassicNetwork("densenet169", "DenseNet169", "--baseline", 14.3, 338, 76.2),
        ClassicNetwork("densenet201", "DenseNet201", "--baseline", 20.2, 402, 77.3),
        ClassicNetwork("inceptionv3", "InceptionV3", "--baseline", 23.9, 189, 77.9),
        ClassicNetwork("resnet50", "ResNet50", "--baseline", 25.6, 107, 74.9),
        ClassicNetwork("vgg16", "VGG16", "--baseline", 138.4, 16, 71.3),
    )
}
