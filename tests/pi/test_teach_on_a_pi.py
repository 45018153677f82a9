"""``teach`` on emulated Pis, from the light installation: the file is the one made here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.artifact import read_artifact
from edge_effnet.teaching.backbone import open_backbone
from tests.pi.conftest import User, answers_here, answers_of, install_light, seeded_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIGNS = 48  # three of each class


def test_it_teaches_and_answers_as_here(
    user: User, pi64: str, light: tuple[str, ...], model: Path
) -> None:
    photos, here, there = (user.home / name for name in ("photos", "here.tflite", "there.tflite"))
    done = user.run("signs", "render", photos, "-n", SIGNS)
    assert done.returncode == 0, done.stderr
    done = user.run("teach", photos, "--base", model, "--out", here)
    assert done.returncode == 0, done.stderr

    user.copy(photos, f"{pi64}:photos")
    command = (*light, "-m", "edge_effnet")
    user.ssh(pi64, *command, "teach", "photos", "--base", model.name, "--out", there.name)
    user.copy(f"{pi64}:{there.name}", there)
    ours, theirs = (read_artifact(path).card for path in (here, there))
    assert ours is not None
    assert theirs is not None
    assert theirs.labels == ours.labels
    assert open_backbone(there).sha256 == open_backbone(here).sha256
    # The decoders and the float kernels of two builds differ in the last digits.
    right = [card.steps[-1]["cross_validation"]["right"] for card in (ours, theirs)]
    assert abs(right[0] - right[1]) <= 2

    image = next(photos.rglob("*.png"), None) or next(photos.rglob("*.jpg"))
    asked = user.ssh(
        pi64, *command, "classify", there.name, f"photos/{image.relative_to(photos)}", "--json", "-"
    )
    told = user.run("classify", here, image, "--json", "-").stdout
    scores = [
        {answer["label"]: answer["score"] for answer in json.loads(text)["images"][0]["answers"]}
        for text in (asked, told)
    ]
    assert scores[0].keys() == scores[1].keys()
    np.testing.assert_allclose(
        [scores[0][label] for label in scores[0]], [scores[1][label] for label in scores[0]],
        atol=0.02,
    )  # fmt: skip


def test_a_32_bit_pi_teaches_and_answers_as_its_runtime_does_here(
    user: User, pi32: str, model: Path, tflite_runtime: Path
) -> None:
    photos, taught = user.home / "few", user.home / "narrow.tflite"
    done = user.run("signs", "render", photos, "-n", SIGNS)
    assert done.returncode == 0, done.stderr
    user.copy(photos, f"{pi32}:photos")
    command = (*install_light(user, pi32, model), "-m", "edge_effnet")
    user.ssh(pi32, *command, "teach", "photos", "--base", model.name, "--out", taught.name)
    some = user.home / "some"
    for folder in filter(Path.is_dir, photos.iterdir()):
        first = min(folder.iterdir())
        (some / folder.name).mkdir(parents=True)
        shutil.copy(first, some / folder.name)
    user.copy(some, f"{pi32}:some")
    asked = user.ssh(pi32, *command, "evaluate", taught.name, "--data", "some", "--json", "-")
    assert json.loads(asked)["top1"] > 60  # of photos that taught it; guessing gets 6

    user.copy(f"{pi32}:{taught.name}", taught)
    assert open_backbone(taught).sha256 == open_backbone(model).sha256
    card = read_artifact(taught).card
    assert card is not None
    assert len(card.labels) == 16
    tensors = seeded_tensors(user.home, taught)
    there = answers_of(user, pi32, taught, tensors)
    here = answers_here(str(tflite_runtime), taught, tensors)
    assert there.keys() == here.keys()
    for output, values in there.items():
        # Products that lie half-way between two integers are rounded otherwise on Arm.
        np.testing.assert_allclose(values, here[output], atol=0.1)
