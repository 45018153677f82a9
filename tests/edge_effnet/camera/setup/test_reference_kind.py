"""The second model's answers stand beside the word for what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.camera.run_status import status_line
from edge_effnet.camera.setup.options import CameraOptions
from edge_effnet.camera.setup.run import open_run
from edge_effnet.data.demo import demo_model
from tests.edge_effnet.conftest import MakeModel


@pytest.mark.parametrize("kind", ["float", "int8"])
def test_the_reference_is_named_by_what_it_is(
    kind: str, colour_model: MakeModel, colour_folder: Path
) -> None:
    model = demo_model() if kind == "int8" else colour_model()
    folder = next(path for path in colour_folder.iterdir() if path.is_dir())
    options = CameraOptions(model=model, compare=model, source=str(folder))
    run = open_run(options, say=lambda _: None, show_status=lambda _: None)
    status = run.session.run()
    run.end()
    ours, theirs = status.answering.compared_decision, status.answering.reference_decision
    assert ours is not None
    assert theirs is not None
    assert f" | {ours.scored} | {kind} {theirs.scored} | " in status_line(status)
