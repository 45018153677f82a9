"""A file's kind is told from its bytes, whatever it is called."""

from __future__ import annotations

import contextlib
import json
import struct
import time
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from importlib.resources import files
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import EdgeEffnetError
from edge_effnet.model_files import KINDS, identify, keras_network

NETWORK = {"class_name": "Sequential", "config": {"name": "mine", "layers": []}}
TFLITE = b"\x1c\0\0\0TFL3" + bytes(64)


def archive(path: Path, members: Mapping[str, bytes | str]) -> None:
    with zipfile.ZipFile(path, "w") as pack:
        for name, content in members.items():
            pack.writestr(name, content)


def hdf5(
    *,
    config: bool = False,
    weights: bool = False,
    optimizer: bool = False,
    layout: str = "earliest",
) -> Callable:
    def write(path: Path) -> None:
        with h5py.File(path, "w", libver=layout) as root:
            if config:
                root.attrs["keras_version"] = "2.4.0"
                root.attrs["model_config"] = json.dumps(NETWORK)
            if weights:
                group = root.create_group("model_weights")
                group.attrs["layer_names"] = np.array([b"dense"])
                group["dense/kernel"] = np.zeros((4, 2), np.float32)
            if optimizer:
                root["optimizer_weights/adam/m"] = np.zeros(8, np.float32)

    return write


def optimizer_of_keras_2(path: Path) -> None:
    with h5py.File(path, "w") as root:
        group = root.create_group("optimizer_weights")
        group.attrs["weight_names"] = [b"adam/m"]
        group["adam/m"] = np.zeros(8, np.float32)


def structural(path: Path, layout: str = "earliest") -> None:
    with h5py.File(path, "w", libver=layout) as root:
        root["layers/dense/vars/0"] = np.zeros((4, 2), np.float32)


def structural_with_many_layers(path: Path) -> None:
    with h5py.File(path, "w", libver="latest") as root:
        for number in range(40):  # so many links are kept in a heap
            root[f"layers/dense_{number}/vars/0"] = np.zeros((4, 2), np.float32)


def behind_a_user_block(path: Path) -> None:
    with h5py.File(path, "w", userblock_size=1024) as root:
        root.attrs["model_config"] = json.dumps(NETWORK)


