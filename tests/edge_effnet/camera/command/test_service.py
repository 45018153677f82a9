"""A camera that starts again by itself: its files are there already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.edge_effnet.camera.conftest import Cli, MakeClip
from tests.edge_effnet.conftest import MakeModel


def test_lines_of_two_starts(
    cli: Cli, colour_model: MakeModel, clip: MakeClip, tmp_path: Path
) -> None:
    model, video, lines = colour_model(), clip(["red"] * 3), tmp_path / "feed.jsonl"
    for _ in range(2):
        code, _, err = cli(
            *("--model", model, "--source", video, "--every-frame", "--append", lines)
        )
        assert code == 0, err
    answers = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [line["frame"] for line in answers] == [0, 1, 2, 0, 1, 2]


@pytest.mark.parametrize("option", ["--json", "--jsonl", "--record"])
def test_a_unit_whose_second_start_would_be_refused(cli: Cli, option: str, tmp_path: Path) -> None:
    file = tmp_path / ("out.mp4" if option == "--record" else "out.json")
    code, out, err = cli(option, file, "--systemd")
    assert (code, out) == (2, "")
    assert f"{option} of a service is there already when it starts again" in err
    assert cli(option, file, "--systemd", "--force")[0] == 0
