"""``Lambda(preprocess_input)`` of ``keras.applications``, recognized by its name and module.

Keras 2 writes the function's module beside its name. Keras 3 writes ``builtins`` for every
function, also for one of the author's own: then the network of ``keras.applications`` in the same
file says whose it most likely is, and the user is told. Code that a file holds is never loaded or
run.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

_NAME = "preprocess_input"
Mode = Literal["tf", "torch", "caffe", "none"]

MODES: dict[str, Mode] = {
    **dict.fromkeys(
        "inception_resnet_v2 inception_v3 mobilenet mobilenet_v2 nasnet resnet_v2 xception".split(),
        "tf",
    ),
    "densenet": "torch",
    **dict.fromkeys("resnet resnet50 vgg16 vgg19".split(), "caffe"),
    **dict.fromkeys(
        "convnext efficientnet efficientnet_v2 mobilenet_v3 regnet resnet_rs".split(), "none"
    ),
}  # fmt: skip
"""Mode of ``preprocess_input`` by module. Source: keras.applications, ``preprocess_input``."""

_NETWORKS: tuple[tuple[str, str], ...] = (
    (r"mobilenetv2|block_1_expand$", "mobilenet_v2"),
    (r"mobilenetv3|(expanded_conv_1/)?expanded_conv.*squeeze_excite", "mobilenet_v3"),
    (r"mobilenet_[01]|conv_pw_1$", "mobilenet"),
    (r"efficientnetv2", "efficientnet_v2"),
    (r"efficientnet|block1a_se_reduce$", "efficientnet"),
    (r"inception_resnet|block35_1_mixed$", "inception_resnet_v2"),
    (r"inception_v3|mixed10$", "inception_v3"),
    (r"xception|block14_sepconv2$", "xception"),
    (r"nasnet|normal_conv_1_", "nasnet"),
    (r"resnet\d+v2|post_bn$", "resnet_v2"),
    (r"resnet\d+|conv2_block1_3_bn$", "resnet"),
    (r"vgg1[69]|block5_conv3$", "vgg16"),
    (r"densenet|pool2_bn$|pool2/bn$", "densenet"),
    (r"convnext", "convnext"),
)
"""What a network of ``keras.applications`` is called where it is nested, or a layer that only it
has where it is not; the first that fits."""

_MODULE = re.compile(
    r"(?:tf_)?(?:keras|tensorflow\.keras|tensorflow\.python\.keras|keras_applications)"
    r"(?:\.api(?:\._v\d)?)?(?:\.keras)?(?:\.src)?(?:\.applications)?\.(?P<name>\w+)"
)


def mode_of(config: Mapping[str, Any], names: Iterable[str]) -> Mode | None:
    """The mode of ``preprocess_input`` that a ``Lambda`` layer calls; None for any other function.

    Args:
        config: of the layer.
        names: of all layers and nested networks of the file.
    """
    if config.get("arguments") or config.get("mask"):
        return None
    function, module = config.get("function"), str(config.get("module"))
    if isinstance(function, Mapping):
        module = str(function.get("module"))
        named = function.get("class_name") == "function" and function.get("config") == _NAME
    elif config.get("function_type") == "function":
        named = function == _NAME
    else:
        named = _is_code_of_it(function)
    if not named:
        return None
    if module == "builtins":
        modes = {MODES[family] for name in names if (family := _family(name)) is not None}
        return modes.pop() if len(modes) == 1 else None
    matched = _MODULE.fullmatch(module)
    return MODES.get(matched["name"]) if matched else None


def guess_said(config: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """What a ``preprocess_input`` was taken for whose module the file does not say: the family and
    what it computes; None where the module is said."""
    function = config.get("function")
    if not isinstance(function, Mapping) or function.get("module") != "builtins":
        return None
    family = next(found for name in names if (found := _family(name)) is not None)
    return f"keras.applications.{family}: {_FORMULAS[MODES[family]]}"


def _is_code_of_it(function: Any) -> bool:
    """Whether compiled code, which Keras 2 stores for every function, bears the name. Its bytes
    are searched and never loaded; that they come from ``keras.applications`` says the module."""
    code = function[0] if isinstance(function, list) and function else None
    if not isinstance(code, str):
        return False
    try:
        compiled = base64.b64decode(code)
    except ValueError:
        return False
    return _NAME.encode() in compiled and b"decode_predictions" not in compiled


def _family(name: str) -> str | None:
    return next((family for text, family in _NETWORKS if re.match(text, name.lower())), None)


_FORMULAS: dict[Mode, str] = {
    "tf": "x / 127.5 - 1",
    "torch": "(x / 255 - mean) / std, those of ImageNet",
    "caffe": "blue first, minus ImageNet's means",
    "none": "x as it is",
}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, for pixels / 255
_BGR_MEAN = (103.939, 116.779, 123.68)


def as_layer(mode: Mode, name: str) -> dict[str, Any]:
    """Class and configuration of the layer that computes a mode.

    Source: keras.applications.imagenet_utils.preprocess_input.
    """
    if mode == "tf":
        config: dict[str, Any] = {"scale": 1 / 127.5, "offset": -1.0}
        return {"class_name": "Rescaling", "config": {"name": name, **config}}
    if mode == "none":
        return {"class_name": "Identity", "config": {"name": name}}
    scale, offset = [1.0, 1.0, 1.0], [-value for value in _BGR_MEAN]
    if mode == "torch":
        scale = [1 / (255 * std) for std in _STD]
        offset = [-mean / std for mean, std in zip(_MEAN, _STD, strict=True)]
    config = {"scale": scale, "offset": offset, "reverse": mode == "caffe"}
    return {"class_name": "PixelMatrix", "config": {"name": name, **config}}
