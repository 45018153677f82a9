"""Every layer of a file against the tables, before anything of it is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from converters.float_model.keras_files.config.arithmetic import known_function
from converters.float_model.keras_files.config.layer_classes import (
    LAYERS,
    MODELS,
    OF_APPLICATIONS,
    RENAMED,
    SEQUENCES,
    TRAINING_ONLY,
    class_of,
    operation_module,
)
from converters.float_model.keras_files.config.preprocess_input import mode_of
from edge_effnet.errors import ModelError

_FOREIGN = frozenset({"FixedDropout", *OF_APPLICATIONS})  # with registered names of their own
_BUILT_IN = LAYERS | MODELS | frozenset(RENAMED) | TRAINING_ONLY | _FOREIGN | {"SlicingOpLambda"}
_ELSEWHERE = (
    "convert it where that layer is defined, in your script: "
    "tf.lite.TFLiteConverter.from_keras_model(model).convert(), written to {made}, then "
    "edge-effnet convert --model {made} --int8"
)


def all_layers(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every layer of a network, those of nested networks and the networks themselves included.

    Raises:
        KeyError, TypeError: the configuration is not one of a network.
    """
    if not isinstance(config, dict) or not isinstance(config.get("config"), dict):
        raise TypeError("a layer without a configuration")
    yield config
    if str(config.get("class_name")) in MODELS:
        for layer in config["config"]["layers"]:
            yield from all_layers(layer)


def layer_name(layer: Mapping[str, Any]) -> str:
    """The name of a layer, of any version."""
    return str(layer.get("name") or layer["config"].get("name"))


def refuse_unknown_layers(config: Mapping[str, Any], path: Path) -> None:
    """Nothing but Keras's own layers for images, known arithmetic and known preprocessing.

    Raises:
        ModelError: names the first other layer and what can be done.
    """
    if str(config.get("class_name")) not in MODELS:
        raise _refusal(config, path, "a network written as a class of its author's")
    layers = list(all_layers(config))
    names = [layer_name(layer) for layer in layers]
    for layer in layers:
        kind = class_of(layer)
        _refuse_quantized(layer, path)
        if kind == "Lambda":
            if mode_of(layer["config"], names) is None:
                raise _unknown_lambda(layer, path)
        elif kind in SEQUENCES:
            raise ModelError(
                f"{path} is no network for single images",
                found=f"the layer {layer_name(layer)} ({kind}), made for series",
                expected="convolutions, dense layers and what stands between them",
                fix="convert a network that classifies one image at a time",
            )
        elif kind in ("TFOpLambda", "TensorFlowOpLayer"):
            if known_function(layer) is None:
                function = layer["config"].get("function") or "a TensorFlow operation"
                raise _refusal(layer, path, f"{function}, no plain arithmetic")
        elif not _is_built_in(layer, kind):
            raise _refusal(layer, path, "no layer of Keras for images")


def _refuse_quantized(layer: Mapping[str, Any], path: Path) -> None:
    dtype = layer["config"].get("dtype")
    if isinstance(dtype, Mapping) and str(dtype.get("class_name")).startswith("Quantized"):
        raise ModelError(
            f"{path} was quantized by Keras",
            found=f"{layer_name(layer)} in {_quantization(dtype.get('config'))}",
            expected="a network in float",
            fix="save it before model.quantize(…); convert makes int8 of it",
        )


def _quantization(config: Any) -> str:
    return str(config.get("name", "few bits")) if isinstance(config, Mapping) else "few bits"


def _is_built_in(layer: Mapping[str, Any], kind: str) -> bool:
    module, registered = layer.get("module"), layer.get("registered_name")
    foreign = registered not in (None, kind) or (
        module is not None and not str(module).startswith(("keras", "tf_keras", "tensorflow."))
    )
    known = kind in _BUILT_IN or operation_module(kind) is not None
    return known and (not foreign or kind in _FOREIGN)


def _unknown_lambda(layer: Mapping[str, Any], path: Path) -> ModelError:
    return ModelError(
        f"{path} holds code that is never run",
        found=f"the Lambda layer {layer_name(layer)}",
        expected="Keras's own layers, or Lambda(preprocess_input) of keras.applications beside "
        "its network",
        fix="build the network without that layer, for example with keras.layers.Rescaling, copy "
        "the weights (new.set_weights(old.get_weights())) and save it again; or "
        + _ELSEWHERE.format(made=quote(f"{path.stem}.tflite")),
    )


def _refusal(layer: Mapping[str, Any], path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path} holds a layer that cannot be rebuilt",
        found=f"{layer['config'].get('name') or 'the network'} ({layer.get('class_name')}), {why}",
        expected="Keras's own layers",
        fix=_ELSEWHERE.format(made=quote(f"{path.stem}.tflite")),
    )
