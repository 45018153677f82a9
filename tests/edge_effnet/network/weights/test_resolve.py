"""``--weights``: what is taken when, and what the user hears about it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.errors import WeightsError
from edge_effnet.network.build import build
from edge_effnet.network.weights import official, resolve
from edge_effnet.network.weights.checkpoint import describe, save_checkpoint
from edge_effnet.network.weights.files import METADATA
from edge_effnet.network.weights.resolve import load, resolve_weights

TINY = replace(VARIANTS["b0"], name="tiny", width=0.25, depth=0.25, resolution=32, stem_width=32)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "tiny.h5"
    model = build(TINY, classes=2)
    save_checkpoint(model, path, describe(TINY, resolution=32, labels=("cat", "dog")))
    return path


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No cache of the machine's, and no server at the official address."""
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(official, "V1_FOLDER", "http://127.0.0.1:1/")


def _publish(saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VariantSpec:
    """Put an official file for the tiny row into the cache."""
    content = saved.read_bytes()
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setitem(official.MD5, "efficientnettiny", md5)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "efficientnettiny.h5").write_bytes(content)
    return replace(TINY, official_weights="efficientnettiny")


def _run(saved: Path, runs: Path, name: str, age: float) -> Path:
    path = runs / name / "best.h5"
    path.parent.mkdir(parents=True)
    path.write_bytes(saved.read_bytes())
    os.utime(path, (1e9 - age, 1e9 - age))
    return path


def test_auto_takes_the_newest_checkpoint_of_this_network(saved: Path, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    _run(saved, runs, "old", age=100)
    newest = _run(saved, runs, "new", age=50)
    (runs / "broken.h5").write_bytes(b"no weights")
    found = resolve_weights(TINY, "auto", runs=runs)
    assert (found.kind, found.path, found.classes) == ("checkpoint", newest, 2)
    assert (found.labels, found.resolution) == (("cat", "dog"), 32)
    assert found.origin == {
        "kind": "checkpoint",
        "file": "best.h5",
        "sha256": hashlib.sha256(saved.read_bytes()).hexdigest(),
    }
    assert found.notice is not None
    assert str(newest) in found.notice
    # A net of other widths under the same name is another network.
    with pytest.raises(WeightsError, match="cannot be downloaded"):
        resolve_weights(replace(TINY, width=0.5), "auto", runs=runs)


def test_auto_takes_imagenet_next(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = _publish(saved, tmp_path, monkeypatch)
    found = resolve_weights(spec, "auto", runs=tmp_path / "runs")
    assert (found.kind, found.notice) == ("imagenet", None)
    assert found.origin["url"] == "http://127.0.0.1:1/efficientnettiny.h5"
    assert resolve_weights(spec, "imagenet") == found


def test_auto_takes_demo_weights_last_and_says_so(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "demo_file", lambda _: saved)
    found = resolve_weights(TINY, "auto", runs=tmp_path)
    assert found.kind == "demo"
    assert found.notice is not None
    assert "demo" in found.notice
    assert "cannot be downloaded" in found.notice


@pytest.mark.parametrize(("name", "why"), [("b0", "cannot be downloaded"), ("lite3", "official")])
def test_auto_is_never_random(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, why: str
) -> None:
    monkeypatch.setattr(resolve, "demo_file", lambda _: None)
    with pytest.raises(WeightsError) as caught:
        resolve_weights(VARIANTS[name], "auto", runs=tmp_path / "runs")
    assert why in str(caught.value)
    assert f"no checkpoint of {name} in {tmp_path / 'runs'}" in str(caught.value)
    assert "--weights random" in str(caught.value)


def test_random_is_loud_and_follows_the_row() -> None:
    found = resolve_weights(TINY, "random")
    assert (found.path, found.classes, found.origin) == (None, None, {"kind": "random"})
    assert found.notice is not None
    model = load(found, resolution=48, classes=3, batch_size=1)
    assert (model.input_shape, model.output_shape) == ((1, 48, 48, 3), (1, 3))


@pytest.mark.parametrize("side", [20_000, 2, -1, 32.0, "32", None, [32]])
def test_what_cannot_be_a_resolution_is_none(side: Any, saved: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.h5"
    steps = ({"step": "trained", "data": 3}, {"step": "trained", "data": {}}, 7)
    odd = {**describe(TINY, resolution=32), "resolution": side, "steps": steps}
    path.write_bytes(saved.read_bytes())
    with h5py.File(path, "a") as file:
        file.attrs[METADATA] = [json.dumps(odd)]
    found = resolve_weights(TINY, str(path))
    assert found.resolution is None
    assert found.steps == (steps[1],)


def test_a_file_brings_its_labels_classes_and_resolution(saved: Path) -> None:
    found = resolve_weights(TINY, str(saved))
    assert (found.kind, found.notice) == ("file", None)
    model = load(found)
    assert (model.input_shape, model.output_shape) == ((None, 32, 32, 3), (None, 2))
    with pytest.raises(WeightsError, match="found 2 classes; expected 5"):
        load(found, classes=5)
    assert load(found, classes=5, allow_new_head=True).output_shape == (None, 5)


def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights imagnet; .*expected auto, imagenet, demo"):
        resolve_weights(TINY, "imagnet")
    with pytest.raises(WeightsError, match="carries no demo weights for tiny"):
        resolve_weights(TINY, "demo")
    (tmp_path / "b0.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(WeightsError, match="is a TFLite model, not a weight file"):
        resolve_weights(TINY, str(tmp_path / "b0.tflite"))


def test_labels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    model: Any = build(TINY, classes=2)
    save_checkpoint(model, tmp_path / "a.h5", describe(TINY, resolution=32, labels=("one",)))
    with pytest.raises(WeightsError, match=r"labels in .* found 1 label; expected 2"):
        resolve_weights(TINY, str(tmp_path / "a.h5"))
    assert np.isfinite(model.get_layer("predictions").get_weights()[0]).all()
