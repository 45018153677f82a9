"""Commands that ask a taught file: an image like none that was taught is "unknown"."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge_effnet.artifact import read_artifact, split_archive, write_artifact
from edge_effnet.heads.unknown import Unknown
from tests.conftest import Cli
from tests.edge_effnet.conftest import MakeModel, write_image


def test_classify_answers_unknown_and_shows_the_scores(
    cli: Cli, taught_model: Path, colour_folder: Path
) -> None:
    red, blue = colour_folder / "red" / "0.png", colour_folder / "blue" / "0.png"
    code, out, _ = cli("classify", taught_model, red, blue)
    known, other = out.split(f"{blue}\n")
    assert code == 0
    assert known.splitlines()[1].endswith("red")
    assert "unknown:" not in known
    assert other.startswith("  unknown: its similarity to the photos taught is 0.")
    assert len(other.splitlines()) == 3


def test_json_of_classify_says_what_is_unknown(
    cli: Cli, taught_model: Path, colour_model: MakeModel, colour_folder: Path
) -> None:
    images = colour_folder / "red" / "0.png", colour_folder / "blue" / "0.png"
    _, out, _ = cli("classify", taught_model, *images, "--json", "-")
    known, other = json.loads(out)["images"]
    card = read_artifact(taught_model).card
    assert card is not None
    assert card.unknown is not None
    assert (known["unknown"], other["unknown"]) == (False, True)
    assert other["similarity"] < card.unknown.threshold <= known["similarity"]
    assert len(other["answers"]) == 2
    _, out, _ = cli("classify", colour_model(), *images, "--json", "-")
    assert all(image.keys() == {"file", "answers"} for image in json.loads(out)["images"])


def test_evaluate_says_what_is_lost_and_what_is_right_among_the_answered(
    cli: Cli, taught_model: Path, colour_folder: Path, tmp_path: Path
) -> None:
    photos = _with_a_stranger(tmp_path / "new")
    code, out, _ = cli(
        "evaluate", taught_model, "--data", photos, "--others", colour_folder / "blue"
    )
    assert code == 0
    assert re.search(r'answered "unknown" +5\.0 % +1 lost, 95 % interval 0\.9 to 23\.6', out)
    assert re.search(r"top-1 of answered +100\.0 % +of 19 images, 95 % interval", out)
    assert f"other things, {colour_folder / 'blue'}: 10 of 10 images answered" in out


def test_json_of_evaluate_counts_what_is_unknown(
    cli: Cli, taught_model: Path, colour_folder: Path, tmp_path: Path
) -> None:
    photos, others = _with_a_stranger(tmp_path / "new"), colour_folder / "blue"
    _, out, _ = cli("evaluate", taught_model, "--data", photos, "--others", others, "--json", "-")
    document = json.loads(out)
    assert document["n"] == 20
    assert document["unknown"]["unknown"] == 1
    assert document["unknown"]["answered_top1"] == 100
    assert document["others"]["images"] == document["others"]["unknown"] == 10
    assert document["others"]["unknown_interval"][1] == 100


def test_others_need_a_file_that_answers_unknown(
    cli: Cli, colour_model: MakeModel, colour_folder: Path
) -> None:
    code, _, err = cli(
        "evaluate", colour_model(), "--data", colour_folder, "--others", colour_folder
    )
    assert code == 2
    assert 'colours.tflite never answers "unknown"' in err
    assert "edge-effnet teach" in err


def test_photos_that_taught_are_no_other_things(
    cli: Cli, taught_model: Path, colour_folder: Path, tmp_path: Path
) -> None:
    photos = _with_a_stranger(tmp_path / "new")
    command = ("evaluate", taught_model, "--data", photos, "--json", "-", "--others")
    _, out, err = cli(*command, colour_folder)
    assert "the network was trained on 20 of 30 images" in err
    assert json.loads(out)["others"]["images"] == 10
    code, _, err = cli(*command, colour_folder / "red")
    assert code == 1
    assert "holds no images of other things" in err


def test_compare_counts_images_that_one_of_two_calls_unknown(
    cli: Cli, taught_model: Path, colour_folder: Path, tmp_path: Path
) -> None:
    never = tmp_path / "never.tflite"
    card = read_artifact(taught_model).card
    assert card is not None
    model, _ = split_archive(taught_model.read_bytes())
    write_artifact(never, model, replace(card, unknown=Unknown(-1, 0, 0)))
    code, out, _ = cli("compare", taught_model, never, "--data", colour_folder / "blue")
    assert code == 0
    assert 'answered "unknown": 10 images by the reference, 0 by the candidate, 10 by one' in out
    document = json.loads(
        cli("compare", taught_model, never, "--data", colour_folder / "blue", "--json", "-")[1]
    )
    assert document["unknown"] == {"reference": 10, "candidate": 0, "differ": 10}


def test_doctor_says_when_the_answer_is_unknown(cli: Cli, taught_model: Path) -> None:
    _, out, _ = cli("doctor", taught_model)
    (line,) = (line for line in out.splitlines() if line.startswith("unknown"))
    assert re.search(r"a similarity to the photos taught under 0\.\d{3} \(chosen to lose 5 %", line)


def _with_a_stranger(folder: Path) -> Path:
    """10 new photos of red and of green each, and a blue one among the red."""
    random = np.random.default_rng(8)
    for number in range(20):
        pixels = random.integers(0, 60, (9, 12, 3), dtype=np.uint8)
        pixels[:, :, 2 if number == 3 else number // 10] += 110
        write_image(folder / ("red", "green")[number // 10] / f"{number}.png", pixels)
    return folder
