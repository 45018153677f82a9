"""A list of files in shares, and a machine that sees other files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.data.shares import SHARE, FileShare, file_shares, find_share, origin_here
from edge_effnet.errors import DataError


@pytest.mark.parametrize("count", [0, 1, SHARE, SHARE + 1, 3 * SHARE])
def test_shares_follow_each_other(count: int) -> None:
    paths = [Path(f"{index}.png") for index in range(count)]
    shares = list(file_shares(paths))
    assert [path for share in shares for path in share.paths] == paths
    assert all(1 <= len(share.paths) == len(share.sizes) <= SHARE for share in shares)


@pytest.fixture
def share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FileShare:
    """Three files by relative paths, the last of which is not there."""
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        Path(f"{name}.png").write_text("image")
    (found,) = file_shares([Path("a.png"), Path("b.png"), Path("none.png")])
    return found


def test_relative_paths_start_where_the_list_was_made(
    share: FileShare, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = origin_here()
    monkeypatch.chdir("/")
    find_share(share, origin)
    assert Path("a.png").is_file()


def test_a_missing_file_is_named(share: FileShare) -> None:
    Path("b.png").unlink()
    with pytest.raises(DataError, match=r"other images than this machine, main-host; found 1 of 3"):
        find_share(share, replace(origin_here(), host="main-host"))


def test_a_file_of_another_size_is_named(share: FileShare) -> None:
    Path("a.png").write_text("another image")
    with pytest.raises(DataError, match=r"of its share of another size, such as a\.png"):
        find_share(share, origin_here())
