"""The one door to Keras, h5py, safetensors, pooch and requests.

They are imported on first use, so that a module of this package can be imported, and its
tables read, where they are not installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any

from edge_effnet.errors import MissingExtra
from edge_effnet.system.native_log import native_output_hidden


def keras_module() -> Any:
    """``keras`` with its backend ready (TensorFlow unless ``KERAS_BACKEND`` says otherwise).

    Raises:
        MissingExtra: Keras or the backend is not installed.
    """
    _quiet()
    with native_output_hidden():
        return _required("keras", "tensorflow", "building a network")


def require_keras() -> None:
    """Check that Keras and its backend are installed, without importing them.

    Raises:
        MissingExtra: one of them is not.
    """
    _quiet()
    backend = {"jax": "jax", "torch": "torch"}.get(os.environ["KERAS_BACKEND"], "tensorflow")
    for name in ("keras", backend):
        if importlib.util.find_spec(name) is None:
            raise MissingExtra(name, "train", "building a network")


def h5py_module() -> Any:
    """``h5py``.

    Raises:
        MissingExtra: it is not installed.
    """
    return _required("h5py", "h5py", "reading weight files")


def safetensors_module() -> Any:
    """``safetensors``.

    Raises:
        MissingExtra: it is not installed.
    """
    return _required("safetensors", "safetensors", "reading safetensors files")


def pooch_module() -> Any:
    """``pooch``.

    Raises:
        MissingExtra: it is not installed.
    """
    return _required("pooch", "pooch", "downloading weights")


def requests_module() -> Any:
    """``requests``, which comes with pooch.

    Raises:
        MissingExtra: it is not installed.
    """
    return _required("requests", "requests", "downloading weights")


def _quiet() -> None:
    """Settings that count only before the first import; what the user set stays."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # not a page of CPU features
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")


def _required(name: str, package: str, purpose: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) and error.name else package
        # Without its backend Keras fails too, and then the backend is what is missing.
        shown = package if missing == name else missing
        raise MissingExtra(shown, "train", purpose) from error
