"""``collect pull`` and ``deploy`` with OpenSSH's own server, on an emulated Pi."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from edge_effnet.artifact import read_artifact, write_artifact
from tests.pi.cable import cable
from tests.pi.conftest import User

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LINE = '{"file": "photos/stop/a.jpg"}\n'


@pytest.fixture
def kept(user: User, pi64: str, tmp_path: Path) -> Iterator[Path]:
    """What a camera kept there, and where it comes to here."""
    there = tmp_path / "kept"
    for name in ("photos/stop/a.jpg", "photos/go on/b.jpg", "to-label/c.jpg"):
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(name.encode())
    (there / "frames.jsonl").write_text(LINE)
    (there / "photos/stop/link.jpg").symlink_to("/etc/passwd")
    (there / "photos/stop/link-to-a-folder").symlink_to("/etc")
    archive = tmp_path / "kept.tar"
    subprocess.run(["tar", "-C", tmp_path, "-cf", archive, "kept"], check=True)
    user.copy(archive, f"{pi64}:")
    user.ssh(pi64, "tar", "-xf", "kept.tar")
    yield tmp_path / "here"
    user.ssh(pi64, "rm", "-rf", "kept")


def photos(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}


def test_photos_come_once_and_follow_what_is_relabelled_there(
    user: User, pi64: str, kept: Path
) -> None:
    done = user.run("collect", "pull", f"pi@{pi64}:kept", kept)
    assert done.returncode == 0, done.stderr
    assert photos(kept) == {"photos/stop/a.jpg", "photos/go on/b.jpg", "to-label/c.jpg"}
    assert (kept / "photos/go on/b.jpg").read_bytes() == b"photos/go on/b.jpg"
    assert "photos/stop/link.jpg: no plain file" in done.stderr
    user.ssh(pi64, "mv kept/photos/stop/a.jpg 'kept/photos/go on/'; echo '{\"file\": \"x\"}' >> "
             "kept/frames.jsonl")  # fmt: skip
    done = user.run("collect", "pull", f"pi@{pi64}:kept", kept)
    assert done.returncode == 0, done.stderr
    assert photos(kept) == {"photos/go on/a.jpg", "photos/go on/b.jpg", "to-label/c.jpg"}
    assert (kept / "frames.jsonl").read_text() == LINE + '{"file": "x"}\n'


def test_a_lost_link_leaves_whole_photos_and_the_next_pull_goes_on(
    user: User, pi64: str, arm64: Path, kept: Path
) -> None:
    size, count = 300_000, 200
    user.ssh(pi64, f"for i in $(seq {count}); do head -c {size} /dev/zero > "
             "kept/to-label/$i.jpg; done")  # fmt: skip
    config = (user.ssh_files / "config").read_text()
    port = int(config.partition(f"Host {pi64}\n")[2].split("Port ")[1].split()[0])
    with cable(port) as (cut_port, cut):
        user.knows("cable", cut_port, arm64)
        command = ["edge-effnet", "collect", "pull", "pi@cable:kept", str(kept)]
        with subprocess.Popen(
            [str(Path(sys.executable).with_name(command[0])), *command[1:]],
            env={**os.environ, **user.environment},
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while process.poll() is None and not any(kept.rglob("*.jpg")):
                time.sleep(0.01)
            cut()
            _, said = process.communicate()
    assert process.returncode == 1
    (problem,) = [line for line in said.splitlines() if not line.startswith("looking")]
    assert problem.startswith("error: the link to cable was lost; found ")
    whole = {name for name in photos(kept) if name.startswith("to-label/")} - {"to-label/c.jpg"}
    assert len(whole) < count
    assert all((kept / name).stat().st_size == size for name in whole)
    done = user.run("collect", "pull", f"pi@{pi64}:kept", kept)
    assert done.returncode == 0, done.stderr
    assert len(photos(kept)) == count + 3
    assert not [path for path in kept.rglob(".*") if path.is_file()]


def test_a_model_takes_the_place_of_another_and_goes_back(
    user: User, pi64: str, model: Path, tmp_path: Path
) -> None:
    card = read_artifact(model).card
    assert card is not None
    new = tmp_path / "new.tflite"
    write_artifact(new, model.read_bytes(), replace(card, name="new"))
    digests = {path: sha256(path.read_bytes()).hexdigest() for path in (model, new)}

    def in_place() -> str:
        return user.ssh(pi64, "sha256sum", "models/mine.tflite").split()[0]

    user.ssh(pi64, "mkdir", "-p", "models")
    place = f"pi@{pi64}:models/mine.tflite"
    for path in (model, new):
        done = user.run("deploy", path, place)
        assert done.returncode == 0, done.stderr
        assert in_place() == digests[path]
    names = user.ssh(pi64, "ls", "-A", "models").split()
    assert len(names) == 2
    assert names[0].startswith("mine.before-")
    done = user.run("deploy", "--back", place)
    assert done.returncode == 0, done.stderr
    assert in_place() == digests[model]
    names = user.ssh(pi64, "ls", "-A", "models").split()
    assert len(names) == 2
    user.ssh(pi64, "chmod", "500", "models")
    done = user.run("deploy", new, place)
    assert done.returncode == 1
    assert f"{pi64} did not take a file; found Permission denied" in done.stderr
    user.ssh(pi64, "chmod", "700", "models")
    assert in_place() == digests[model]
