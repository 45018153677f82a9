"""``create``: one command from photos to files for a board, with the real Lite0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.architecture.files import write_variant
from edge_effnet.architecture.scaling import scaled_variant
from edge_effnet.artifact import read_artifact
from edge_effnet.cli import run
from edge_effnet.create.fine_tuning import fine_tune
from edge_effnet.data.listing import load_dataset
from edge_effnet.stages import no_progress
from edge_effnet.teaching.base import base_of, find_base
from edge_effnet.teaching.with_float import teach_pair
from tests.conftest import Cli

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KEPT = ("stop", "yield", "roundabout")


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Photos of three drawn signs, 15 of each; both networks are in a cache of this module."""
    place = tmp_path_factory.mktemp("create")
    assert run(["signs", "render", str(place / "signs"), "-n", "240", "--size", "96"]) == 0
    (place / "photos").mkdir()
    for name in KEPT:
        (place / "signs" / name).rename(place / "photos" / name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EDGE_EFFNET_CACHE", str(place / "cache"))
        find_base()  # and the float one that it is made from
        yield place / "photos"


def test_from_photos_to_commands(
    photos: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = cli("create", photos, "--for", "pizero2", "--json", "made.json")
    assert code == 0, err
    assert "network: lite0, the most accurate of lite0, lite1, lite2" in out
    made = json.loads(Path("made.json").read_text())
    assert (made["format"], made["version"]) == ("edge-effnet/creation", 1)
    assert made["taught"]["images_per_class"] == dict.fromkeys(sorted(KEPT), 15)
    assert made["against_float"]["n"] == 45
    assert made["summary"] in out
    for line in made["commands"].values():
        assert line in out
    small = Path("photos-pizero2/taught-int8.tflite")
    assert made["file"] == str(small)
    card = read_artifact(small).card
    assert card is not None
    assert card.measured is not None
    assert card.measured["n"] == 45

    # The files are those of teach, which every other command takes.
    code, out, _ = cli("classify", small, sorted((photos / "stop").iterdir())[0])
    assert code == 0
    assert "stop" in out

    code, _, err = cli("create", photos, "--for", "pizero2")
    assert code == 1
    assert "photos-pizero2/taught-int8.tflite already exists" in err
    code, _, err = cli("create", photos, "--for", "pizero2", "--fine-tune")
    assert (code, "to fix: add --resume, which fine-tunes besides" in err) == (1, True)
    assert cli("create", photos, "--for", "pizero2", "--resume")[0] == 0


def test_fine_tuning_is_held_against_teaching(photos: Path, tmp_path: Path) -> None:
    """With a network of 32 px from random weights, which learns little from 36 photos."""
    spec = replace(scaled_variant(-9), resolution=32)
    variant = tmp_path / "small.json"
    write_variant(variant, spec)
    dataset = load_dataset(photos, part="training")
    small = find_base(base=base_of("lite0"))
    pair = teach_pair(dataset, small, None, name="mine", seed=0, stage=no_progress)
    made = tmp_path / "made"
    found = fine_tune(
        photos, made, str(variant), "int8", pair.small, no_progress,
        seed=0, resume=False, weights="random",
    )  # fmt: skip
    assert found.small.name.endswith("int8.tflite")
    assert "top-1" in (made / "convert.txt").read_text()
    assert found.against_taught is not None
    assert 6 <= found.comparison.images <= 12  # a fifth of each class
    assert not found.is_better
    counts = found.against_taught
    line, files = found.lines([])
    assert line.startswith(
        f"Fine-tuning: on {counts.images} photos held out from training the fine-tuned network is "
        f"right on {counts.now}, the taught one on {counts.before} ("
    )
    assert line.endswith("The taught file is taken: the fine-tuned one is not right more often.")
    assert f"{found.small} and {found.reference}, of the other network, and {made}/run/" in files


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((), 2, "create needs photos; found no PHOTOS; expected a folder with one folder per cl"),
        (("nowhere",), 1, "nowhere is not a data set; found nothing there"),
        (("photos", "--for", "pi6"), 2, "--for does not know 'pi6'; expected one of pi3, pi4"),
    ],
)
def test_what_is_missing_is_one_line(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], code: int, says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    found, _, err = cli("create", *arguments)
    assert found == code
    assert says in err.splitlines()[-1]
    assert not list(tmp_path.iterdir())
