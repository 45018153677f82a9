"""The network of a run at another image size: the same layers and variables, traced once more."""

from __future__ import annotations

from functools import cache
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
        return _weaker_dropout()(layer, layer.rate * stage.strength)

    pixels = keras.Input((stage.side, stage.side, 3), dtype="float32")
    # The same graph, without what it was compiled with: that would be cloned too.
    plain = keras.Model(model.input, model.output, name=model.name)
    return keras.models.clone_model(plain, input_tensors=pixels, clone_function=same_layer)


@cache
def _weaker_dropout() -> Any:
    keras = keras_module()

    class WeakerDropout(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Dropout by another rate, from another layer's stream of random numbers."""

        def __init__(self, dropout: Any, rate: float) -> None:
            super().__init__(name=dropout.name)
            self.dropout, self.rate = dropout, rate

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training:
                return inputs
            return keras.random.dropout(inputs, self.rate, seed=self.dropout.seed_generator)

    return WeakerDropout
