"""The network of a run at another image size: the same layers and variables, traced once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edge_effnet.network.backend import keras_module
from edge_effnet.training.image_sizes import SizeStage

if TYPE_CHECKING:
    import keras

_DROPOUT_LAYER = "top_dropout"


def network_at(model: keras.Model, stage: SizeStage) -> keras.Model:
    """A functional model of the layers of ``model`` for images of a stage; not compiled.

    Its dropout before the classifier has the stage's share of the rate, and draws from the same
    stream: every variable is one of ``model``, so that a stored run needs to know nothing of it.
    """
    keras = keras_module()

    def same_layer(layer: Any) -> Any:
        if layer.name != _DROPOUT_LAYER or stage.strength == 1 or not layer.rate:
            return layer
        settings = layer.get_config()
        weaker = type(layer).from_config({**settings, "rate": layer.rate * stage.strength})
        weaker.seed_generator = layer.seed_generator
        return weaker

    pixels = keras.Input((stage.side, stage.side, 3), dtype="float32")
    return keras.models.clone_model(model, input_tensors=pixels, clone_function=same_layer)
