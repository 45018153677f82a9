"""Which file to use with tflite-runtime; nothing is said where LiteRT runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.measure.diagnosis import diagnose_machine
from edge_effnet.measure.environment import Environment, read_environment
from edge_effnet.measure.old_runtime import kernels_finding
from edge_effnet.measure.storage import Storage
from edge_effnet.measure.system_state import read_system_state
from edge_effnet.measure.validity import check_machine
from tests.edge_effnet.measure import machines

OLD = "tflite-runtime 2.14.0"


def server(folder: Path, runtime: str = OLD, **other: object) -> Environment:
    root = machines.make(folder, {"proc/cpuinfo": machines.SERVER_CPUINFO})
    found = replace(read_environment(root, machine="x86_64"), runtime=runtime, bits=64)
    return replace(found, **other)  # type: ignore[arg-type]


@pytest.mark.parametrize("storage", ["int8", "int8-part", "dynamic"])
def test_int8_is_slow_in_the_old_runtime(tmp_path: Path, storage: Storage) -> None:
    found = kernels_finding(server(tmp_path), ["float32", storage])
    assert found is not None
    assert (found.code, found.slow) == ("int8-slow", True)
    assert "on x86-64 in 7 to 10 times the time of float32; take LiteRT" in found.what
    assert "the float16 file" in found.what
    on_arm = kernels_finding(server(tmp_path, machine="aarch64"), [storage])
    assert on_arm is not None
    assert "; on Arm that is unknown; take LiteRT" in on_arm.what


@pytest.mark.parametrize("storage", ["float32", "float16", "weights8", "int16x8"])
def test_float_files_are_not_spoken_of(tmp_path: Path, storage: Storage) -> None:
    assert kernels_finding(server(tmp_path), [storage]) is None


def test_litert_is_not_spoken_of(tmp_path: Path) -> None:
    for bits, machine in ((64, "x86_64"), (64, "aarch64"), (32, "armv7l")):
        new = server(tmp_path, "LiteRT 2.3.0", bits=bits, machine=machine)
        assert kernels_finding(new, ["int8"]) is None


def test_on_a_32_bit_pi_nobody_knows(tmp_path: Path) -> None:
    found = kernels_finding(server(tmp_path, bits=32, machine="armv7l"), ["int8"])
    assert found is not None
    assert (found.code, found.slow) == ("int8-unknown", False)
    assert "has no XNNPACK on 32-bit Arm" in found.what
    assert "is unknown; measure both files on the board" in found.what


def test_a_measurement_notes_it_once_and_stays_valid(tmp_path: Path) -> None:
    root = machines.pi4(tmp_path / "pi")
    state = read_system_state(root)
    verdict = check_machine(server(tmp_path), state, state, storages=["float32", "int8", "int8"])
    assert [note.code for note in verdict.notes].count("int8-slow") == 1
    assert verdict.valid
    calm = check_machine(server(tmp_path), state, state, storages=["float32"])
    assert "int8-slow" not in {note.code for note in calm.notes}


def test_a_64_bit_system_is_not_told_to_become_one(tmp_path: Path) -> None:
    state = read_system_state(machines.pi4(tmp_path / "pi"))
    for bits, fix in ((64, "pip install"), (32, "use a 64-bit system with LiteRT: pip install")):
        found = diagnose_machine(server(tmp_path, bits=bits), state)
        (old,) = [one for one in found if one.code == "old-runtime"]
        assert old.fix == f"{fix} ai-edge-litert"
