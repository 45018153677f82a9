"""``bench --device pi@…`` against real sshds and real Arm wheels, on emulated CPUs.

Answers are compared, times never: an emulated CPU has none.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.results.store import read_results
from edge_effnet.tflite.reader import read_structure
from tests.edge_effnet.conftest import colour_model  # noqa: F401 (a fixture)
from tests.pi import emulator
from tests.pi.cable import cable
from tests.pi.conftest import User, answers_here, answers_of, seeded_tensors

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CACHE = ".cache/edge-effnet"


@pytest.fixture(scope="module")
def pictures(user: User) -> Path:
    folder = user.home / "signs"
    done = user.run("signs", "render", folder, "-n", 24, "--size", 64, "--format", "png")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def tiny(colour_model: Callable[..., Path]) -> Path:  # noqa: F811
    """A model of microseconds, where it is not the answers that matter."""
    return colour_model("tiny.tflite")


def test_an_unknown_host_key_is_refused_with_what_to_type(
    user: User, pi64: str, arm64: Path, model: Path
) -> None:
    port = _port_of(user, pi64)
    known = user.ssh_files / "known_hosts"
    kept = known.read_text()
    told = subprocess.run(
        ["ssh-keygen", "-lf", str(arm64 / "etc/ssh/ssh_host_ed25519_key.pub")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[1]
    config = user.ssh_files / "config"
    configured = config.read_text()
    try:
        for setting in ("", f"UserKnownHostsFile {known}\n", "UserKnownHostsFile none\n"):
            known.write_text("")
            config.write_text(setting + f"IdentityFile {user.ssh_files / 'key'}\n")
            done = user.run("bench", model, "--device", f"pi@127.0.0.1:{port}")
            assert done.returncode == 1
            assert done.stderr.count("\n") == 1
            assert told in done.stderr
            assert f"type ssh -p {port} pi@127.0.0.1 once" in done.stderr
        other = user.home / "other"
        make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(other)]
        subprocess.run(make, check=True)
        key = " ".join(other.with_suffix(".pub").read_text().split()[:2])
        known.write_text(f"[127.0.0.1]:{port} {key}\n")
        done = user.run("bench", model, "--device", f"pi@127.0.0.1:{port}")
        assert done.returncode == 1
        assert "another host key than your known_hosts file has" in done.stderr
    finally:
        known.write_text(kept)
        config.write_text(configured)
    assert CACHE not in user.ssh(pi64, "find", ".")


def test_nothing_is_prepared_on_the_pi_and_a_second_run_copies_nothing(
    user: User, pi64: str, model: Path, pictures: Path, wheels: Path
) -> None:
    command = ("bench", model, "--device", f"pi@{pi64}", "--seconds", 0.05, "--data", pictures)
    file = user.home / "first.json"
    first = user.run(*command, "--wheels", wheels, "--json", file)
    assert first.returncode == 0, first.stderr
    assert "copying files" in first.stderr
    assert "building an environment for click>=8.1.3" in first.stderr  # it has all the others
    (result,) = read_results(file)
    assert result.device == f"pi@{pi64}"
    assert result.environment.machine == "aarch64"
    assert result.environment.runtime == "LiteRT 2.3.0"
    assert result.cases[0].file == str(model)
    assert result.cases[0].name == "b0-int8"
    assert result.settings["data"] == str(pictures)
    # Emulated: marked, and no time is shown as a Pi's.
    assert "qemu-aarch64" in (result.environment.emulated or "")
    assert not result.valid
    assert "emulated CPU" in first.stdout
    assert " ms" not in first.stdout
    here = user.run("bench", model, "--seconds", 0.05, "--data", pictures, "--json", "-")
    accuracy = json.loads(here.stdout)["accuracy"]
    assert result.accuracy is not None
    assert result.accuracy["images"] == 24
    (there,), (here_too,) = result.accuracy["models"], accuracy["models"]
    assert there["sha256"] == here_too["sha256"]
    # Arm rounds some products next to a half differently: of 24 pictures two may be called another.
    assert abs(there["top1"] - here_too["top1"]) <= 100 * 2 / 24 + 1e-9

    second = user.run(*command)
    assert second.returncode == 0, second.stderr
    assert "nothing to copy" in second.stderr
    assert "building" not in second.stderr


@pytest.fixture(scope="module")
def lite(user: User) -> Path:
    """A network of another family: rectified, without gates."""
    out = user.home / "lite"
    done = user.run(
        *("convert", "--variant", "lite0", "--weights", "random", "--int8"),
        *("--resolution", 64, "--calibration-images", 4, "--out", out),
    )
    assert done.returncode == 0, done.stderr
    return out / "lite0-int8.tflite"


@pytest.mark.parametrize("network", ["model", "lite"])
def test_answers_are_those_of_this_machine_bit_for_bit_on_64_bit(
    user: User, pi64: str, network: str, request: pytest.FixtureRequest
) -> None:
    """Every integer tensor of the network; what is in float at its end, in all but the last digits.

    That products of activations round alike is the converter's doing: see
    ``converters.quantization.requantization``.
    """
    opened = user.home / f"{network}-opened.tflite"
    _with_every_tensor_as_output(request.getfixturevalue(network), opened)
    tensors = seeded_tensors(user.home, opened)
    there = answers_of(user, pi64, opened, tensors)
    here = answers_here(sys.executable, opened, tensors)
    for operator in read_structure(opened).operators:
        (sink,) = operator.outputs
        if there[sink].dtype == np.float32:
            assert np.allclose(there[sink], here[sink], rtol=0.01, atol=0.01)
        else:
            assert np.array_equal(there[sink], here[sink])
        assert len(np.unique(there[sink])) > 1


def test_a_lost_link_leaves_the_measurement_alone(
    user: User, pi64: str, arm64: Path, tiny: Path, wheels: Path
) -> None:
    with cable(_port_of(user, pi64)) as (port, cut):
        user.knows("cable", port, arm64)
        command = _bench(tiny, seconds=6, device="pi@cable", wheels=wheels)
        with _started(user, command) as process:
            _wait_for_line(process, "loading in fresh processes")
            cut()
            _, said = process.communicate()
        assert process.returncode == 1
    assert "the link to cable was lost; found the measurement goes on there" in said
    assert "edge-effnet bench --device pi@cable --attach fetches it" in said
    fetched = user.run("bench", "--device", f"pi@{pi64}", "--attach", "--json", "-")
    assert fetched.returncode == 0, fetched.stderr
    (case,) = json.loads(fetched.stdout)["cases"]
    assert case["file"] == str(tiny)
    again = user.run("bench", "--device", f"pi@{pi64}", "--attach")
    assert again.returncode == 1
    assert "no measurement waits" in again.stderr


def test_ctrl_c_stops_the_measurement_there(
    user: User, pi64: str, tiny: Path, wheels: Path
) -> None:
    command = _bench(tiny, seconds=300, device=f"pi@{pi64}", wheels=wheels)
    with _started(user, command) as process:
        _wait_for_line(process, "loading in fresh processes")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert "interrupted" in said
    assert process.returncode == 130
    assert user.ssh(pi64, "ls", f"{CACHE}/jobs") == ""
    assert "worker" not in user.ssh(pi64, "ps", "-ef")


def test_a_runtime_that_dies_is_one_line_with_cpu_and_wheel(
    user: User, arm64: Path, model: Path, wheels: Path
) -> None:
    """LiteRT is killed by SIGSEGV where /proc/cpuinfo and /sys are of an x86 machine."""
    key = (user.ssh_files / "key.pub").read_text()
    with emulator.running(arm64, key, as_a_pi=False) as port:
        user.knows("broken", port, arm64)
        done = user.run("bench", model, "--device", "pi@broken", "--wheels", wheels)
    assert done.returncode == 1
    error = done.stderr.splitlines()[-1]
    assert error.startswith("error: on broken: native code died of SIGSEGV on the CPU ")
    assert "the wheel ai-edge-litert 2.3.0 cp311-cp311-manylinux" in error
    assert "Traceback" not in done.stderr


def test_two_pis_at_once_and_32_bit_answers(
    user: User,
    pi64: str,
    pi32: str,
    model: Path,
    lite: Path,
    wheels: Path,
    tflite_runtime: Path,
) -> None:
    file = user.home / "both.json"
    done = user.run(
        *("bench", model, "--seconds", 0.05, "--json", file),
        *("--device", f"pi@{pi64}", "--device", f"pi@{pi32}", "--wheels", wheels),
    )
    assert done.returncode == 0, done.stderr
    wide, narrow = read_results(file)
    assert (wide.environment.bits, narrow.environment.bits) == (64, 32)
    assert narrow.environment.runtime == "tflite-runtime 2.14.0"
    assert "qemu-arm" in (narrow.environment.emulated or "")
    spoken = [{note.code for note in one.verdict.notes} for one in (wide, narrow)]
    assert ["int8-unknown" in codes for codes in spoken] == [False, True]
    (case,) = narrow.cases
    assert case.delegation is not None
    assert case.delegation.delegated == 0
    assert f"pi@{pi32}: warming up" in done.stderr
    tensors = seeded_tensors(user.home, model)
    (there,) = answers_of(user, pi32, model, tensors).values()
    (here,) = answers_here(str(tflite_runtime), model, tensors).values()
    assert np.array_equal(there.argmax(1), here.argmax(1))
    # Other kernels than the host's: some products round differently, and noise is unforgiving.
    assert np.abs(there - here).max() <= 24  # of 256
    # The packaged model answers in integers, this one in float: tflite-runtime has a kernel for it.
    tensors = seeded_tensors(user.home, lite)
    (there,) = answers_of(user, pi32, lite, tensors).values()
    (here,) = answers_here(sys.executable, lite, tensors).values()
    assert there.dtype == np.float32
    assert np.corrcoef(there.ravel(), here.ravel())[0, 1] > 0.9


def test_clean_removes_everything(user: User, pi64: str) -> None:
    done = user.run("bench", "--device", f"pi@{pi64}", "--clean")
    assert done.returncode == 0, done.stderr
    assert "removed" in done.stderr
    assert CACHE not in user.ssh(pi64, "find", ".")


def _with_every_tensor_as_output(model: Path, copy: Path) -> Path:
    from ai_edge_litert.tools import flatbuffer_utils

    tree = flatbuffer_utils.read_model(str(model))
    graph = tree.subgraphs[0]
    graph.outputs = [int(sink) for operator in graph.operators for sink in operator.outputs]
    tree.signatureDefs = None
    flatbuffer_utils.write_model(tree, str(copy))
    return copy


def _bench(model: Path, *, seconds: int, device: str, wheels: Path) -> list[str]:
    command = [sys.executable, "-m", "edge_effnet", "bench", str(model), "--device", device]
    return [*command, "--seconds", str(seconds), "--wheels", str(wheels)]


def _port_of(user: User, name: str) -> int:
    lines = (user.ssh_files / "config").read_text().splitlines()
    return int(lines[lines.index(f"Host {name}") + 2].split()[1])


def _started(user: User, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, **user.environment}
    )


def _wait_for_line(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(beginning):
            return
    raise AssertionError(f"it never said {beginning!r}")
