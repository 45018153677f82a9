"""``deploy``: a model takes the place of the one on a Pi, which is kept."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.artifact import read_artifact, write_artifact
from edge_effnet.heads.head import Head
from tests.benchmarks.ssh.server import DATE, Files, Pi, running_pi
from tests.conftest import Cli
from tests.edge_effnet.conftest import COLOURS, MakeModel

KEPT = f"mine.before-{DATE}.tflite"


@pytest.fixture
def files(colour_model: MakeModel) -> dict[str, Path]:
    """Models of the same classes: two that are right, and one that mixes red and blue up."""
    return {
        "old": colour_model("old.tflite"),
        "new": colour_model("new.tflite", weights=[[9, -1, -1], [-1, 9, -1], [-1, -1, 9]]),
        "bad": colour_model("bad.tflite", weights=[[-1, -1, 9], [-1, 9, -1], [9, -1, -1]]),
    }


def test_the_first_file_takes_a_free_name(pi: Pi, cli: Cli, files: dict[str, Path]) -> None:
    code, out, err = cli("deploy", files["old"], "pi@pi4")
    assert code == 0, err
    assert pi.names() == ["old.tflite"]
    assert (pi.home / "old.tflite").read_bytes() == files["old"].read_bytes()
    digest = hashlib.sha256(files["old"].read_bytes()).hexdigest()
    assert f"in place on pi4: old.tflite, SHA-256 {digest[:16]}" in out
    assert "next: ssh pi@pi4, and there: edge-effnet camera --model old.tflite" in out


def test_the_file_before_is_kept_and_comes_back(pi: Pi, cli: Cli, files: dict[str, Path]) -> None:
    old, new = files["old"].read_bytes(), files["new"].read_bytes()
    target = pi.file("mine.tflite", old)
    inode = target.stat().st_ino
    code, out, err = cli("deploy", files["new"], "pi@pi4:mine.tflite")
    assert code == 0, err
    assert pi.names() == [KEPT, "mine.tflite"]
    assert target.read_bytes() == new
    assert (pi.home / KEPT).read_bytes() == old
    assert (pi.home / KEPT).stat().st_ino == inode  # kept is the file itself
    assert f"the file before is kept as {KEPT}" in out
    assert "a camera that runs there with --model mine.tflite takes it over by itself" in out
    assert "nothing here tells which of both files is more often right" in err

    code, out, _ = cli("deploy", files["new"], "pi@pi4:mine.tflite")
    assert (code, pi.names()) == (0, [KEPT, "mine.tflite"])
    assert "is this file already; nothing was changed" in out

    code, out, err = cli("deploy", "--back", "pi@pi4:mine.tflite")
    assert code == 0, err
    later = "mine.before-20261129-101501.tflite"
    assert pi.names() == [later, "mine.tflite"]
    assert target.read_bytes() == old
    assert (pi.home / later).read_bytes() == new
    assert cli("deploy", "--back", "mine.tflite", "pi@pi4")[0] == 0  # and to and fro
    assert target.read_bytes() == new


def test_a_folder_takes_the_name_of_the_file(pi: Pi, cli: Cli, files: dict[str, Path]) -> None:
    pi.file("models/other.txt")
    assert cli("deploy", files["old"], "pi@pi4:models/")[0] == 0
    assert pi.names("models") == ["old.tflite", "other.txt"]


def test_what_an_interrupted_call_left_is_used_or_removed(
    pi: Pi, cli: Cli, files: dict[str, Path]
) -> None:
    old = pi.file("mine.tflite", files["old"].read_bytes())
    os.link(old, pi.home / "mine.before-20200101-000000.tflite")
    pi.file(".mine.tflite.0123456789abcdef.part", b"half")
    pi.file(".mine.tflite.part", b"of somebody else")
    assert cli("deploy", files["new"], "pi@pi4:mine.tflite")[0] == 0
    kept = "mine.before-20200101-000000.tflite"
    assert pi.names() == [".mine.tflite.part", kept, "mine.tflite"]


class NoLinks(Files):
    """A memory card with a file system that knows no second names."""

    def link(self, *_paths: bytes) -> None:
        raise OSError(1, "Operation not permitted")


def test_without_hard_links_the_file_before_is_copied(
    tmp_path: Path, user_home: Path, cli: Cli, files: dict[str, Path]
) -> None:
    home = tmp_path / "pi"
    home.mkdir()
    (home / "mine.tflite").write_bytes(files["old"].read_bytes())
    with running_pi(home, user_home, files=NoLinks):
        code, _, err = cli("deploy", files["new"], "pi@pi4:mine.tflite")
    assert code == 0, err
    assert sorted(path.name for path in home.iterdir()) == [KEPT, "mine.tflite"]
    assert (home / KEPT).read_bytes() == files["old"].read_bytes()


def test_a_file_that_lacks_a_class_is_refused(
    pi: Pi, cli: Cli, files: dict[str, Path], colour_model: MakeModel
) -> None:
    target = pi.file("mine.tflite", files["old"].read_bytes())
    other = colour_model("other.tflite", labels=(*COLOURS[:2], "violet"))
    code, _, err = cli("deploy", other, "pi@pi4:mine.tflite")
    assert code == 1
    assert "mine.tflite on pi4 knows classes that the new file does not" in err
    assert f"found {COLOURS[2]!r}" in err
    assert target.read_bytes() == files["old"].read_bytes()
    assert pi.names() == ["mine.tflite"]
    code, out, err = cli("deploy", other, "pi@pi4:mine.tflite", "--force")
    assert code == 0
    assert pi.names() == [KEPT, "mine.tflite"]
    assert "a camera that runs takes it over without them" in err
    assert "takes it over by itself" not in out


def test_another_kind_of_answer_is_refused(
    pi: Pi, cli: Cli, files: dict[str, Path], colour_folder: Path
) -> None:
    for name, kind in (("old", "logits"), ("new", "multilabel-logits")):
        path, card = files[name], read_artifact(files[name]).card
        assert card is not None
        changed = replace(card, head=Head(kind, 3))
        write_artifact(path, path.read_bytes(), changed, overwrite=True)
    target = pi.file("mine.tflite", files["old"].read_bytes())
    command = ("deploy", files["new"], "pi@pi4:mine.tflite", "--data", colour_folder)
    code, _, err = cli(*command)
    assert code == 1
    assert "gives another kind of answer than the new file" in err
    assert "start the camera there again" in err
    assert target.read_bytes() == files["old"].read_bytes()
    code, out, err = cli(*command, "--force")
    assert code == 0, err
    assert "a camera that runs goes on with the file before until it is started again" in err
    assert "takes it over by itself" not in out


def test_what_stood_behind_a_link_is_kept_as_a_file(
    pi: Pi, cli: Cli, files: dict[str, Path]
) -> None:
    old = files["old"].read_bytes()
    behind = pi.file("models/v1.tflite", old)
    (pi.home / "mine.tflite").symlink_to("models/v1.tflite")
    code, _, err = cli("deploy", files["new"], "pi@pi4:mine.tflite")
    assert code == 0, err
    behind.write_bytes(b"another")
    (kept,) = [one for one in pi.home.iterdir() if one.name.startswith("mine.before-")]
    assert not kept.is_symlink()
    assert kept.read_bytes() == old


def test_photos_refuse_a_file_that_is_proven_worse(
    pi: Pi, cli: Cli, files: dict[str, Path], colour_folder: Path
) -> None:
    target = pi.file("mine.tflite", files["new"].read_bytes())
    command = ("deploy", files["bad"], "pi@pi4:mine.tflite", "--data", colour_folder)
    code, _, err = cli(*command)
    assert code == 1
    assert "mine.tflite on pi4 is better than the new file" in err
    assert "30 of 30 photos right by the file there, 10 by the new one (-66.7 points" in err
    assert target.read_bytes() == files["new"].read_bytes()
    code, out, _ = cli(*command, "--force")
    assert code == 0
    assert "30 of 30 photos right by the file there, 10 by the new one" in out
    code, out, _ = cli(
        "deploy", files["old"], "pi@pi4:mine.tflite", "--data", colour_folder, "--force"
    )
    assert code == 0
    assert "10 of 30 photos right by the file there, 30 by the new one (+66.7 points" in out


def test_a_damaged_file_is_refused_and_one_there_is_kept(
    pi: Pi, cli: Cli, files: dict[str, Path], tmp_path: Path
) -> None:
    whole = files["new"].read_bytes()
    for content, says in (
        (whole[: len(whole) // 2], "is damaged"),
        (whole[:100] + bytes([whole[100] ^ 1]) + whole[101:], "do not belong together"),
        (b"no model", "is a text file, not a model"),
    ):
        (tmp_path / "damaged.tflite").write_bytes(content)
        code, _, err = cli("deploy", tmp_path / "damaged.tflite", "pi@pi4:mine.tflite", "--force")
        assert code == 1
        assert says in err, err
        assert pi.names() == []
    target = pi.file("mine.tflite", whole[: len(whole) // 2])
    code, _, err = cli("deploy", files["new"], "pi@pi4:mine.tflite")
    assert code == 0
    assert "note: not compared: mine.tflite on the Pi is damaged" in err
    assert target.read_bytes() == whole
    code, _, err = cli("deploy", "--back", "pi@pi4:mine.tflite")
    assert code == 1
    assert f"{KEPT} on the Pi is damaged" in err
    assert target.read_bytes() == whole
