"""Emulated Pis, and a user's home folder with the SSH files that reach them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.devices.pi.package import build_package
from edge_effnet.data.demo import demo_model
from edge_effnet.tflite.reader import read_structure
from tests.conftest import RunCommand
from tests.debian import Impossible
from tests.pi import emulator

Answers = dict[int, NDArray[Any]]
"""Index of an output tensor: what is stored there, (pictures, ...)."""
ANSWERS = Path(__file__).with_name("answers.py")


@dataclass(frozen=True)
class User:
    """Someone at the host: a home folder, and the command run with it."""

    home: Path
    edge_effnet: RunCommand

    @property
    def ssh_files(self) -> Path:
        return self.home / ".ssh"

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.edge_effnet(*arguments, env=self.environment)

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "SSH_AUTH_SOCK": ""}

    def ssh(self, name: str, *command: str) -> str:
        """What a command prints on a Pi."""
        done = subprocess.run(
            [
                "ssh",
                "-o",
                "BatchMode=yes",
                "-F",
                str(self.ssh_files / "config"),
                "-T",
                name,
                *command,
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def copy(self, *names: object) -> None:
        config = str(self.ssh_files / "config")
        subprocess.run(["scp", "-q", "-r", "-F", config, *map(str, names)], check=True)

    def knows(self, name: str, port: int, root: Path) -> None:
        """Write down an alias in the SSH configuration, and the host's key."""
        with (self.ssh_files / "config").open("a") as config:
            config.write(
                f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User pi\n"
                f" IdentityFile {self.ssh_files / 'key'}\n"
                f" UserKnownHostsFile {self.ssh_files / 'known_hosts'}\n"
            )
        with (self.ssh_files / "known_hosts").open("a") as known:
            known.write(f"[127.0.0.1]:{port} {emulator.host_key(root)}\n")


@pytest.fixture(scope="session")
def user(tmp_path_factory: pytest.TempPathFactory, edge_effnet: RunCommand) -> User:
    if not all(map(shutil.which, ("ssh", "scp", "ssh-keygen"))):
        pytest.skip("no emulated Raspberry Pi here: OpenSSH's client is not installed")
    home = tmp_path_factory.mktemp("home")
    (home / ".ssh").mkdir(mode=0o700)
    key = home / ".ssh/key"
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
    subprocess.run(make, check=True)
    return User(home, edge_effnet)


@pytest.fixture(scope="session")
def building() -> Iterator[dict[str, Future[Path]]]:
    """Both systems, built side by side: the larger one is waited for last."""
    with ThreadPoolExecutor() as pool:
        yield {name: pool.submit(emulator.build, name) for name in emulator.ARCHITECTURES}


def root_of(building: dict[str, Future[Path]], name: str) -> Path:
    try:
        return building[name].result()
    except Impossible as reason:
        pytest.skip(f"no emulated Raspberry Pi here: {reason}")


@pytest.fixture(scope="session")
def arm64(building: dict[str, Future[Path]]) -> Path:
    return root_of(building, "arm64")


@pytest.fixture(scope="session")
def pi64(arm64: Path, user: User) -> Iterator[str]:
    """The alias of a running 64-bit Pi."""
    with emulator.running(arm64, (user.ssh_files / "key.pub").read_text()) as port:
        user.knows("pi64", port, arm64)
        yield "pi64"


@pytest.fixture(scope="session")
def pi32(building: dict[str, Future[Path]], user: User) -> Iterator[str]:
    """The alias of a running 32-bit Pi."""
    root = root_of(building, "armhf")
    with emulator.running(root, (user.ssh_files / "key.pub").read_text()) as port:
        user.knows("pi32", port, root)
        yield "pi32"


@pytest.fixture(scope="session")
def model() -> Path:
    """The packaged int8 EfficientNet-B0."""
    return demo_model()


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the 64-bit Pi lacks, for one that reaches no index."""
    folder = tmp_path_factory.mktemp("wheels")
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "--only-binary=:all:", "-d", str(folder), "click==8.5.1"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("the wheels for the emulated Pi cannot be downloaded")
    return folder


@pytest.fixture(scope="session")
def tflite_runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python of this machine with tflite-runtime, which 32-bit systems have."""
    if sys.version_info[:2] != (3, 11):
        pytest.skip("tflite-runtime needs Python 3.11")
    folder = tmp_path_factory.mktemp("tflite-runtime")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = folder / "bin/python"
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "tflite-runtime==2.14.0", "numpy<2"], check=True)
    return python


def seeded_tensors(folder: Path, model: Path, count: int = 16) -> Path:
    """Seeded inputs that fit the model, as a file."""
    structure = read_structure(model)
    source = structure.tensors[structure.inputs[0]]
    noise = np.random.default_rng(6).integers(0, 256, (count, *source.shape[1:]))
    file = folder / "tensors.npy"
    np.save(file, noise.astype(source.dtype))
    return file


def answers_of(user: User, pi: str, model: Path, tensors: Path) -> Answers:
    """A model's raw outputs for a file of input tensors, from a Pi's runtime."""
    user.copy(ANSWERS, model, tensors, f"{pi}:")
    user.ssh(pi, "python3", ANSWERS.name, model.name, tensors.name, "answers.npz")
    user.copy(f"{pi}:answers.npz", user.home)
    return _read(user.home / "answers.npz")


def answers_here(python: str, model: Path, tensors: Path) -> Answers:
    """The same from a runtime of this machine: that of ``python``."""
    answers = tensors.with_name("here.npz")
    command = [python, str(ANSWERS), str(model), str(tensors), str(answers)]
    subprocess.run(command, check=True, capture_output=True)
    return _read(answers)


def _read(file: Path) -> Answers:
    with np.load(file) as found:
        return {
            int(name): values if values.dtype == np.float32 else values.astype(np.int64)
            for name, values in found.items()
        }


@pytest.fixture(scope="module")
def light(user: User, pi64: str, wheels: Path, model: Path) -> tuple[str, ...]:
    """The command of the light install on the 64-bit Pi: our files, and the package it lacks."""
    return install_light(user, pi64, model, *wheels.glob("*.whl"))


def install_light(user: User, pi: str, model: Path, *wheels: Path) -> tuple[str, ...]:
    """Unpack our files on a Pi, and wheels that it lacks; returns the command that runs them."""
    package = user.home / "edge-effnet.zip"
    package.write_bytes(build_package())
    user.copy(package, *wheels, model, f"{pi}:")
    for file in (package, *wheels):
        user.ssh(pi, "python3", "-m", "zipfile", "-e", file.name, "light")
    return ("env", "PYTHONPATH=light", "python3")
