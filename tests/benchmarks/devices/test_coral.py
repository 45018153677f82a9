"""``--device coral``: the real device row with a stand-in library and a stick in a made-up /sys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.devices import coral, find_device
from benchmarks.spec import BenchSpec
from edge_effnet.errors import EdgeEffnetError, UsageProblem
from edge_effnet.runtime import edgetpu
from edge_effnet.stages import no_progress
from tests.benchmarks.conftest import Cli
from tests.edge_effnet.edgetpu import build_library, compile_for_edgetpu
from tests.edge_effnet.measure import machines

MakeModel = Callable[..., Path]


@pytest.fixture
def models(
    colour_model: MakeModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Path, Path]]:
    monkeypatch.setenv(edgetpu.LIBRARY_VARIABLE, str(build_library(tmp_path)))
    plain = colour_model()
    yield plain, compile_for_edgetpu(plain)
    edgetpu._tried.clear()


def stick(folder: Path, mbit: int) -> Path:
    """A machine with a USB Accelerator whose firmware is loaded."""
    port = "sys/bus/usb/devices/2-1/"
    return machines.make(
        folder / "machine",
        {f"{port}idVendor": "18d1", f"{port}idProduct": "9302", f"{port}speed": str(mbit)},
    )


def test_compiled_and_plain_are_measured_in_turn(
    models: tuple[Path, Path], colour_folder: Path, tmp_path: Path
) -> None:
    spec = BenchSpec(models, seconds=0.05, data=colour_folder)
    result = coral.measure(spec, "", no_progress, root=stick(tmp_path, 480))
    assert result.device == "coral"
    assert result.settings["coral"]["usb_mbit"] == 480
    assert "usb-2" in {remark.code for remark in result.verdict.notes}
    plain, compiled = result.cases
    assert "ran on the CPU" in (plain.notice or "")
    assert compiled.notice is None
    assert compiled.fresh is not None
    assert compiled.delegation is not None
    assert compiled.delegation.share == 1
    assert result.accuracy is not None
    assert result.accuracy["models"][1]["agreement"] == 100


def test_what_is_missing_is_one_line(
    models: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = machines.make(tmp_path / "bare", {"sys/nothing": ""})
    with pytest.raises(EdgeEffnetError, match="no Edge TPU is connected"):
        coral.measure(BenchSpec(models), "", no_progress, root=bare)
    with pytest.raises(UsageProblem, match="no model is compiled for the Edge TPU"):
        coral.measure(BenchSpec(models[:1]), "", no_progress, root=bare)
    monkeypatch.setenv(edgetpu.LIBRARY_VARIABLE, str(build_library(tmp_path, "CRASH")))
    with pytest.raises(EdgeEffnetError, match=r"a crash \(SIGSEGV\)"):
        coral.measure(BenchSpec(models), "", no_progress, root=stick(tmp_path, 5000))


def test_the_row_is_in_the_table_and_the_cpu_refuses_what_is_not_its_own(
    cli: Cli, models: tuple[Path, Path]
) -> None:
    assert find_device("coral")[0].summary
    code, _, err = cli("bench", models[1], "--seconds", 0.05)
    assert code == 2
    assert "add --device coral" in err
