"""The network of a run at another image size: the same layers and variables, traced once more."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from edge_effnet.network.backend import keras_module
from edge_effnet.training.cluster.shares import Share
from edge_effnet.training.image_sizes.stages import SizeStage
from edge_effnet.training.steps.shared_layers import dropped_out

if TYPE_CHECKING:
    import keras

_DROPOUT_LAYER = "top_dropout"


def network_at(model: keras.Model, stage: SizeStage, share: Share | None = None) -> keras.Model:
    """A functional model of the layers of ``model`` for images of a stage; not compiled.

    Its dropout before the classifier has the stage's share of the rate, and draws from the same
    stream: every variable is one of ``model``, so that a stored run needs to know nothing of it.

    Args:
        share: the rows of a batch of the stage that this one of several workers computes; None for
            one worker.
    """
    keras = keras_module()

    def same_layer(layer: Any) -> Any:
        if not isinstance(layer, keras.layers.Dropout) or not layer.rate:
            return layer
        strength = stage.strength if layer.name == _DROPOUT_LAYER else 1.0
        if strength == 1 and share is None:
            return layer
        return _stage_dropout()(layer, layer.rate * strength, share)

    pixels = keras.Input((stage.side, stage.side, 3), dtype="float32")
    # The same graph, without what it was compiled with: that would be cloned too.
    plain = keras.Model(model.input, model.output, name=model.name)
    return keras.models.clone_model(plain, input_tensors=pixels, clone_function=same_layer)


@cache
def _stage_dropout() -> Any:
    keras = keras_module()

    class StageDropout(keras.layers.Layer):  # type: ignore[misc, name-defined]
        """Another dropout layer by its own rate and rows, from that one's random numbers."""

        def __init__(self, dropout: Any, rate: float, share: Share | None) -> None:
            super().__init__(name=dropout.name)
            self.dropout, self.rate, self.share = dropout, rate, share

        def call(self, inputs: Any, training: bool = False) -> Any:
            if not training:
                return inputs
            return dropped_out(inputs, self.dropout, self.rate, self.share)

    return StageDropout
