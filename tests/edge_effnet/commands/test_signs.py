"""``edge-effnet signs``: what it writes, what it says, and how it fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from edge_effnet.cli import run
from edge_effnet.commands.signs import command


def test_help_has_examples_and_needs_no_opencv() -> None:
    for words in ([], ["render"], ["print"], ["video"]):
        answer = CliRunner().invoke(command, [*words, "--help"])
        assert answer.exit_code == 0
        assert "edge-effnet signs" in answer.output.split("Examples:")[1]
    code = (
        "import sys; import edge_effnet.commands.signs;"
        "assert not {'cv2', 'numpy', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_render_print_and_video_say_what_they_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["signs", "render", "signs", "-n", "17", "--size", "32"]) == 0
    assert "17 images to signs: 16 classes, 1–2 of each" in capsys.readouterr().out
    assert run(["signs", "print", "-o", "sheet.pdf", "--per-page", "4", "--cut-lines"]) == 0
    assert "15 signs on 4 pages" in capsys.readouterr().out
    assert Path("sheet.pdf").read_bytes().startswith(b"%PDF")
    video = ["signs", "video", "-o", "clip.mp4", "--seconds", "1", "--fps", "4"]
    assert run([*video, "--size", "96x64"]) == 0
    out, err = capsys.readouterr()
    assert "clip.mp4" in out
    assert "4 frames" in out
    assert re.fullmatch(r"rendering: \d+\.\d s\n", err)  # no progress bar in a pipe
    assert Path("clip.csv").read_text().count("\n") == 5


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["render", "d", "-n", "3"], 2, "at least 16"),
        (["render", "d", "-n", "16", "--size", "9"], 2, "16 to 2048 px"),
        (["render", "d", "-n", "16", "--seed", "-1"], 2, "seed -1"),
        (["render", "full", "-n", "16"], 1, "not empty"),
        (["render", "full", "-n", "16", "--force"], 1, "left alone"),
        (["render", "full/file/d", "-n", "16"], 1, "cannot be"),
        (["print", "-o", "full/file"], 1, "already exists"),
        (["print", "-o", "full/file/sheet.pdf"], 1, "where a folder belongs"),
        (["video", "-o", "clip.gif"], 2, ".mp4 or .avi"),
        (["video", "-o", "clip.csv"], 2, ".mp4 or .avi"),
        (["video", "-o", "clip.mp4", "--size", "640"], 2, "width x height"),
        (["video", "-o", "clip.mp4", "--size", "641x480"], 2, "even numbers"),
        (["video", "-o", "clip.mp4", "--seconds", "-1"], 2, "at least one frame"),
        (["video", "-o", "clip.mp4", "--seconds", "inf"], 2, "at least one frame"),
        (["video", "-o", "full/file/clip.mp4"], 1, "where a folder belongs"),
    ],
)
def test_errors_are_one_line_with_a_remedy(
    arguments: list[str],
    code: int,
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("full").mkdir()
    Path("full/file").write_text("kept")
    assert run(["signs", *arguments]) == code
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert words in err
    assert "to fix:" in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full"]
    assert Path("full/file").read_text() == "kept"
