"""``collect pull``: what a camera kept on a Pi comes here once, whole, and in one class."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks.ssh.server import Pi
from tests.conftest import Cli

LINE = b'{"file": "photos/stop/a.jpg", "label": "stop"}\n'


@pytest.fixture
def kept(pi: Pi) -> Pi:
    """A Pi whose camera has kept three photos."""
    pi.file("kept/photos/stop/a.jpg", b"photo a")
    pi.file("kept/photos/go on/b.jpg", b"photo b!")
    pi.file("kept/to-label/c.jpg", b"photo c")
    pi.file("kept/frames.jsonl", LINE)
    return pi


def files(folder: str = "kept") -> dict[str, bytes]:
    root = Path(folder)
    found = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in found}


def photos(folder: str = "kept") -> set[str]:
    return {name for name in files(folder) if name.endswith(".jpg")}


def test_everything_comes_once(kept: Pi, cli: Cli) -> None:
    code, out, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0, err
    here = files()
    record = json.loads(here.pop("pulled.json"))
    assert record["photos"]["a.jpg"] == {"path": "photos/stop/a.jpg", "bytes": 7}
    assert here == {
        "photos/stop/a.jpg": b"photo a",
        "photos/go on/b.jpg": b"photo b!",
        "to-label/c.jpg": b"photo c",
        "frames.jsonl": LINE,
    }
    assert "photos/go on" in out
    assert "fetched 3 photos" in out
    assert "next: edge-effnet teach kept/photos --out better.tflite" in out

    kept.file("kept/photos/stop/d.jpg", b"photo d")
    kept.file("kept/frames.jsonl", LINE + b'{"file": "photos/stop/d.jpg"}\n{"file": "cut o')
    code, out, _ = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0
    assert "fetched 1 photo " in out
    assert "3 were here already" in out
    assert files()["frames.jsonl"] == LINE + b'{"file": "photos/stop/d.jpg"}\n'


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (("pi@pi4", "kept"), "kept"),
        (("pi@pi4:kept/", "elsewhere/mine"), "elsewhere/mine"),
        (("pi4:~/kept",), "kept"),
        (("pi@pi@pi4:kept",), "kept"),
    ],
)
def test_either_side_names_the_other(
    kept: Pi, cli: Cli, arguments: tuple[str, ...], folder: str
) -> None:
    assert kept.names() == ["kept"]
    assert cli("collect", "pull", *arguments)[0] == 0
    assert len(photos(folder)) == 3


def test_a_photo_that_was_relabelled_there_is_in_one_class_here(kept: Pi, cli: Cli) -> None:
    cli("collect", "pull", "pi@pi4:kept")
    home = kept.home / "kept"
    (home / "photos/stop/a.jpg").rename(home / "photos/go on/a.jpg")
    (home / "photos/go on/b.jpg").rename(home / "to-label/b.jpg")
    code, out, _ = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0
    assert "moved as on the Pi: photos/stop/a.jpg to photos/go on/a.jpg" in out
    assert photos() == {"photos/go on/a.jpg", "to-label/b.jpg", "to-label/c.jpg"}
    assert not Path("kept/photos/stop").exists()  # teach would ask for photos of it


def test_what_is_discarded_there_is_discarded_here_and_comes_back(kept: Pi, cli: Cli) -> None:
    kept.file("kept/discarded/long-ago.jpg", b"blurred")
    cli("collect", "pull", "pi@pi4:kept")
    home = kept.home / "kept"
    (home / "to-label/c.jpg").rename(home / "discarded/c.jpg")
    code, out, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0, err
    assert "moved as on the Pi: to-label/c.jpg to discarded/c.jpg" in out
    assert photos() == {"photos/stop/a.jpg", "photos/go on/b.jpg", "discarded/c.jpg"}
    assert "taken away" not in err

    (home / "discarded/c.jpg").rename(home / "photos/stop/c.jpg")
    cli("collect", "pull", "pi@pi4:kept")
    assert photos() == {"photos/stop/a.jpg", "photos/go on/b.jpg", "photos/stop/c.jpg"}


def test_what_was_relabelled_here_is_not_discarded(kept: Pi, cli: Cli) -> None:
    cli("collect", "pull", "pi@pi4:kept")
    Path("kept/to-label/c.jpg").rename("kept/photos/stop/c.jpg")
    kept.file("kept/discarded/c.jpg", b"photo c")
    (kept.home / "kept/to-label/c.jpg").unlink()
    _, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert "put into other classes here and on the Pi" in err
    assert "photos/stop/c.jpg" in photos()


def test_a_name_that_is_given_again_is_another_photo(kept: Pi, cli: Cli) -> None:
    """As by a Pi whose card was written anew."""
    cli("collect", "pull", "pi@pi4:kept")
    kept.file("kept/photos/stop/a.jpg", b"another photo")
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0, err
    assert "1 photo not fetched, for another one of that name is here" in err
    assert files()["photos/stop/a.jpg"] == b"photo a"
    Path("kept/photos/stop/a.jpg").unlink()
    cli("collect", "pull", "pi@pi4:kept")
    assert files()["photos/stop/a.jpg"] == b"another photo"


def test_a_photo_that_was_relabelled_here_stays(kept: Pi, cli: Cli) -> None:
    cli("collect", "pull", "pi@pi4:kept")
    Path("kept/to-label/c.jpg").rename("kept/photos/stop/c.jpg")
    Path("kept/photos/stop/a.jpg").rename("kept/photos/go on/a.jpg")
    Path("kept/photos/go on/b.jpg").unlink()
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0
    assert photos() == {"photos/stop/c.jpg", "photos/go on/a.jpg"}
    assert "1 photo taken away here, and not fetched again" in err
    (kept.home / "kept/photos/stop/a.jpg").rename(kept.home / "kept/to-label/a.jpg")
    _, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert "put into other classes here and on the Pi" in err
    assert photos() == {"photos/stop/c.jpg", "photos/go on/a.jpg"}


def test_photos_that_were_sorted_before_the_first_pull_stay(kept: Pi, cli: Cli) -> None:
    for path, content in {"photos/stop/c.jpg": b"photo c", "to-label/a.jpg": b"photo a"}.items():
        here = Path("kept") / path
        here.parent.mkdir(parents=True, exist_ok=True)
        here.write_bytes(content)
    assert cli("collect", "pull", "pi@pi4:kept")[0] == 0
    # Who knows a class knows more than who knows none.
    assert photos() == {"photos/stop/a.jpg", "photos/go on/b.jpg", "photos/stop/c.jpg"}
    assert kept.names() == ["kept"]


def test_what_is_in_two_classes_there_and_what_has_the_name_of_another_stays_there(
    kept: Pi, cli: Cli
) -> None:
    kept.file("kept/photos/go on/a.jpg", b"photo a")
    here = Path("kept/to-label/c.jpg")
    here.parent.mkdir(parents=True)
    here.write_bytes(b"of another Pi")
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert code == 0
    assert "1 photo in two classes on the Pi" in err
    assert "1 photo not fetched, for another one of that name is here" in err
    assert photos() == {"photos/go on/b.jpg", "to-label/c.jpg"}
    assert here.read_bytes() == b"of another Pi"


def test_a_damaged_record_is_said(kept: Pi, cli: Cli) -> None:
    assert kept.names() == ["kept"]
    Path("kept").mkdir()
    Path("kept/pulled.json").write_text('{"photos": 5}')
    code, _, err = cli("collect", "pull", "pi@pi4:kept")
    assert (code, err.count("\n")) == (1, 2)  # and the line of the stage
    assert "kept/pulled.json is not what an earlier pull wrote" in err
