"""The table of quantization recipes.

A row describes a recipe completely; a new recipe is a row, its command-line flag, file name
and tests follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_effnet.errors import UsageProblem

WeightType = Literal["float32", "float16", "int8"]
ActivationType = Literal["float32", "int8", "int16"]
Compute = Literal["float", "integer"]
Granularity = Literal["channel", "tensor"]


@dataclass(frozen=True)
class QuantRecipe:
    """One way to quantize a model.

    Attributes:
        name: in file names (``b0-int8.tflite``) and of the flag (``--int8``).
        weights, activations: how each is stored in the file.
        compute: ``integer`` multiplies integers; ``float`` expands the weights first.
        summary: when one would want it, and its price (measured, see the figures).
        dense_scales: one scale for each channel of a fully connected layer, or one in all.
            Convolutions always have one for each channel.
        float_answer: whether the last layer and what is behind it compute in float.
        edge_tpu: checked with the Edge TPU preflight after conversion.
    """

    name: str
    weights: WeightType
    activations: ActivationType
    compute: Compute
    summary: str
    dense_scales: Granularity = "channel"
    float_answer: bool = False
    edge_tpu: bool = False

    def __post_init__(self) -> None:
        if self.activations != "float32" and self.weights != "int8":
            raise UsageProblem(
                f"recipe {self.name}: integer activations need int8 weights",
                found=f"{self.weights} weights",
                fix="the runtime has no kernels for it; choose int8 weights",
            )
        if self.activations != "float32" and self.compute != "integer":
            raise UsageProblem(
                f"recipe {self.name}: integer activations are computed in integers",
                found=f"{self.compute} compute",
                fix="set compute to integer",
            )
        if self.compute == "integer" and self.weights != "int8":
            raise UsageProblem(
                f"recipe {self.name}: integer compute needs int8 weights",
                found=f"{self.weights} weights",
                fix="set weights to int8 or compute to float",
            )
        if (self.edge_tpu or self.dense_scales == "tensor") and self.activations != "int8":
            raise UsageProblem(
                f"recipe {self.name}: the Edge TPU computes in int8 alone",
                found=f"{self.activations} activations",
                fix="set activations to int8",
            )

    @property
    def calibrated(self) -> bool:
        """Whether activation ranges must be known beforehand."""
        return self.activations != "float32"

    @property
    def full_integer(self) -> bool:
        """Whether no float operator may remain in the file, but for those of the answer."""
        return self.activations == "int8"


FLOAT32 = "float32"  # the reference every recipe starts from and is compared with
UNPRUNED = "unpruned"  # the float file before --prune: then it is the reference
RECIPES: dict[str, QuantRecipe] = {
    recipe.name: recipe
    for recipe in (
        QuantRecipe(
            "int8",
            "int8",
            "int8",
            "integer",
            "For every CPU: integers up to the last layer, 0.27 of the size, fastest.",
            float_answer=True,
        ),
        QuantRecipe(
            "edgetpu",
            "int8",
            "int8",
            "integer",
            "For a Coral Edge TPU: int8, every operator checked, and compiled if edgetpu_compiler "
            "is installed.",
            edge_tpu=True,
        ),
        QuantRecipe(
            "int16x8",
            "int8",
            "int16",
            "integer",
            "For a chip that wants int16 activations; on a CPU ten and more times slower than "
            "float.",
        ),
        QuantRecipe(
            "dynamic",
            "int8",
            "float32",
            "integer",
            "For a program that wants TensorFlow Lite's dynamic range: nothing to calibrate, no "
            "faster than float.",
        ),
        QuantRecipe(
            "weights8",
            "int8",
            "float32",
            "float",
            "Where int8 costs too much accuracy and only the download counts: int8 weights, 0.27 "
            "of the size, at float speed.",
        ),
        QuantRecipe(
            "float16",
            "float16",
            "float32",
            "float",
            "Where float's accuracy must stay and only the download counts: half the size, at "
            "float speed on a CPU.",
        ),
    )
}
