"""The ready-made model in the package: a Raspberry Pi without TensorFlow has one to run."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from edge_effnet.errors import ModelError


def demo_model() -> Path:
    """Path of the packaged int8 model: EfficientNet-B0 on the classes of ``signs``.

    Raises:
        ModelError: the installation lacks it.
    """
    path = Path(str(resources.files("edge_effnet") / "assets" / "demo" / "b0-int8.tflite"))
    if not path.is_file():
        raise ModelError(
            "this package comes without its signs model",
            expected=path.name,
            fix="pip install --force-reinstall edge-effnet, or give a model with --model",
        )
    return path
