"""What the tests of the network share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.network.backend import keras_module


@pytest.fixture(scope="session")
def keras() -> Any:
    return keras_module()


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of real weights and images that ``EDGE_EFFNET_REFERENCE`` names."""
    folder = os.environ.get("EDGE_EFFNET_REFERENCE")
    if not folder:
        pytest.skip("EDGE_EFFNET_REFERENCE is not set: no real weights to test with")
    return Path(folder)


@pytest.fixture(scope="session")
def shake() -> Callable[[Any], None]:
    """Give a fresh network statistics and biases that are not all 0 and 1."""

    def shake_weights(model: Any) -> None:
        rng = np.random.default_rng(1)
        for layer in model.layers:
            if type(layer).__name__ == "Normalization":
                continue
            for weight in layer.weights:
                if len(weight.shape) == 1:
                    noise = rng.normal(0, 0.1, weight.shape)
                    weight.assign(np.asarray(weight) + noise)

    return shake_weights


@pytest.fixture(scope="session")
def write_official() -> Callable[..., None]:
    """Write a network as ``keras.applications`` publishes it: by Keras's own writer."""

    def write(model: Any, path: Path, changes: dict[str, list[Any]] | None = None) -> None:
        import h5py
        from keras.src.legacy.saving import legacy_h5_format

        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
            for layer, arrays in (changes or {}).items():
                for name, array in zip(file[layer].attrs["weight_names"], arrays, strict=True):
                    file[layer][name][...] = array

    return write
