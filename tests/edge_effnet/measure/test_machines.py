"""What is read of a machine, and whether a measurement is valid made there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.documents import structure, unstructure
from edge_effnet.measure.environment import Environment, read_environment
from edge_effnet.measure.system_state import SystemState, read_system_state
from edge_effnet.measure.validity import Validity, check_machine, check_samples
from tests.edge_effnet.measure import machines


def states(
    before: Path, after: Path, *, seconds: float = 10.0, own: float = 9.9
) -> tuple[SystemState, SystemState]:
    return (
        read_system_state(before, clock=lambda: 0.0, own_busy=lambda: 0.0),
        read_system_state(after, clock=lambda: seconds, own_busy=lambda: own),
    )


def codes(validity: Validity, *, invalid: bool = True) -> set[str]:
    return {remark.code for remark in (validity.problems if invalid else validity.notes)}


@pytest.fixture
def calm_pi(tmp_path: Path) -> tuple[Environment, SystemState, SystemState]:
    first = machines.pi4(tmp_path / "1", governor="performance")
    then = machines.pi4(tmp_path / "2", governor="performance", busy=2000)
    return read_environment(first, machine="aarch64"), *states(first, then)


def test_a_pi_4_is_described(tmp_path: Path) -> None:
    root = machines.pi4(tmp_path)
    found = read_environment(root, machine="aarch64")
    assert found.device == "Raspberry Pi 4 Model B Rev 1.4"
    assert found.raspberry_pi
    assert found.cpu == "Cortex-A72"
    assert found.features == ("asimd",)
    assert found.int8_features == ()
    assert found.memory_bytes == 3884136 * 1024
    assert found.emulated is None
    state = read_system_state(root)
    assert state.governors == ("ondemand",)
    assert (state.frequency_mhz, state.frequency_max_mhz) == (1800, 1800)
    assert state.temperature_c == 45
    assert (state.throttled, state.undervoltage_alarm) == (0, False)
    assert (state.load_1min, state.machine_busy_s) == (0.1, 10)


def test_a_pi_5_and_a_server_multiply_int8_fast(tmp_path: Path) -> None:
    five = machines.make(tmp_path / "pi", {"proc/cpuinfo": machines.PI5_CPUINFO})
    found = read_environment(five, machine="aarch64")
    assert found.int8_features == ("asimddp",)
    assert (found.cpu, found.device) == ("Cortex-A76", "Raspberry Pi 5 Model B")
    server = machines.make(tmp_path / "x86", {"proc/cpuinfo": machines.SERVER_CPUINFO})
    found = read_environment(server, machine="x86_64")
    assert found.int8_features == ("avx512_vnni", "amx_int8")
    assert found.cpu == "Some Xeon"


def test_an_empty_container_is_described_without_guesses(tmp_path: Path) -> None:
    found, state = read_environment(tmp_path), read_system_state(tmp_path)
    assert (found.device, found.cpu, found.features, found.cpu_quota) == (None, None, (), None)
    assert state.temperature_c is None
    assert state.governors == ()
    assert state.machine_busy_s is None
    validity = check_machine(found, *states(tmp_path, tmp_path))
    assert validity.valid
    assert {"no-temperature", "no-clock"} <= codes(validity, invalid=False)


def test_a_damaged_sensor_is_no_crash(tmp_path: Path) -> None:
    root = machines.pi4(tmp_path)
    machines.make(
        root,
        {
            "sys/class/thermal/thermal_zone0/temp": "N/A",
            "proc/stat": "cpu oops",
            "sys/devices/platform/soc/soc:firmware/get_throttled": "??",
        },
    )
    state = read_system_state(root)
    assert (state.temperature_c, state.throttled, state.machine_busy_s) == (None, None, None)


def test_a_container_and_its_limit_are_seen(tmp_path: Path) -> None:
    machines.make(tmp_path, {".dockerenv": "", "sys/fs/cgroup/cpu.max": "150000 100000\n"})
    found = read_environment(tmp_path)
    assert found.container
    assert found.cpu_quota == 1.5


def test_an_environment_survives_json(tmp_path: Path) -> None:
    found = read_environment(machines.pi4(tmp_path))
    assert structure({**unstructure(found), "newer": 1}, Environment) == found


@pytest.mark.parametrize("link", ["proc/thread-self/exe", "proc/self/exe"])
def test_user_mode_emulation_is_seen(tmp_path: Path, link: str) -> None:
    root = machines.pi4(tmp_path)
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to("/usr/libexec/qemu-binfmt/qemu-aarch64-static")
    found = read_environment(root, machine="aarch64")
    assert found.emulated == "the process runs inside qemu-aarch64-static"
    validity = check_machine(found, *states(root, root))
    assert "emulated" in codes(validity)


def test_arm_code_on_an_x86_cpu_is_emulated(tmp_path: Path) -> None:
    root = machines.make(tmp_path, {"proc/cpuinfo": machines.SERVER_CPUINFO})
    assert read_environment(root, machine="aarch64").emulated == (
        "an aarch64 process on an x86 CPU"
    )
    assert read_environment(root, machine="x86_64").emulated is None


def test_a_calm_pi_is_valid(calm_pi: tuple[Environment, SystemState, SystemState]) -> None:
    validity = check_machine(*calm_pi)
    assert validity.valid
    assert not validity.remarks


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        ("50005", "under-voltage, throttled"),
        ("4", "throttled"),
        ("80000", "the soft temperature limit is active"),
        ("a0001", "under-voltage, the clock is capped, the soft temperature limit is active"),
    ],
)
def test_a_throttled_pi_is_not_valid(tmp_path: Path, bits: str, words: str) -> None:
    first = machines.pi4(tmp_path / "1")
    then = machines.pi4(tmp_path / "2", throttled=bits, busy=2000)
    validity = check_machine(read_environment(first), *states(first, then))
    assert codes(validity) == {"throttled"}
    assert validity.problems[0].what == f"the board reports: {words}"
    assert ("power supply" in validity.problems[0].fix) == ("under-voltage" in words)


def test_throttling_before_the_run_is_only_noted(tmp_path: Path) -> None:
    first = machines.pi4(tmp_path / "1", throttled="40000")
    then = machines.pi4(tmp_path / "2", throttled="40000", busy=2000)
    validity = check_machine(read_environment(first), *states(first, then))
    assert validity.valid
    assert "throttled-before" in codes(validity, invalid=False)


def test_heat_and_a_falling_clock_are_not_valid(tmp_path: Path) -> None:
    first = machines.pi4(tmp_path / "1")
    then = machines.pi4(tmp_path / "2", milli_c=82_500, mhz=1000, busy=2000)
    validity = check_machine(read_environment(first), *states(first, then))
    assert codes(validity) == {"hot", "clock-changed"}
    assert "1800 to 1000 MHz" in validity.problems[1].what


def test_heat_that_was_asked_for_is_a_finding(tmp_path: Path) -> None:
    first = machines.pi4(tmp_path / "1")
    for bits, problems in (
        ("e0008", set[str]()),
        ("50005", {"throttled"}),
    ):  # under-voltage: a fault
        then = machines.pi4(tmp_path / bits, throttled=bits, milli_c=82_500, mhz=1000, busy=2000)
        validity = check_machine(read_environment(first), *states(first, then), sustained=True)
        assert codes(validity) == problems
        assert {"hot", "clock-changed"} <= codes(validity, invalid=False)


def test_other_programs_are_noticed(calm_pi: tuple[Environment, SystemState, SystemState]) -> None:
    environment, before, after = calm_pi
    environment = replace(environment, cores=4)
    crowded = replace(after, machine_busy_s=(after.machine_busy_s or 0) + 20)
    validity = check_machine(environment, before, crowded)
    assert codes(validity) == {"other-load"}
    assert "50 % of the CPU" in validity.problems[0].what
    starved = replace(after, own_busy_s=5.0, machine_busy_s=(before.machine_busy_s or 0) + 5)
    assert codes(check_machine(environment, before, starved)) == {"starved"}


def test_a_container_that_is_stopped_is_noticed(
    calm_pi: tuple[Environment, SystemState, SystemState],
) -> None:
    environment, before, after = calm_pi
    validity = check_machine(
        environment, replace(before, quota_stops=3), replace(after, quota_stops=9)
    )
    assert codes(validity) == {"cpu-quota"}
    assert "6 times" in validity.problems[0].what


def test_samples_are_judged_by_themselves() -> None:
    assert check_samples([10.0, 10.1] * 20).valid
    assert codes(check_samples([10.0] * 9, steady=False)) == {"not-warm"}
    assert codes(check_samples([1.0, 2.0, 3.0, 1.0, 2.0, 3.0])) == {"noisy"}
    drifting = [10.0] * 30 + [11.0] * 30 + [12.0] * 31
    assert "drift" in codes(check_samples(drifting))
    heated = check_samples(drifting, sustained=True)
    assert "drift" in codes(heated, invalid=False)


def test_a_verdict_survives_json() -> None:
    validity = check_samples([1.0, 2.0, 3.0])
    assert structure(validity.to_json(), Validity) == validity
