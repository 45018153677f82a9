"""From a ``.h5`` or ``.keras`` file to a network that Keras 3 runs, or a line that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from converters.float_model.keras_files.config.check import all_layers, layer_name
from converters.float_model.keras_files.config.configuration import ConfigUpdate
from converters.float_model.keras_files.config.refuse import refuse_unconvertible
from converters.float_model.keras_files.container import (
    KerasContent,
    damaged,
    open_keras,
    said_by_keras,
)
from converters.float_model.keras_files.pixels import made_by_teachable_machine
from converters.float_model.keras_files.rebuild import TooLarge, rebuild
from edge_effnet.errors import EdgeEffnetError, ModelError

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LoadedNetwork:
    """A network as it answers, and what its file says.

    Attributes:
        update: what was met in its configuration.
        teachable_machine: whether Teachable Machine wrote it.
    """

    network: keras.Model
    update: ConfigUpdate
    teachable_machine: bool


def load_network(path: Path) -> LoadedNetwork:
    """Read and rebuild the network of a ``.h5`` or ``.keras`` file, whatever its name.

    Raises:
        ModelError: no such file, damaged, with layers of unknown kinds or code, or never built.
        MissingExtra: TensorFlow is not installed.
    """
    with open_keras(path) as content:
        try:
            refuse_unconvertible(content.config, path)
            names = tuple(layer_name(layer) for layer in all_layers(content.config))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise damaged(path, f"its configuration: {error}") from error
        update = ConfigUpdate(old=content.keras < 3, names=names)
        try:
            network = rebuild(update.network(content.config), content)
            return LoadedNetwork(network, update, made_by_teachable_machine(content.config))
        except EdgeEffnetError:
            raise
        except TooLarge as error:
            raise damaged(path, error) from error
        except Exception as error:  # Keras raises what it likes
            raise _not_rebuilt(path, content, error) from error


def _not_rebuilt(path: Path, content: KerasContent, error: Exception) -> ModelError:
    """What Keras 3 cannot rebuild, with the way that is left."""
    said = said_by_keras(error)
    if content.keras < 3:
        made = f"{path.stem}.tflite"
        return ModelError(
            f"{path} was written by Keras {content.keras} and Keras 3 cannot rebuild it",
            found=said,
            fix="three lines turn it into a file that can be converted: pip install tf_keras; "
            f'TF_USE_LEGACY_KERAS=1 python -c "import tensorflow as tf; '
            f"m = tf.keras.models.load_model('{path}', compile=False); "
            f"open('{made}', 'wb').write("
            f'tf.lite.TFLiteConverter.from_keras_model(m).convert())"; '
            f"edge-effnet convert --model {quote(made)} --int8",
        )
    return ModelError(
        f"{path} cannot be rebuilt",
        found=said,
        expected="a network of Keras's own layers with its weights",
        fix="save it again with model.save('NAME.keras') where it was trained",
    )
