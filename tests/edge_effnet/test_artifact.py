"""The card inside a model file: written whole, read back, and never believed blindly."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from edge_effnet.architecture.files import variant_to_json
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.artifact import CARD_VERSION, Card, read_artifact, split_archive, write_artifact
from edge_effnet.errors import ModelError, OutputError
from edge_effnet.heads.thresholds import ClassThreshold, ThresholdCounts
from edge_effnet.image.preprocessing import Preprocess
from edge_effnet.runtime.classifier import open_classifier
from tests.edge_effnet.conftest import model_bytes

MODEL = model_bytes(np.eye(3, dtype=np.float32))
CARD = Card(
    name="b0-int8",
    labels=("tench, Tinca tinca", "Köter", "猫"),
    preprocess=Preprocess(4, 4, 0.875, (1.0, 2.0, 3.0), (4.0,)),
    variant=json.loads(json.dumps(variant_to_json(VARIANTS["b0"]))),
    weights={"kind": "imagenet"},
    steps=({"step": "quantized", "recipe": "int8"},),
    measured={"n": 250, "agreement": 96.4},
    tool={"edge-effnet": "0.1"},
)

COUNTS = ThresholdCounts(of_class=20, others=80, found=19, false_alarms=2)
THRESHOLD = ClassThreshold(0.3, "recall", 0.95, COUNTS, COUNTS)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "b0-int8.tflite"
    write_artifact(path, MODEL, CARD)
    return path


def test_what_is_written_is_read(written: Path) -> None:
    read = read_artifact(written)
    assert read.card is not None
    assert read.card.to_json() == {
        **json.loads(json.dumps(CARD.to_json())),
        "labels": CARD.labels,
        "steps": CARD.steps,
        "model_sha256": read.card.model_sha256,
        "preprocess": {
            "height": 4, "width": 4, "crop": 0.875, "mean": (1.0, 2.0, 3.0), "std": (4.0,),
            "fit": "crop", "channels": "rgb", "standardize": False, "resize": "area",
        },
    }  # fmt: skip
    assert (read.labels, read.preprocess) == (CARD.labels, CARD.preprocess)
    assert open_classifier(written).labels == CARD.labels  # a runtime ignores the archive


def test_anybody_can_read_it(written: Path) -> None:
    """With the standard library: the model is a ZIP file too."""
    with zipfile.ZipFile(written) as pack:
        assert pack.testzip() is None
        card = json.loads(pack.read("model_card.json"))
        assert pack.read("labels.txt").decode().splitlines() == list(CARD.labels)
    assert (card["format"], card["version"]) == ("edge-effnet model card", 1)
    assert card["variant"]["name"] == "b0"


def test_the_same_model_makes_the_same_bytes(written: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.tflite"
    write_artifact(again, MODEL, CARD)
    assert again.read_bytes() == written.read_bytes()
    # A card replaces the one before it: nothing piles up.
    write_artifact(again, written.read_bytes(), CARD, overwrite=True)
    assert again.read_bytes() == written.read_bytes()
    assert split_archive(again.read_bytes())[0] == MODEL


def test_a_file_is_only_replaced_when_asked(written: Path) -> None:
    before = written.read_bytes()
    with pytest.raises(OutputError, match=r"already exists.*--force"):
        write_artifact(written, MODEL, CARD)
    assert written.read_bytes() == before


def test_a_changed_model_is_refused(written: Path) -> None:
    data = bytearray(written.read_bytes())
    data[MODEL.index(np.float32(1).tobytes())] ^= 1  # one weight
    written.write_bytes(data)
    with pytest.raises(ModelError, match="do not belong together"):
        read_artifact(written)


def with_card(path: Path, text: str) -> Path:
    archive = io.BytesIO(MODEL)
    archive.seek(0, io.SEEK_END)
    with zipfile.ZipFile(archive, "a") as pack:
        pack.writestr("labels.txt", "a\nb\nc\n")
        pack.writestr("model_card.json", text)
    path.write_bytes(archive.getvalue())
    return path


def test_a_card_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    text = json.dumps({**CARD.to_json(), "version": CARD_VERSION + 1})
    with pytest.raises(ModelError, match="newer edge-effnet; found model card"):
        read_artifact(with_card(tmp_path / "new.tflite", text))


def test_a_card_of_version_1_crops_rgb_images(tmp_path: Path) -> None:
    card = CARD.to_json()
    assert card["version"] == 1  # still read by 0.1, which knows nothing else
    for key in ("fit", "channels", "standardize", "resize"):
        del card["preprocess"][key]
    card["model_sha256"] = hashlib.sha256(MODEL).hexdigest()
    read = read_artifact(with_card(tmp_path / "old.tflite", json.dumps(card)))
    assert read.preprocess == CARD.preprocess


def test_thresholds_travel_with_the_model(tmp_path: Path) -> None:
    card = replace(CARD, thresholds={"Köter": THRESHOLD})
    write_artifact(tmp_path / "a.tflite", MODEL, card)
    read = read_artifact(tmp_path / "a.tflite").card
    assert read is not None
    assert read.thresholds == {"Köter": THRESHOLD}
    before = {**CARD.to_json(), "model_sha256": hashlib.sha256(MODEL).hexdigest()}
    del before["thresholds"]
    old = read_artifact(with_card(tmp_path / "old.tflite", json.dumps(before))).card
    assert old is not None
    assert old.thresholds == {}


def test_a_card_of_another_fit_is_not_for_version_1(tmp_path: Path) -> None:
    """Which would crop in silence."""
    squashed = replace(CARD, preprocess=Preprocess(4, 4, 1.0, fit="squash", channels="bgr"))
    assert squashed.to_json()["version"] == 2
    write_artifact(tmp_path / "squashed.tflite", MODEL, squashed)
    assert read_artifact(tmp_path / "squashed.tflite").preprocess == squashed.preprocess


def test_a_card_of_another_resize_is_not_for_the_versions_before(tmp_path: Path) -> None:
    """Which would average in silence."""
    linear = replace(CARD, preprocess=Preprocess(4, 4, resize="linear"))
    assert linear.to_json()["version"] == 4
    write_artifact(tmp_path / "linear.tflite", MODEL, linear)
    assert read_artifact(tmp_path / "linear.tflite").preprocess == linear.preprocess


def test_what_lies_behind_a_model_is_not_unpacked(tmp_path: Path) -> None:
    """1 GB of zeros packs down to 1 MB; the model in front of it is read all the same."""
    path = tmp_path / "a.tflite"
    write_artifact(path, MODEL, CARD)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("zeros.bin", bytes(256 << 20))
    tracemalloc.start()
    assert read_artifact(path).card is not None
    assert tracemalloc.get_traced_memory()[1] < 64 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("member", "content", "method", "found"),
    [
        ("labels.txt", bytes(17 << 20), zipfile.ZIP_DEFLATED, "more than the limit for"),
        ("model_card.json", b"{}", zipfile.ZIP_LZMA, "a compression that is not read"),
    ],
)
def test_a_card_that_claims_too_much(
    member: str, content: bytes, method: int, found: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(MODEL)
    with zipfile.ZipFile(path, "a", method) as pack:
        pack.writestr(member, content)
    with pytest.raises(ModelError, match=rf"a\.tflite .*{found}"):
        read_artifact(path)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", "null", '{"format": "other"}', "[" * 10_000, "\ud800".encode(
        "utf-16-le", "surrogatepass").decode("latin-1")],
)  # fmt: skip
def test_a_damaged_card_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has a damaged model card"):
        read_artifact(with_card(tmp_path / "odd.tflite", text))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", 3),
        ("preprocess", {"height": 4}),
        ("preprocess", {"height": 4, "width": 4, "crop": 7, "mean": [0], "std": [1]}),
        ("preprocess", {"height": 1e999, "width": 4, "crop": 1, "mean": [0], "std": [1]}),
        ("version", "one"),
        ("labels", "abc"),
        ("variant", ["b0"]),
        ("weights", None),
        ("steps", [1.5]),
        ("measured", "well"),
        ("tool", []),
        ("thresholds", []),
        ("thresholds", {"Köter": {"threshold": 0.5}}),
        ("thresholds", {"dog": asdict(THRESHOLD)}),
        ("thresholds", {"Köter": {**asdict(THRESHOLD), "threshold": "0.5"}}),
    ],
)
def test_wrong_fields_are_refused(field: str, value: object, tmp_path: Path) -> None:
    text = json.dumps({**CARD.to_json(), field: value})
    with pytest.raises(ModelError, match="has a damaged model card"):
        read_artifact(with_card(tmp_path / "odd.tflite", text))


def test_an_artifact_cut_off_anywhere_is_refused(written: Path) -> None:
    whole = written.read_bytes()
    labels_at = whole.index(b"labels.txt")
    cuts = [*range(8, len(MODEL), 101), *range(labels_at + 10, len(whole), 7)]
    for length in cuts:
        written.write_bytes(whole[:length])
        with pytest.raises(ModelError, match="is damaged or cut off"):
            read_artifact(written)


def test_a_damaged_archive_is_refused(written: Path) -> None:
    data = bytearray(written.read_bytes())
    data[data.index("Köter".encode())] ^= 1  # now its checksum is wrong
    written.write_bytes(data)
    with pytest.raises(ModelError, match="labels and card cannot be read"):
        read_artifact(written)


def test_files_of_others(tmp_path: Path) -> None:
    """Labels in any text file behind the model, compressed or not; other files are ignored."""
    path = tmp_path / "theirs.tflite"

    def archive(**files: str) -> Path:
        made = io.BytesIO(MODEL)
        made.seek(0, io.SEEK_END)
        with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as pack:
            for name, text in files.items():
                pack.writestr(name.replace("_", "."), text)
        path.write_bytes(made.getvalue())
        return path

    pets = ("cat", "dog", "owl")
    assert read_artifact(archive(names_txt="\ufeffcat\r\ndog\r\nowl\r\n")).labels == pets
    assert read_artifact(archive(a_txt="\n\n", labels_txt="0 cat\n1 dog\n2 owl")).labels == pets
    assert read_artifact(archive(LICENSE_txt="Any use.", z_txt="cat\ndog\nowl")).labels == pets
    for no_names in ("cat\ndog", "0\n1\n2\n"):  # of another network, or none
        assert read_artifact(archive(labels_txt=no_names)).labels is None
    assert read_artifact(archive(readme_md="# Cats")).labels is None
    path.write_bytes(MODEL)
    nothing = read_artifact(path)
    assert (nothing.card, nothing.labels, nothing.preprocess) == (None, None, None)


def test_compressed_labels_that_are_damaged_do_not_crash(tmp_path: Path) -> None:
    made = io.BytesIO(MODEL)
    made.seek(0, io.SEEK_END)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("labels.txt", "cat\ndog\n" * 50)
    whole, path = made.getvalue(), tmp_path / "theirs.tflite"
    for place in range(len(MODEL) + 40, len(whole), 3):
        data = bytearray(whole)
        data[place] ^= 0x55
        path.write_bytes(data)
        try:
            read_artifact(path)
        except ModelError:
            continue


def test_model_makers_file(reference: Path) -> None:
    read = read_artifact(reference / "models" / "lite0_flowers5_modelmaker_int8.tflite")
    assert read.card is None
    assert read.labels == ("daisy", "dandelion", "roses", "sunflowers", "tulips")
    assert read.preprocess == Preprocess(224, 224, 1.0, (0.0,), (255.0,), "squash")


MakeModel = Callable[..., Path]


def test_a_model_without_a_card(colour_model: MakeModel) -> None:
    assert read_artifact(colour_model(labels=None)).card is None
