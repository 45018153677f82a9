"""A file with an address, for one that holds a password."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_effnet.camera.setup.address_file import read_address_file
from edge_effnet.errors import DataError


def test_it_is_private_and_one_line(tmp_path: Path) -> None:
    file = tmp_path / "source"
    file.write_text("0\n")
    file.chmod(0o640)
    with pytest.raises(DataError, match=r"found mode 640; expected mode 600; to fix: chmod 600"):
        read_address_file(file, "--source", "0")
    file.chmod(0o600)
    assert read_address_file(file, "--source", "0") == "0"
    contents = {b"": "0 lines", b"\n": "0 lines", b"a\nb\n": "2 lines"}
    for content, found in {**contents, b"a\x1b": "not printable", b"\xff": "not printable"}.items():
        file.write_bytes(content)
        with pytest.raises(DataError, match=f"no file with an address; found .*{found}"):
            read_address_file(file, "--source", "0")
