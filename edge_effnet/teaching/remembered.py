"""The images that a file was taught before, from its card and the cache: no photo is needed."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edge_effnet.artifact import Card
from edge_effnet.data.division.bursts import burst_of
from edge_effnet.errors import DataError, ModelError
from edge_effnet.teaching.backbone import TAUGHT, Backbone
from edge_effnet.teaching.collection import BEGINNING, HASH_BYTES, WORDS, Collection
from edge_effnet.teaching.features import kept_features


def remembered_collection(card: Card | None, path: Path, backbone: Backbone) -> Collection:
    """The images that a file was taught.

    Args:
        path: of the file, for messages.

    Raises:
        ModelError: it was not taught, or does not say what.
        DataError: features of its images are not in the cache.
    """
    classes = _images_of(card, path)
    rows = {name: _rows(text, path) for name, text in classes.items()}
    hashes = [digest for found in rows.values() for digest, _ in found]
    kept = kept_features(backbone, hashes)
    lost = sum(one is None for one in kept)
    if lost:
        raise DataError(
            f"features of the photos that taught {path} are not kept here",
            found=f"{lost} of {len(hashes)} missing in the cache",
            expected="those of all of them",
            fix="teach the photos again, with those to be added: edge-effnet teach PHOTOS",
        )
    counts, bursts = [len(found) for found in rows.values()], _bursts_of(card)
    return Collection(
        tuple(rows),
        np.repeat(np.arange(len(rows), dtype=np.int64), counts),
        tuple(hashes),
        np.array([words for found in rows.values() for _, words in found], np.uint64).reshape(
            -1, WORDS
        ),
        np.stack([one for one in kept if one is not None]),
        tuple(
            Path(name) / bursts.get(digest[:BEGINNING], digest[:BEGINNING])
            for name, found in rows.items()
            for digest, _ in found
        ),
        str(path),
        added=_added_of(card, rows),
    )


def taught_hashes(card: Card | None, path: Path) -> set[str]:
    """The hashes of the images that a file was taught.

    Raises:
        ModelError: it was not taught, or does not say what.
    """
    classes = _images_of(card, path)
    return {digest for text in classes.values() for digest, _ in _rows(text, path)}


def _bursts_of(card: Card | None) -> dict[str, str]:
    """A name of the press that each photo is of, by the beginning of its hash."""
    bursts = _taught_step(card).get("bursts", {})
    if not isinstance(bursts, dict):
        return {}
    return {
        str(digest): f"{burst}-0.jpg"
        for burst, digests in bursts.items()
        if isinstance(digests, list) and burst_of(Path(f"{burst}-0.jpg"))
        for digest in digests
    }


def _added_of(card: Card | None, known: Mapping[str, Any]) -> tuple[str, ...]:
    """Classes that were taught later than the others."""
    added = _taught_step(card).get("added", ())
    return tuple(name for name in added if name in known) if isinstance(added, list) else ()


def _taught_step(card: Card | None) -> Mapping[str, Any]:
    steps = [step for step in (card.steps if card else ()) if step.get("step") == TAUGHT]
    return steps[-1] if steps else {}


def _images_of(card: Card | None, path: Path) -> Mapping[str, Any]:
    classes = _taught_step(card).get("classes")
    if not isinstance(classes, dict) or not classes:
        raise ModelError(
            f"{path} does not say which photos it was taught",
            found=f"steps {', '.join(str(step.get('step')) for step in card.steps)}"
            if card
            else "no model card",
            expected="a file that edge-effnet teach wrote",
            fix="teach photos: edge-effnet teach PHOTOS",
        )
    return classes


def _rows(text: Any, path: Path) -> Sequence[tuple[str, tuple[int, ...]]]:
    size = HASH_BYTES + 8 * WORDS
    try:
        content = base64.b64decode(str(text), validate=True)
        if len(content) % size or not content:
            raise ValueError(len(content))
    except ValueError as error:
        raise ModelError(
            f"{path} has a damaged model card",
            found="a list of taught photos that cannot be read",
            expected="the card edge-effnet wrote",
            fix="teach the photos again",
        ) from error
    return [
        (
            content[at : at + HASH_BYTES].hex(),
            tuple(map(int, np.frombuffer(content, "<u8", WORDS, at + HASH_BYTES))),
        )
        for at in range(0, len(content), size)
    ]
