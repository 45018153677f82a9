"""Every error is one line, on every terminal, whatever names are in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import edge_effnet
from edge_effnet import cli

DEMO = Path(edge_effnet.__file__).parent / "assets" / "demo" / "b0-int8.tflite"
HOSTILE = "cat\x1b[31m\n\u202egpj\udce9.jpg"


def run(
    *arguments: str | bytes, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "edge_effnet", *arguments],
        capture_output=True,
        env={**os.environ, **environment},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("classify", "MODEL", HOSTILE),
        ("classify", HOSTILE, "a.jpg"),
        ("evaluate", "MODEL", "--data", HOSTILE),
        ("evaluate", "MODEL", "--data", "x" * 300),
        ("classify", "MODEL", "x" * 300),
        ("doctor", "x" * 300),
        ("convert", "--model", "x" * 300),
        ("convert", "--variant", "b0", "--int8", "--out", "x" * 300),
        ("train", "photos", "--run", "x" * 300),
        ("report", "x" * 300),
        ("camera", "--model", "MODEL", "--source", "x" * 300),
        ("scale", "--no-such-\x1b[2J"),
        (HOSTILE,),
    ],
)
def test_names_of_any_kind_end_in_one_printable_line(
    arguments: tuple[str, ...],
) -> None:
    done = run(*(str(DEMO) if one == "MODEL" else one for one in arguments))
    assert done.returncode in {1, 2}
    said = done.stderr.decode()
    assert "Traceback" not in said
    assert "does not know" not in said
    assert not set(said) & {"\x1b", "\u202e", "\udce9", "\r"}
    assert "error: " in said.lower().splitlines()[-1]


def test_a_terminal_without_utf_8_gets_ascii() -> None:
    done = run("variants", PYTHONIOENCODING="ascii", COLUMNS="100")
    assert done.returncode == 0
    done.stdout.decode("ascii")
    for arguments in (("scale", "--help"), ("classify", "--größe")):  # what click itself prints
        done = run(*arguments, PYTHONIOENCODING="ascii")
        (done.stdout + done.stderr).decode("ascii")
    done = run("classify", str(DEMO), "Kätzchen\udcff….jpg", PYTHONIOENCODING="ascii")
    assert b"error: Katzchen\\xff....jpg cannot be read" in done.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_no_error(closed: str, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((9, 9, 3), np.uint8))
    command = [sys.executable, "-m", "edge_effnet", "classify", str(DEMO), "a.png"]
    done = subprocess.run(
        ["/bin/sh", "-c", f'"$@" --json a.json {closed}', "sh", *command],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(json.loads((tmp_path / "a.json").read_text())["images"]) == 1


def test_json_to_a_closed_standard_output_is_an_error() -> None:
    command = [sys.executable, "-m", "edge_effnet", "variants", "--json", "-"]
    done = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: --json - cannot be written; found a standard output")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_on_standard_output_is_utf_8_on_every_terminal(encoding: str) -> None:
    name = "“Kätzchen” 😺.jpg"
    done = run("classify", str(DEMO), name, "--json", "-", PYTHONIOENCODING=encoding)
    assert json.loads(done.stdout)["images"][0]["file"] == name


@pytest.mark.parametrize("reader", ["gone", "/dev/full"])
def test_a_file_that_is_missing_at_the_end_is_an_error(
    reader: str, tmp_path: Path, image_file: Path
) -> None:
    """``edge-effnet classify … --json answers.json | head -1``"""
    if reader == "gone":
        read, write = os.pipe()
        os.close(read)
    else:
        write = os.open(reader, os.O_WRONLY)
    answers = tmp_path / "answers.json"
    with os.fdopen(write, "wb") as stdout:
        done = subprocess.run(
            [sys.executable, "-m", "edge_effnet", "classify", DEMO, image_file, "--json", answers],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert not answers.exists()
    expected = "answers.json was not written" if reader == "gone" else "output cannot be written"
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), np.full((40, 40, 3), 128, np.uint8))
    return path


def test_an_error_of_the_system_that_nobody_expected_names_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(40, "Too many levels of symbolic links", "loop")

    monkeypatch.setattr(cli.group, "main", fail)
    assert cli.run(["variants"]) == 1
    assert capsys.readouterr().err == (
        "error: loop cannot be used; found Too many levels of symbolic links; "
        "to fix: check the path and its permissions\n"
    )


def test_a_bug_is_one_line_and_says_how_to_report_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(cli.group, "main", fail)
    assert cli.run(["variants"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: an error that edge-effnet does not know; found ZeroDivisionError")
    assert len(err.splitlines()) == 1
    monkeypatch.setenv(cli.TRACEBACK, "1")
    with pytest.raises(ZeroDivisionError):
        cli.run(["variants"])


def test_a_folder_that_may_not_be_entered_is_named(tmp_path: Path) -> None:
    """As another user than root, to whom permissions mean nothing."""
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "cat.jpg").write_bytes(b"")
    closed.chmod(0)
    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        prefix = ["setpriv", "--reuid", "65534", "--clear-groups"]
        if subprocess.run([*prefix, "test", "-x", str(DEMO.parent)], check=False).returncode:
            pytest.skip("another user may not enter this checkout")
    else:
        prefix = []
    for arguments in (
        ("classify", str(DEMO), str(closed / "cat.jpg")),
        ("evaluate", str(DEMO), "--data", str(closed)),
        ("doctor", str(closed / "cat.jpg")),
        ("convert", "--model", str(closed / "m.h5")),
    ):
        done = subprocess.run(
            [*prefix, sys.executable, "-m", "edge_effnet", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": str(tmp_path)},
            check=False,
        )
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "Permission denied" in done.stderr or "cannot be listed" in done.stderr
