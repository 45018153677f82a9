"""Scores do not depend on how the images are shared out, nor on who computes them."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_effnet.data import shares
from edge_effnet.data.dataset import Dataset, Sample
from edge_effnet.data.listing import load_dataset
from edge_effnet.errors import DataError
from edge_effnet.runtime.evaluating.predict import predict_many
from tests.edge_effnet.conftest import BLUE_IS_RED, MakeModel


def sent(what: Any) -> Any:
    """As it arrives on another machine."""
    return pickle.loads(pickle.dumps(what))  # noqa: S301 (own data)


def as_sent(work: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Any]:
    """``map``, with all that goes to a worker and back sent."""
    there = sent(work)
    for part in parts:
        yield sent(there(sent(part)))


@pytest.mark.parametrize("size", [1, 7, 16, 64])
def test_any_division_gives_the_same(
    colour_model: MakeModel, colour_folder: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (colour_folder / "green" / "0.png").write_text("not an image")
    (colour_folder / "red" / "zero.jpg").write_bytes(b"")
    models = [colour_model(weights=BLUE_IS_RED), colour_model("again.tflite", end=None)]
    dataset = load_dataset(colour_folder)
    alone = predict_many(models, dataset)
    monkeypatch.setattr(shares, "SHARE", size)
    seen: list[tuple[int, int]] = []
    shared = predict_many(
        models,
        dataset,
        map_shares=as_sent,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == [(min(done, 31), 31) for done in range(size, 31 + size, size)]
    for ours, theirs in zip(alone, shared, strict=True):
        np.testing.assert_array_equal(ours.scores, theirs.scores)
        np.testing.assert_array_equal(ours.truth, theirs.truth)
        assert (ours.paths, ours.skipped, ours.model) == (
            theirs.paths,
            theirs.skipped,
            theirs.model,
        )
        assert len(theirs.skipped) == 2


def test_similarities_of_a_taught_model(taught_model: Path, colour_folder: Path) -> None:
    paths = sorted(colour_folder.rglob("*.png"))
    dataset = Dataset(tuple(Sample(path, None) for path in paths), (), "colours without classes")
    (alone,) = predict_many([taught_model], dataset)
    (shared,) = predict_many([taught_model], dataset, map_shares=as_sent)
    assert alone.similarity is not None
    np.testing.assert_array_equal(alone.similarity, shared.similarity)
    np.testing.assert_array_equal(alone.unknown, shared.unknown)


def test_strict_is_the_same_line(colour_model: MakeModel, colour_folder: Path) -> None:
    (colour_folder / "green" / "0.png").write_text("not an image")
    model, dataset = colour_model(), load_dataset(colour_folder)
    with pytest.raises(DataError) as alone:
        predict_many([model], dataset, strict=True)
    with pytest.raises(DataError) as shared:
        predict_many([model], dataset, strict=True, map_shares=as_sent)
    assert str(shared.value) == str(alone.value)


def test_an_image_that_only_a_worker_cannot_read_is_refused(
    colour_model: MakeModel, colour_folder: Path
) -> None:
    image = colour_folder / "green" / "0.png"
    content = image.read_bytes()

    def damaged_there(work: Callable[[Any], Any], parts: Iterable[Any]) -> Iterator[Any]:
        for part in parts:
            image.write_bytes(bytes(len(content)))
            answer = work(part)
            image.write_bytes(content)
            yield answer

    with pytest.raises(DataError, match=r"an image that this machine can; found .*0\.png"):
        predict_many([colour_model()], load_dataset(colour_folder), map_shares=damaged_there)
