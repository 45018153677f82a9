"""An emulated Raspberry Pi 4: Debian bookworm (the base of Raspberry Pi OS) with real Arm wheels,
run by QEMU's user mode behind a real sshd on loopback.

    python -m tests.pi.emulator arm64 --port 2222 --key ~/.ssh/id_ed25519.pub

builds one (under a minute; the second time it is there) and runs it until Ctrl-C; then
``ssh -p 2222 pi@127.0.0.1``. It needs root, apt and Debian's archive, and installs nothing on
this machine: packages are unpacked into a folder, and QEMU is registered with the kernel until
the next boot. Only answers can be believed: its speed is this machine's.
"""

from __future__ import annotations

import argparse
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import debian
from tests.debian import Impossible, Release, built, need, only_one, run, unpack
from tests.pi.board_files import write_system

SUITE = "bookworm"
BINFMT = Path("/proc/sys/fs/binfmt_misc")
START_SECONDS = 120

_PACKAGES = (
    "bash coreutils findutils grep sed gawk tar gzip procps util-linux login passwd hostname "
    "base-files base-passwd debianutils libc-bin dash ca-certificates python3 python3-distutils "
    "python3-venv python3-pip openssh-server openssh-sftp-server libstdc++6 libgomp1"
).split()


@dataclass(frozen=True)
class Architecture:
    """A row: what a Pi of one word length is made of.

    Attributes:
        elf: the first 20 bytes of its programs and the mask under which they are compared, as
            the kernel's binfmt_misc wants them (from QEMU's own scripts/qemu-binfmt-conf.sh).
        cpu: for QEMU. Its default, with SVE, makes LiteRT's int8 results wrong.
        wheels: from PyPI into the system's Python, for the platforms after them.
    """

    name: str
    qemu: str
    elf: tuple[str, str]
    cpu: str
    packages: tuple[str, ...]
    wheels: tuple[str, ...]
    platforms: tuple[str, ...]


_MASK = "ffffffffffffff00fffffffffffffffffeffffff"
ARCHITECTURES = {
    row.name: row
    for row in (
        Architecture(
            "arm64",
            "qemu-aarch64-static",
            ("7f454c460201010000000000000000000200b700", _MASK),
            "cortex-a72",
            (),
            (
                "ai-edge-litert==2.3.0",
                "opencv-python-headless==5.0.0.93",
                "rich==15.0.0",
                "cattrs==26.2.1",
                "flatbuffers==25.12.19",
            ),
            ("manylinux2014_aarch64", "manylinux_2_27_aarch64", "manylinux_2_28_aarch64"),
        ),
        Architecture(
            "armhf",
            "qemu-arm-static",
            ("7f454c4601010100000000000000000002002800", _MASK),
            "cortex-a7",
            ("python3-numpy", "python3-opencv", "python3-click", "python3-rich", "libatomic1"),
            (
                "tflite-runtime==2.14.0",
                "cattrs==26.2.1",
                "flatbuffers==25.12.19",
                "attrs==26.1.0",
                "typing_extensions==4.16.0",
            ),
            ("manylinux_2_34_armv7l",),
        ),
    )
}


def build(name: str) -> Path:
    """Build a root folder, or find the one that was built before.

    Raises:
        Impossible: not root, not Debian, no network, no binfmt_misc.
    """
    row = ARCHITECTURES[name]
    debian.refuse_machine("unshare")
    if run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode:
        raise Impossible("this container may not make namespaces")
    parts = [Path(__file__), Path(__file__).with_name("board_files.py"), Path(debian.__file__)]

    def make(root: Path) -> None:
        unpack([*_PACKAGES, *row.packages], Release(SUITE, name), root)
        _install_wheels(row, root / "usr/local/lib/python3.11/dist-packages")
        write_system(root, bits=64 if name == "arm64" else 32, cpu=row.cpu)

    qemu = _emulator() / "usr/bin" / row.qemu
    root = built(name, "".join(part.read_text() for part in parts), make)
    _register(row, qemu)
    return root


@contextmanager
def running(
    root: Path, key: str, *, port: int | None = None, as_a_pi: bool = True
) -> Iterator[int]:
    """An emulated Pi while the block runs; yields its SSH port on 127.0.0.1.

    Everything it writes is in memory and gone with it, so one root serves many.

    Args:
        key: the public key that the user ``pi`` accepts.
        as_a_pi: False lets it see this machine's own /proc/cpuinfo and /sys.
    """
    port = port or debian.free_port()
    script = Path(__file__).with_name("start.sh")
    process = subprocess.Popen(
        [
            *"unshare --mount --uts --pid --fork --kill-child --propagation private bash".split(),
            *map(str, (script, root, port, key, int(as_a_pi))),
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_for_ssh(process, port)
        yield port
    finally:
        process.kill()
        process.communicate()


def host_key(root: Path) -> str:
    """The public part of its host key, as known_hosts files hold it."""
    return " ".join((root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2])


def _emulator() -> Path:
    """QEMU's user mode as files of our own, from Debian's package."""
    packages, release = ["qemu-user-static"], Release(SUITE)
    return built(
        "qemu-user", SUITE, lambda root: unpack(packages, release, root, dependencies=False)
    )


def _install_wheels(row: Architecture, folder: Path) -> None:
    """Arm wheels into the system's Python, as pip of this machine picks them for that one."""
    options = "--no-compile --python-version 3.11 --implementation cp --only-binary=:all:".split()
    options += [f"--platform={name}" for name in row.platforms]
    options += ["--no-deps"] if row.name == "armhf" else []  # numpy comes from apt
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    need([*pip, *options, "--target", folder, *row.wheels])
    if sys.version_info[:2] == (3, 11):  # emulated, every first import would take twice as long
        python = ["env", "-u", "PYTHONDONTWRITEBYTECODE", sys.executable]
        run([*python, "-m", "compileall", "-q", folder, folder.parents[3] / "lib/python3.11"])


def _register(row: Architecture, qemu: Path) -> None:
    """Tell the kernel to run this architecture's programs with QEMU, which it opens now (flag
    F), so that they find it in any root folder."""
    entry = BINFMT / f"edge-effnet-{row.name}"
    if not (BINFMT / "register").exists():
        need(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT])
    with only_one("binfmt"):
        if entry.exists() and str(qemu) in entry.read_text():
            return
        if entry.exists():
            entry.write_text("-1")
        magic, mask = (re.sub("..", r"\\x\g<0>", part) for part in row.elf)
        (BINFMT / "register").write_text(f":{entry.name}:M::{magic}:{mask}:{qemu}:PF")


def _wait_for_ssh(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            assert process.stdout is not None
            raise Impossible(f"it does not start: {process.stdout.read().decode()[-300:]}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
                if link.recv(4) == b"SSH-":
                    return
        except OSError:
            time.sleep(0.05)
    raise Impossible("its sshd does not answer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("architecture", choices=sorted(ARCHITECTURES))
    parser.add_argument("--port", type=int, default=2222)
    parser.add_argument("--key", type=Path, default=Path("~/.ssh/id_ed25519.pub"))
    chosen = parser.parse_args()
    root = build(chosen.architecture)
    with running(root, chosen.key.expanduser().read_text(), port=chosen.port) as port:
        print(f"ssh -p {port} pi@127.0.0.1    # Ctrl-C here ends it")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
