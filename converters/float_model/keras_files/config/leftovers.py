"""What older versions of Keras leave in a layer's configuration, and what becomes of it.

A row is a layer's class, a key, and what is done with its value. Keys of no row stay, and Keras
refuses those it does not know. Found by comparing ``get_config`` of every layer of tf_keras 2.21
with the parameters of Keras 3.15, and in files of Keras 2.2 to 2.15.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from converters.float_model.keras_files.config.layer_classes import OF_APPLICATIONS

Config = dict[str, Any]

LEGACY_HARD_SIGMOID = "legacy_hard_sigmoid"
"""clip(0.2 x + 0.5), which Keras 2 called ``hard_sigmoid``; Keras 3's is relu6(x + 3) / 6."""

_LEGACY_FUNCTION = {
    "module": None,
    "class_name": "function",
    "config": LEGACY_HARD_SIGMOID,
    "registered_name": LEGACY_HARD_SIGMOID,
}


@dataclass(frozen=True)
class Leftover:
    """A key that Keras 3 does not take.

    Attributes:
        kinds: the classes of layer; empty for all.
        key: of the configuration.
        values: with these it is dropped, as it changes nothing; None for any.
        renamed: the key under which Keras 3 takes it; None to drop it.
    """

    kinds: tuple[str, ...]
    key: str
    values: tuple[Any, ...] | None = None
    renamed: str | None = None


LEFTOVERS: tuple[Leftover, ...] = (
    Leftover(("DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose"), "groups", (1, None)),
    *(
        Leftover(("DepthwiseConv2D", "SeparableConv2D"), f"kernel_{end}")
        for end in ("initializer", "regularizer", "constraint")
    ),
    Leftover(("DepthwiseConv2D", "SeparableConv2D"), "filters_per_channel"),
    Leftover(("LeakyReLU",), "alpha", None, "negative_slope"),
    Leftover(("ReLU",), "theta", None, "threshold"),  # ThresholdedReLU
    *(
        Leftover(("BatchNormalization",), key)
        for key in ("renorm", "renorm_clipping", "renorm_momentum", "fused", "adjustment")
    ),
    Leftover(("BatchNormalization",), "virtual_batch_size"),
    Leftover(("Softmax",), "mask"),
    *(
        Leftover(("MultiHeadAttention",), key)
        for key in ("query_shape", "key_shape", "value_shape", "softmax_robust_masking")
    ),
    Leftover(("UpSampling2D", "ZeroPadding2D", "Cropping2D", "Flatten"), "dim_ordering"),
    *(Leftover((), key) for key in ("batch_input_shape", "batch_shape", "input_dtype")),
    *(Leftover((), key) for key in ("quantization_config", "autocast", "input_length")),
    *(Leftover((), key) for key in ("activity_regularizer", "lora_rank", "lora_alpha")),
)

_INITIALIZED = {
    "BatchNormalization": ("beta", "gamma", "moving_mean", "moving_variance"),
    "Conv1D": ("kernel", "bias"),
    "Conv2D": ("kernel", "bias"),
    "Conv2DTranspose": ("kernel", "bias"),
    "Dense": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise", "bias"),
    "GroupNormalization": ("beta", "gamma"),
    "LayerNormalization": ("beta", "gamma"),
    "MultiHeadAttention": ("kernel", "bias"),
    "PReLU": ("alpha",),
    "SeparableConv2D": ("depthwise", "pointwise", "bias"),
}
"""The layers with weights of their own, and whose initializers they name."""


