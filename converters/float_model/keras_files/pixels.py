"""What a Keras file says of how an image becomes the network's input.

A rescaling inside is found in the exported file, as it is for every other kind of file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from converters.float_model.keras_files.simplify import OWN_LAYER
from edge_effnet.image.found import FoundPreprocess
from edge_effnet.image.preprocessing import Preprocess

if TYPE_CHECKING:
    import keras


def made_by_teachable_machine(config: Mapping[str, Any]) -> bool:
    """Whether a file's configuration has Teachable Machine's fingerprint: two Sequentials in a
    Sequential, an input ``sequential_1_input``, a layer ``dense_Dense1``."""
    layers = [layer["config"] for layer in config["config"].get("layers", [])]
    kinds = [layer["class_name"] for layer in config["config"].get("layers", [])]
    inner = [layer for layer in layers if "layers" in layer]
    names = [str(x["config"].get("name", "")) for layer in inner for x in layer["layers"]]
    return (
        config.get("class_name") == "Sequential"
        and kinds.count("Sequential") == 2
        and any(name.startswith("dense_Dense") for name in names)
    )


def teachable_machine_pixels(default: Preprocess) -> FoundPreprocess:
    """The central square from −1 to 1, as Teachable Machine's own page feeds it."""
    settings = replace(default, fit="crop", crop=1.0, mean=(127.5,), std=(127.5,))
    return FoundPreprocess(settings, "the way Teachable Machine exports")


def prepares_pixels(network: keras.Model) -> bool:
    """Whether ``preprocess_input`` that turns RGB into BGR or takes ImageNet's mean out is part
    of the network."""
    return any(type(layer).__name__ == OWN_LAYER for layer in _all_layers(network))


def _all_layers(network: Any) -> Iterator[Any]:
    for layer in network.layers:
        if hasattr(layer, "layers"):
            yield from _all_layers(layer)
        else:
            yield layer
