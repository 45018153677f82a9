"""A peer's network through the same export and recipes as ours.

Its preprocessing becomes part of the graph, so that it takes pixels 0–255 as our networks do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converters.float_model.baselines import FOLDER, Baseline, Pixels
from converters.float_model.source import Source, checked_names, exported_step, file_origin
from edge_effnet.data.labels import imagenet_labels
from edge_effnet.errors import UsageProblem, WeightsError
from edge_effnet.files.cache import cache_folder
from edge_effnet.heads.head import find_head
from edge_effnet.image.preprocess_text import parse_preprocess
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.tflite.reader import parse_structure

# Mean and deviation of ImageNet: keras.applications.imagenet_utils.preprocess_input.
_MEAN, _STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
_BGR_MEAN = np.array([103.939, 116.779, 123.68])


def from_baseline(
    row: Baseline,
    *,
    weights: str,
    resolution: int | None = None,
    labels: Sequence[str] | None = None,
    preprocess: str | None = None,
) -> Source:
    """Build a peer's network, load its weights and export it. Needs the ``train`` extra.

    Args:
        weights: ``imagenet`` (or ``auto``): the official file; ``random``: for latency; or the
            path of a file in the official layout.

    Raises:
        WeightsError: no weights, or they do not fit.
        MissingExtra: TensorFlow is not installed.
        UsageProblem: a choice of weights that does not exist here.
    """
    from converters.float_model.export import export_peer
    from edge_effnet.network.backend import keras_module

    keras = keras_module()
    path, origin = _weights(row, weights)
    side = resolution or row.side
    network = getattr(keras.applications, row.maker)(
        weights=None, input_shape=(side, side, 3), **row.options
    )
    if path is not None:
        try:
            network.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            raise WeightsError(
                f"{path} does not fit {row.name}",
                found=" ".join(str(error).split())[:200],
                expected=f"the official layout of keras.applications.{row.maker}",
                fix="give the official file, or --weights random to measure time alone",
            ) from error
    model = export_peer(network, *pixel_matrix(row.pixels))
    default = Preprocess(side, side)
    built = {"step": "built", "by": f"keras.applications.{row.maker}", "pixels": row.pixels}
    notices = (
        ()
        if path
        else (f"the weights of {row.name} are random: its time means something, its answers not",)
    )
    structure = parse_structure(model, row.name)
    head = find_head(structure, row.name)
    return Source(
        name=row.name,
        model=model,
        structure=structure,
        head=head,
        preprocess=parse_preprocess(preprocess, default) if preprocess else default,
        labels=checked_names(labels or imagenet_labels(), head, row.name),
        variant=None,
        weights=origin,
        steps=(built, exported_step(model)),
        notices=notices,
    )


def pixel_matrix(mode: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """``preprocess_input`` as activation = matrix · pixel + offset: float32, (3, 3) and (3,).

    Source: keras.applications.imagenet_utils; ``caffe`` also turns RGB into BGR.
    """
    if mode == "tf":
        matrix, offset = np.eye(3) / 127.5, -np.ones(3)
    elif mode == "torch":
        matrix, offset = np.diag(1 / (255 * _STD)), -_MEAN / _STD
    else:
        matrix, offset = np.eye(3)[::-1], -_BGR_MEAN
    return matrix.astype(np.float32), offset.astype(np.float32)


def _weights(row: Baseline, choice: str) -> tuple[Path | None, dict[str, Any]]:
    """The file, and what the card says of it."""
    from edge_effnet.network.weights.official import fetch

    if choice == "random":
        return None, {"kind": "random"}
    if choice == "demo":
        raise UsageProblem(
            f"there are no demo weights for {row.name}",
            expected="imagenet, random or a file",
            fix="leave --weights out for the official ones",
        )
    if choice not in ("auto", "imagenet"):
        path = Path(choice).expanduser()
        if not path.is_file():
            raise WeightsError(f"there are no weights {choice}", fix="check the path")
        return path, file_origin(path)
    url = FOLDER + row.weights_file
    if row.md5 is None:
        raise WeightsError(
            f"the weights of {row.name} cannot be checked",
            found="no published checksum in keras.applications",
            fix=f"download {url} yourself and give it with --weights FILE, or use --weights random "
            "to measure time alone",
        )
    target = cache_folder() / Path(row.weights_file).name
    try:
        path = fetch(url, target, md5=row.md5)
    except WeightsError as error:
        raise WeightsError(
            error.what,
            found=error.found,
            expected=error.expected,
            fix=f"connect and try again, put the file at {target} by hand, give it with --weights "
            "FILE, or use --weights random to measure time alone",
        ) from error
    return path, {**file_origin(path), "kind": "imagenet", "url": url}
