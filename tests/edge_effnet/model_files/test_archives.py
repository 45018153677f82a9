"""What is taken out of a zip archive, and what is refused before it is read."""

from __future__ import annotations

import contextlib
import io
import resource
import signal
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_effnet.errors import EdgeEffnetError, ModelError, OutputError
from edge_effnet.model_files import identify, packed_labels, packed_tflite, unpacked

TFLITE = b"\x1c\0\0\0TFL3" + bytes(64)


def teachable(path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("labels.txt", "0 cat\n1 dog\n")
        pack.writestr("model_unquant.tflite", TFLITE)
    return path


def test_the_model_and_the_labels_come_out(tmp_path: Path) -> None:
    path = teachable(tmp_path / "converted_tflite.zip")
    assert packed_tflite(path) == TFLITE
    assert packed_labels(path) == ("labels.txt", b"0 cat\n1 dog\n")
    assert identify(path).maker == "Teachable Machine"
    with unpacked(path) as model:
        assert model.read_bytes() == TFLITE
        assert model.suffix == ".tflite"
    assert not model.exists()


def test_a_model_and_its_labels_in_a_zip_are_not_therefore_teachable_machines(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("model.tflite", TFLITE)
        pack.writestr("labels.txt", "cat\ndog\n")
    assert identify(path).maker is None


def test_of_a_float_and_a_quantized_file_the_float_one_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("model.tflite", b"quantized")
        pack.writestr("model_unquant.tflite", b"float")
    assert packed_tflite(path) == b"float"
    assert identify(path).others == ("model.tflite",)


def test_a_file_for_the_edge_tpu_is_taken_last(tmp_path: Path) -> None:
    path = tmp_path / "converted_edgetpu.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("a_edgetpu.tflite", b"compiled")
        pack.writestr("model.tflite", b"quantized")
    assert packed_tflite(path) == b"quantized"


def test_what_is_no_archive_stays_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(TFLITE)
    with unpacked(path) as model:
        assert model == path


def test_a_saved_model_is_unpacked_under_known_names_only(tmp_path: Path) -> None:
    path = tmp_path / "converted_savedmodel.zip"
    with zipfile.ZipFile(path, "w") as pack:
        pack.writestr("model.savedmodel/saved_model.pb", b"graph")
        pack.writestr("model.savedmodel/variables/variables.index", b"index")
        pack.writestr("model.savedmodel/variables/variables.data-00000-of-00001", b"data")
        pack.writestr("model.savedmodel/variables/../../../evil", b"no")
        pack.writestr("/etc/evil", b"no")
        pack.writestr("labels.txt", b"0 a\n")
    with unpacked(path) as folder:
        found = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
    assert found == [
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]


def test_an_error_of_the_caller_is_not_blamed_on_the_archive(tmp_path: Path) -> None:
    with (
        pytest.raises(ValueError, match="mine"),
        unpacked(teachable(tmp_path / "a.zip")),
    ):
        raise ValueError("mine")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("model.tflite", bytes(65 << 20))
    with pytest.raises(ModelError, match="unpacks to more than a model takes"):
        packed_tflite(path)


def test_a_keras_file_that_is_a_bomb_is_refused_by_whoever_looks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("config.json", "{}")
        pack.writestr("model.weights.h5", bytes(65 << 20))
    with pytest.raises(ModelError, match="unpacks to more than a model takes"):
        identify(path)


def test_the_members_of_a_saved_model_count_together(tmp_path: Path) -> None:
    """40 of 60 MB each, from 2 MB."""
    path = tmp_path / "bomb.zip"
    shard = bytes(60 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as pack:
        pack.writestr("saved_model.pb", b"graph")
        for number in range(3):
            pack.writestr(f"variables/variables.data-0000{number}-of-00003", shard)
    with pytest.raises(ModelError, match="unpacks to more than a model takes"), unpacked(path):
        pass


@pytest.mark.parametrize("count", [1, 0x06054B50])  # the signature of the end itself
def test_a_directory_of_a_million_members_is_refused_before_it_is_read(
    count: int, tmp_path: Path
) -> None:
    path = teachable(tmp_path / "a.zip")
    data = path.read_bytes()
    end = data.rindex(b"PK\x05\x06")
    entry = data[data.rindex(b"PK\x01\x02") : end]
    many = entry * (5_000_000 // len(entry))
    whole = data[:end] + many + data[end:]
    head = whole[: -22 + 8] + struct.pack("<I", count)
    place = data.index(b"PK\x01\x02")
    path.write_bytes(head + struct.pack("<II", len(whole) - 22 - place, place) + b"\0\0")
    with pytest.raises(ModelError, match="a directory of more files than a model has"):
        identify(path)


def test_a_full_disk_is_not_the_archives_fault(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("model.tflite", TFLITE + bytes(1 << 20))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, before[1]))  # writing fails as there
    try:
        with pytest.raises(OutputError, match=r"cannot be written.*TMPDIR"), unpacked(path):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_member_that_lies_about_its_size_is_damage(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("model.tflite", bytes(1 << 20))
    data = content.getvalue().replace(struct.pack("<I", 1 << 20), struct.pack("<I", 100))
    path = tmp_path / "lie.zip"
    path.write_bytes(data)
    with pytest.raises(ModelError, match="damaged or cut off"):
        packed_tflite(path)


def test_an_encrypted_archive_says_so(tmp_path: Path) -> None:
    path = teachable(tmp_path / "secret.zip")
    data = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(header, start)) >= 0:
            data[start + flags] |= 1
            start += 4
    path.write_bytes(data)
    with pytest.raises(ModelError, match="with a password"):
        packed_tflite(path)


def test_half_an_archive_is_damaged(tmp_path: Path) -> None:
    path = teachable(tmp_path / "half.zip")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"half.zip is a zip archive that is damaged or cut off"):
        identify(path)


@given(st.lists(st.tuples(st.integers(0, 250), st.integers(0, 255)), max_size=4))
def test_flipped_bytes_are_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]]
) -> None:
    path = teachable(tmp_path_factory.getbasetemp() / "flipped.zip")
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(data)
    with contextlib.suppress(EdgeEffnetError):
        identify(path)
        packed_tflite(path)
        packed_labels(path)
