"""Which classes of layer a file may name: those of Keras that work on images, and no others.

A file says by name what is to be built. Only a name of these tables reaches Keras; modules and
registered names that a file gives are dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MODELS = frozenset({"Functional", "Model", "Sequential"})

LAYERS = frozenset(
    "Activation Add AdditiveAttention Attention Average AveragePooling1D AveragePooling2D"
    " BatchNormalization CenterCrop Concatenate Conv1D Conv2D Conv2DTranspose Cropping1D"
    " Cropping2D Dense DepthwiseConv2D Dot ELU Flatten GlobalAveragePooling1D"
    " GlobalAveragePooling2D GlobalMaxPooling1D GlobalMaxPooling2D GroupNormalization Identity"
    " InputLayer LayerNormalization LeakyReLU MaxPooling1D MaxPooling2D Maximum Minimum"
    " MultiHeadAttention Multiply Normalization PReLU Permute RMSNormalization RandomCrop ReLU"
    " RepeatVector Rescaling Reshape Resizing SeparableConv2D Softmax Subtract"
    " UnitNormalization UpSampling1D UpSampling2D ZeroPadding1D ZeroPadding2D".split()
)
"""Layers of Keras 3 that a network on images is built from."""

RENAMED = {
    "AvgPool2D": "AveragePooling2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "Convolution2D": "Conv2D",
    "Convolution2DTranspose": "Conv2DTranspose",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "GlobalAvgPool2D": "GlobalAveragePooling2D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalMaxPool2D": "GlobalMaxPooling2D",
    "LayerNormalizationV2": "LayerNormalization",
    "MaxPool2D": "MaxPooling2D",
    "Model": "Functional",
    "SeparableConvolution2D": "SeparableConv2D",
    "SyncBatchNormalization": "BatchNormalization",
    "ThresholdedReLU": "ReLU",
}
"""Other names under which files of some version hold the same layer."""

TRAINING_ONLY = frozenset(
    "ActivityRegularization AlphaDropout AugMix CutMix Dropout FixedDropout GaussianDropout"
    " GaussianNoise MixUp RandAugment RandomBrightness RandomColorDegeneration RandomColorJitter"
    " RandomContrast RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur"
    " RandomGrayscale RandomHeight RandomHue RandomInvert RandomPerspective RandomPosterization"
    " RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomWidth"
    " RandomZoom SpatialDropout1D SpatialDropout2D StochasticDepth".split()
)
"""Layers that hand their input on when a network answers. ``FixedDropout`` is the dropout of the
``efficientnet`` package."""

OF_APPLICATIONS = {
    "CustomScaleLayer": "keras.src.applications.inception_resnet_v2",
    "LayerScale": "keras.src.applications.convnext",
}
"""Layers that networks of ``keras.applications`` bring with them, and Keras 3's module of each."""

OPERATIONS = {
    "keras.src.ops.core": frozenset({"Cast", "StopGradient"}),
    "keras.src.ops.nn": frozenset(
        "Elu Gelu HardSigmoid HardSilu LeakyRelu LogSoftmax Relu Relu6 Selu Sigmoid Silu Softmax"
        " Softplus".split()
    ),
    "keras.src.ops.numpy": frozenset(
        "Abs Absolute Add Clip Concatenate Divide ExpandDims Flip GetItem Max Maximum Mean Minimum"
        " Multiply Negative Pad Reshape Sqrt Square Squeeze Stack Subtract Sum Tanh Transpose"
        " TrueDivide".split()
    ),
}
"""What Keras 3 writes for ``x / 255`` and ``keras.ops.relu(x)`` between layers: by module."""

SEQUENCES = frozenset(
    "Bidirectional ConvLSTM1D ConvLSTM2D Embedding GRU LSTM RNN SimpleRNN TimeDistributed".split()
)
"""Layers for texts and series, named so that the refusal can say why."""


def class_of(layer: Mapping[str, Any]) -> str:
    """The class of a layer as a file names it; ``Custom>LayerScale`` is Keras 2's for its own."""
    return str(layer.get("class_name")).removeprefix("Custom>")


def operation_module(name: str) -> str | None:
    """The module of one of Keras 3's operations; None where there is none of that name."""
    return next((module for module, names in OPERATIONS.items() if name in names), None)
