"""Features of image files, computed once: they are kept by the hashes of image and backbone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue

import numpy as np

from edge_effnet.arrays import Float32Array
from edge_effnet.data.threads import ahead
from edge_effnet.errors import DataError, OutputError
from edge_effnet.files.cache import cache_folder
from edge_effnet.files.read import content_hash
from edge_effnet.files.write import write_atomically
from edge_effnet.image.preprocessing import Preprocess, preprocess
from edge_effnet.image.reading import read_image
from edge_effnet.metrics import Skipped
from edge_effnet.plurals import none_can
from edge_effnet.stages import OnProgress
from edge_effnet.system.cores import available_cores
from edge_effnet.teaching.backbone import Backbone, FeatureReader, features_model

# Central squares, as shares of the one that the network is asked about. One view alone lost 0.1 to
# 0.5 points on flowers, fruit and Imagenette; mirrored views gained nothing, and some things are
# others mirrored.
_VIEWS = (1.0, 1 / 0.9, 0.75 / 0.9)

_SUFFIX, _CHECKSUM_BYTES = ".features", 32


@dataclass(frozen=True, eq=False)
class Features:
    """Of images that could be read.

    Attributes:
        values: float32 (images, views, width), the first view is the one that is asked about.
        hashes: of the image files, SHA-256.
        index: of each in the given order.
        skipped: images that could not be read.
    """

    values: Float32Array
    hashes: tuple[str, ...]
    index: tuple[int, ...]
    skipped: tuple[Skipped, ...]


def image_features(
    backbone: Backbone,
    paths: Sequence[Path],
    *,
    workers: int | None = None,
    progress: OnProgress | None = None,
    keep: bool = True,
) -> Features:
    """Compute the features of images, or take those that are kept.

    Args:
        workers: threads; by default the cores this process may use.
        keep: for the next time, of all views; else the view that is asked about is computed alone.

    Raises:
        DataError: none of the images can be read.
    """
    count = max(1, min(workers or available_cores(), len(paths)))
    count = 1 if backbone.external else count  # of a device there is one
    model = features_model(backbone)
    views = _views(backbone.preprocess) if keep else [backbone.preprocess]
    idle: SimpleQueue[FeatureReader] = SimpleQueue()
    for _ in range(count):
        idle.put(FeatureReader(model, backbone))
    folder = _folder(backbone)

    def work(path: Path) -> tuple[str, Float32Array] | Skipped:
        try:
            digest = content_hash(path)
            if keep and (kept := _kept(folder, digest, (len(views), backbone.width))) is not None:
                return digest, kept
            pixels = read_image(path)
        except DataError as error:
            return Skipped(path, str(error))
        reader = idle.get()  # never waits: there is one for each thread
        try:
            found = np.stack([reader.features(preprocess(pixels, view)) for view in views])
        finally:
            idle.put(reader)
        if keep:
            _keep(folder, digest, found)
        return digest, found

    values, hashes, index, skipped = list[Float32Array](), list[str](), list[int](), list[Skipped]()
    with closing(ahead(work, paths, count, per_worker=4)) as outcomes:
        for place, outcome in enumerate(outcomes):
            if isinstance(outcome, Skipped):
                skipped.append(outcome)
            else:
                hashes.append(outcome[0])
                values.append(outcome[1])
                index.append(place)
            if progress is not None:
                progress(place + 1, len(paths))
    if not values:
        raise DataError(
            f"{none_can(len(paths), 'image')} be read",
            found=skipped[0].reason if skipped else "no images",
            fix="replace the images",
        )
    return Features(np.stack(values), tuple(hashes), tuple(index), tuple(skipped))


def kept_features(backbone: Backbone, hashes: Sequence[str]) -> list[Float32Array | None]:
    """What is kept of images that need not be here any more, (views, width) each, or None."""
    folder, shape = _folder(backbone), (len(_views(backbone.preprocess)), backbone.width)
    return [_kept(folder, digest, shape) for digest in hashes]


def _folder(backbone: Backbone) -> Path:
    return cache_folder() / "features" / backbone.sha256[:32]


def _views(settings: Preprocess) -> list[Preprocess]:
    if settings.fit != "crop":  # the whole image, squashed or padded
        return [settings]
    return [replace(settings, crop=min(1.0, settings.crop * share)) for share in _VIEWS]


def _kept(folder: Path, digest: str, shape: tuple[int, int]) -> Float32Array | None:
    """What an earlier run wrote; None for nothing, and for what is not as it was written."""
    size = 4 * math.prod(shape)
    try:
        with (folder / f"{digest}{_SUFFIX}").open("rb") as file:
            checksum, values = file.read(_CHECKSUM_BYTES), file.read(size + 1)
    except OSError:
        return None
    if len(values) != size or hashlib.sha256(values).digest() != checksum:
        return None
    return np.frombuffer(values, "<f4").astype(np.float32).reshape(shape)


def _keep(folder: Path, digest: str, values: Float32Array) -> None:
    content = values.astype("<f4").tobytes()
    content = hashlib.sha256(content).digest() + content
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / f"{digest}{_SUFFIX}", content, overwrite=True)
    except (OSError, OutputError):
        return  # a full or read-only disk: it is computed again next time
