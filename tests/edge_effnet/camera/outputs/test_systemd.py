"""The systemd unit: whatever a word holds, systemd reads that word again; passwords stay out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge_effnet.camera.outputs.systemd import systemd_unit
from edge_effnet.camera.setup.address_file import read_address_file
from edge_effnet.errors import UsageProblem
from tests.edge_effnet.camera.conftest import Cli

AWKWARD = [
    *("100 %", "%h", "$HOME", "${HOME}", "$$", "a\\b", "\\x41", "\\", 'say "x"', "it's", ""),
    *(";", "\\;", "@x", "-x", "+x", "!", "a  b", " ", "é", "{label}", "@COMMAND@", "#", "a\u00a0b"),
]
WORDS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)


def read_again(line: str) -> list[str]:
    """The words of a command line, by the rules of systemd.service(5) and systemd.syntax(7)."""
    words, word, quoted, signs = list[str](), "", False, iter(line)
    began = False
    for sign in signs:
        if sign == '"':
            quoted, began = not quoted, True
        elif sign == " " and not quoted:
            words += [word] if began else []
            word, began = "", False
        else:
            if sign == "\\":
                sign = next(signs)
                assert sign in '\\"', "an escape that we never write"
            assert sign not in "'" or quoted, "a quote that is not escaped"
            word, began = word + sign, True
    assert not quoted
    words += [word] if began else []
    return [one.replace("$$", "$").replace("%%", "%") for one in words]


def command_of(unit: str) -> list[str]:
    (line,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    return read_again(line.removeprefix("ExecStart="))


def test_awkward_words_come_back_as_they_are() -> None:
    arguments = ["camera", "--model", "my model.tflite", *AWKWARD]
    unit = systemd_unit(arguments)
    assert command_of(unit) == [sys.executable, "-m", "edge_effnet", *arguments]
    for sign in ("%", "$"):
        line = next(line for line in unit.splitlines() if line.startswith("ExecStart="))
        assert sign not in line.replace(2 * sign, "")


@settings(deadline=None, max_examples=200, suppress_health_check=list(HealthCheck))
@given(st.lists(WORDS, max_size=4))
def test_any_words_come_back(words: list[str]) -> None:
    assert command_of(systemd_unit(["camera", *words]))[4:] == words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "50 % of $HOME @USER@"
    folder.mkdir()
    monkeypatch.chdir(folder)
    file = tmp_path / "edge-effnet-camera.service"
    file.write_text(systemd_unit(["camera", *AWKWARD]), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", file], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_systemd_watches_the_run_and_starts_it_again() -> None:
    lines = systemd_unit(["camera"]).splitlines()
    for line in ("Type=notify", "NotifyAccess=main", "WatchdogSec=60", "Restart=on-failure"):
        assert line in lines  # on-failure: after a watchdog's signal too, systemd.service(5)


@pytest.mark.parametrize("word", ["a\nUser=root", "a\rb", "a\0b", "\x1b[2J", "\udcff", "a\u2028b"])
def test_words_that_no_unit_can_hold(word: str) -> None:
    with pytest.raises(UsageProblem, match="cannot stand in a systemd unit") as caught:
        systemd_unit(["camera", "--on", "stop", word])
    assert str(caught.value).isprintable()


def test_a_folder_whose_name_continues_the_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a\\"
    folder.mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(UsageProblem, match="another folder"):
        systemd_unit(["camera"])


def test_a_password_stands_in_a_file_and_not_in_the_unit(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ["camera", "--source", "http://me:s3cret@127.0.0.1:9/x", "--systemd"]
    monkeypatch.setattr(sys, "argv", ["edge-effnet", *secret])
    code, out, err = cli(*secret[1:])
    assert (code, out) == (2, "")
    assert "--source-file" in err
    assert "s3cret" not in err
    with pytest.raises(UsageProblem, match="may hold a password"):
        systemd_unit(["camera"], {"--source": "http://host/x?password=" + 300 * "a"})
    file = tmp_path / "camera source"
    file.write_text("http://me:s3cret@127.0.0.1:9/x\n")
    file.chmod(0o600)
    told = ["camera", "--source-file", str(file), "--systemd"]
    monkeypatch.setattr(sys, "argv", ["edge-effnet", *told])
    code, out, _ = cli(*told[1:])
    assert code == 0
    assert f'--source-file "{file}"' in out
    assert read_address_file(file, "--source", "0") == "http://me:s3cret@127.0.0.1:9/x"
    assert cli(*told[1:3], "--source", "0")[0] == 2