def without_leftovers(kind: str, config: Mapping[str, Any], *, old: bool) -> Config:
    """A layer's configuration as Keras 3 takes it, in float32 and without what only training uses.

    Args:
        kind: the layer's class, as Keras 3 calls it.
        old: whether Keras 2 wrote it.

    Raises:
        ValueError: a known leftover with a value that would change the answer.
    """
    found = dict(config)
    for row in LEFTOVERS:
        if row.key not in found or (row.kinds and kind not in row.kinds):
            continue
        if row.values is not None and found[row.key] not in row.values:
            raise ValueError(f"{row.key}={found[row.key]!r} in a layer of class {kind}")
        value = found.pop(row.key)
        if row.renamed is not None and value is not None:
            found[row.renamed] = _number(value)
    for key in found:
        if key.endswith(("_regularizer", "_constraint")):
            found[key] = None
    for weight in _INITIALIZED.get(kind, ()):
        found[f"{weight}_initializer"] = "zeros"  # the file's values replace them
    for rewrite in _OF_VALUES.get(kind, ()):
        rewrite(found)
    if "activation" in found:
        found["activation"] = _activation(found["activation"], old=old)
    if "dtype" in found:
        found["dtype"] = "float32"
    return found


def _number(value: Any) -> Any:
    """A setting that some version wrote as an array of one element."""
    if isinstance(value, Mapping):
        value = value.get("config", {}).get("value", value.get("value"))
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value


def _one_axis(config: Config) -> None:
    config["axis"] = _number(config.get("axis", -1))


def _plain_numbers(*keys: str) -> Callable[[Config], None]:
    def rewrite(config: Config) -> None:
        for key in keys:
            if key in config:
                config[key] = _number(config[key])

    return rewrite


def _stored_statistics(config: Config) -> None:
    """Mean and variance that were given as numbers, of any version's form."""
    for key in ("mean", "variance"):
        value = config.get(key)
        if isinstance(value, Mapping):
            value = value.get("config", {}).get("value")
        config[key] = value
    axis = config.get("axis", -1)
    config["axis"] = tuple(axis) if isinstance(axis, list) else axis


_OF_VALUES: dict[str, tuple[Callable[[Config], None], ...]] = {
    "BatchNormalization": (_one_axis,),
    "LeakyReLU": (_plain_numbers("negative_slope"),),
    "ReLU": (_plain_numbers("max_value", "negative_slope", "threshold"),),
    "ELU": (_plain_numbers("alpha"),),
    "Normalization": (_stored_statistics,),
}

ACTIVATIONS = frozenset(
    "celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh"
    " leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid silu soft_shrink"
    " softmax softplus softsign sparse_plus squareplus swish tanh tanh_shrink threshold".split()
)
"""Keras 3's, by name."""

_OTHER_NAMES = {"leakyrelu": "leaky_relu", "softmax_v2": "softmax", "relu_v2": "relu",
                "leaky_relu_v2": "leaky_relu", "sigmoid_v2": "sigmoid", "gelu_new": "gelu",
                "swish1": "swish", "h_swish": "hard_swish", "identity": "linear"}  # fmt: skip


def _activation(value: Any, *, old: bool) -> Any:
    """A function's name, or a layer that stands as a function (``activation=LeakyReLU()``).

    Raises:
        ValueError: none of Keras's.
    """
    if isinstance(value, Mapping):
        kind = str(value.get("class_name"))
        if kind != "function" and kind in ("ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"):
            inner = {"name": kind.lower(), **value.get("config", {})}
            return built_in(kind, without_leftovers(kind, inner, old=old))
        value = value.get("config") if kind == "function" else kind
    if value is None:
        return "linear"
    name = str(value).lower()
    name = _OTHER_NAMES.get(name, name)
    if name not in ACTIVATIONS:
        raise ValueError(f"the activation {value!r}, none of Keras's own")
    return _LEGACY_FUNCTION if old and name == "hard_sigmoid" else name


def built_in(kind: str, config: Config) -> dict[str, Any]:
    """One of Keras's layers in the form its safe mode reads."""
    module = "keras" if kind in ("Functional", "Sequential") else "keras.layers"
    found = {"module": module, "class_name": kind, "config": config, "registered_name": None}
    if kind == "Functional":
        found["module"] = "keras.src.models.functional"
    return {**found, "module": OF_APPLICATIONS.get(kind, found["module"])}