def field(number: int, content: bytes | int) -> bytes:
    """A protocol buffer's field: a number below 128, or fewer than 128 bytes."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


ONNX = (
    field(1, 8) + field(2, b"pytorch") + field(7, field(2, b"main_graph")) + field(8, b"\x10\x11")
)
FROZEN = field(1, field(1, b"input") + field(2, b"Placeholder")) + field(4, b"\x08\x01")
MLMODEL = field(1, 4) + field(2, b"\x0a\x00") + bytes([0x9A, 0x19, 0])  # field 403
SAFETENSORS = struct.pack("<Q", 16) + b'{"w":{"a":[0]}} ' + bytes(8)


def content(data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(data)

    return write


def packed(*names: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        archive(path, dict.fromkeys(names, b"x"))

    return write


@pytest.mark.parametrize(
    ("code", "write"),
    [
        ("tflite", content(TFLITE)),
        ("keras-h5", hdf5(config=True, weights=True, optimizer=True)),
        ("keras-h5", behind_a_user_block),
        ("keras-weights", hdf5(weights=True, optimizer=True)),
        ("keras-weights", structural),
        ("keras-weights", partial(structural, layout="latest")),
        ("keras-weights", structural_with_many_layers),
        ("keras-weights", hdf5(weights=True, layout="latest")),
        ("keras-h5", hdf5(config=True, weights=True, layout="latest")),
        ("optimizer-state", hdf5(optimizer=True, layout="latest")),
        ("hdf5", hdf5(layout="latest")),
        ("optimizer-state", hdf5(optimizer=True)),
        ("optimizer-state", optimizer_of_keras_2),
        ("hdf5", hdf5()),
        ("keras-zip", packed("metadata.json", "config.json", "model.weights.h5")),
        ("tflite-package", packed("model_unquant.tflite", "labels.txt")),
        ("tflite-package", packed("converted/model.tflite", "__MACOSX/._model.tflite")),
        ("tflite-package", packed("tflite-model/trained.tflite")),
        ("keras-package", packed("keras_model.h5", "labels.txt")),
        ("saved-model-package", packed("model.savedmodel/saved_model.pb", "labels.txt")),
        ("tfjs", packed("model.json", "weights.bin", "metadata.json")),
        ("edge-impulse-source", packed("edge-impulse-sdk/a.cpp", "tflite-model/trained.cpp")),
        ("pytorch", packed("archive/data.pkl", "archive/version", "archive/data/0")),
        ("pytorch", packed("net/constants.pkl", "net/code/__torch__.py")),
        ("pytorch", content(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.")),
        ("pickle", content(b"\x80\x04\x95\x10\0\0\0\0\0\0\0.")),
        ("safetensors", content(SAFETENSORS)),
        ("onnx", content(ONNX)),
        ("frozen-graph", content(FROZEN)),
        ("saved-model-part", content(field(1, 1) + field(2, b"\x0a\x02\x12\x00"))),
        ("coreml", content(MLMODEL)),
        ("numpy", content(b"\x93NUMPY\x01\0")),
        ("numpy", packed("kernel.npy", "bias.npy")),
        ("zip-of-images", packed("a/1.jpg", "a/2.jpg", "b/1.PNG")),
        ("zip", packed("letter.docx")),
        ("archive", content(b"\x1f\x8b\x08\0rest")),
        ("tfjs", content(b'{"format":"layers-model","modelTopology":{}}')),
        ("keras-config", content(json.dumps(NETWORK).encode())),
        ("json", content(b'{"a": 1}')),
        ("c-array", content(b"const unsigned char m[] = {0x1c, 0, 0, 0, 0x54, 0x46, 0x4C, 0x33};")),
        ("openvino", content(b'<?xml version="1.0"?>\n<net name="a" version="11">')),
        ("ncnn", content(b"7767517\n75 83\n")),
        ("tf-checkpoint", content(b'model_checkpoint_path: "ckpt-1"\n')),
        ("tf-checkpoint", content(bytes(40) + struct.pack("<Q", 0xDB4775248B80FB57))),
        ("lfs-pointer", content(b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\n")),
        ("html", content(b"\n<!DOCTYPE html>\n<html lang=en>")),
        ("text", content("blau\ngrün\n".encode())),
        ("image", content(b"\xff\xd8\xff\xe0\0\x10JFIF")),
        ("video", content(b"\0\0\0\x18ftypmp42")),
        ("program", content(b"\x7fELF\x02\x01\x01")),
        ("empty", content(b"")),
        ("unknown", content(bytes(range(1, 200)) * 3)),
    ],
)
def test_the_kind_is_in_the_bytes(code: str, write: Callable[[Path], None], tmp_path: Path) -> None:
    for name in ("model.keras", "model.tflite", "no_ending"):
        path = tmp_path / name
        write(path)
        assert identify(path).kind.code == code


def test_a_keras_archive_is_one_wherever_its_weights_begin(tmp_path: Path) -> None:
    weights, path = tmp_path / "model.weights.h5", tmp_path / "m.keras"
    structural(weights)
    config = json.dumps(NETWORK).ljust(512 - 2 * 30 - len("config.jsonmodel.weights.h5"))
    archive(path, {"config.json": config, "model.weights.h5": weights.read_bytes()})
    assert path.read_bytes()[512:].startswith(b"\x89HDF")  # where HDF5 looks for itself
    assert identify(path).kind.code == "keras-zip"


def test_text_longer_than_the_first_look_is_text(tmp_path: Path) -> None:
    path = tmp_path / "names.txt"
    path.write_text("größe\n" * 3000, encoding="utf-8")  # a letter of two bytes may be cut
    assert identify(path).kind.code == "text"


def test_the_model_in_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(TFLITE)
    (tmp_path / "labels.txt").write_text("0 a\n")
    found = identify(tmp_path)
    assert (found.kind.code, found.member) == ("folder-of-model", "model.tflite")


def test_folders_of_images_and_saved_models(tmp_path: Path) -> None:
    (tmp_path / "photos" / "red").mkdir(parents=True)
    (tmp_path / "photos" / "red" / "1.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "saved_model.pbtxt").write_text("saved_model_schema_version: 1")
    (tmp_path / "nothing").mkdir()
    codes = [identify(tmp_path / name).kind.code for name in ("photos", "saved", "text", "nothing")]
    assert codes == ["image-folder", "saved-model", "saved-model-text", "folder"]


def test_the_configuration_of_a_whole_model_is_read_without_hdf5(tmp_path: Path) -> None:
    path = tmp_path / "old.h5"
    hdf5(config=True, weights=True)(path)
    assert keras_network(identify(path)) == (NETWORK, "2.4.0")


def test_the_configuration_in_a_keras_archive(tmp_path: Path) -> None:
    path = tmp_path / "new.keras"
    about = json.dumps({"keras_version": "3.8.0"})
    members = {"config.json": json.dumps(NETWORK), "metadata.json": about, "model.weights.h5": ""}
    archive(path, members)
    assert keras_network(identify(path)) == (NETWORK, "3.8.0")


def test_the_demo_model_is_one() -> None:
    weights = files("edge_effnet").joinpath("assets", "demo", "b0.h5")
    assert identify(Path(str(weights))).kind.code == "keras-weights"


STARTS = [
    b"",
    b"PK\x03\x04",
    b"\x89HDF\r\n\x1a\n",
    b"\x08\x08",
    b"\x0a",
    b"{",
    b"\x80\x04",
    b"<net ",
]


@given(st.sampled_from(STARTS), st.binary(max_size=300))
def test_noise_is_named_or_refused(
    tmp_path_factory: pytest.TempPathFactory, start: bytes, noise: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "noise"
    path.write_bytes(start + noise)
    with contextlib.suppress(EdgeEffnetError):
        assert identify(path).kind.code in KINDS


def test_text_that_is_no_configuration_is_looked_at_for_a_bounded_time(tmp_path: Path) -> None:
    """What begins like one, thousands of times, and ends nowhere."""
    path = tmp_path / "many.h5"
    piece = b'{"name": "config'.ljust(2000, b" ")
    path.write_bytes(b"\x89HDF\r\n\x1a\n" + b"model_config\0" + piece * 10_000)
    began_s = time.process_time()
    assert keras_network(identify(path)) == (None, None)
    assert time.process_time() - began_s < 5
