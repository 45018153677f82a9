"""Models that this machine runs in one way or in none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from edge_effnet.heads.head import Head
from edge_effnet.image.preprocessing import foreign_preprocess
from edge_effnet.runtime.input_pixels.evidence import Evidence
from edge_effnet.runtime.input_pixels.labelled import TrialOutcome, find_with_photos
from edge_effnet.runtime.input_pixels.running import open_running
from edge_effnet.runtime.input_pixels.trial import LabelledPhotos

MakeNetwork = Callable[..., bytes]


def test_a_model_that_runs(network: MakeNetwork) -> None:
    interpreter = open_running(network())
    assert interpreter is not None
    output = interpreter.get_output_details()[0]["index"]
    assert interpreter.get_tensor(output).sum() == 1


def test_a_model_that_nothing_here_runs_is_not_tried(reference: Path) -> None:
    compiled = reference / "edgetpu" / "mobilenet_v1_0.25_128_quant" / "compiled_edgetpu.tflite"
    model = compiled.read_bytes()
    assert open_running(model) is None
    evidence = Evidence(foreign_preprocess(128, 128, 3), "its input", "stated")
    photos = LabelledPhotos((compiled,) * 20, np.arange(20) % 2)
    outcome = find_with_photos(model, Head("softmax", 1001), evidence, photos, workers=1)
    assert outcome == TrialOutcome(None, 0)
