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
import fcntl
import hashlib
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pi.board_files import write_system

SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
BINFMT = Path("/proc/sys/fs/binfmt_misc")
START_SECONDS = 120

_UNPACK = 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"'
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
                "attrs==26.1.0",
                "typing_extensions==4.16.0",
            ),
            ("manylinux_2_34_armv7l",),
        ),
    )
}


class Impossible(Exception):
    """Why there can be no emulated Pi on this machine."""


def build(name: str) -> Path:
    """Build a root folder, or find the one that was built before.

    Raises:
        Impossible: not root, not Debian, no network, no binfmt_misc.
    """
    row = ARCHITECTURES[name]
    _refuse_machine()
    parts = [Path(__file__).with_name(name) for name in ("emulator.py", "board_files.py")]
    recipe = "".join(part.read_text() for part in parts)
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    cache = Path(tempfile.gettempdir()) / f"edge-effnet-pi-{os.getuid()}"
    cache.mkdir(mode=0o700, exist_ok=True)
    with _only_one(cache / f"{name}.lock"):
        qemu = _emulator(cache, row)
        root = cache / f"{name}-{digest}"
        if not root.is_dir():
            for old in cache.glob(f"{name}-*"):
                shutil.rmtree(old)
            part = cache / f"part-{name}"
            shutil.rmtree(part, ignore_errors=True)
            _unpack([*_PACKAGES, *row.packages], name, cache, part)
            _install_wheels(row, part / "usr/local/lib/python3.11/dist-packages")
            write_system(part, bits=64 if name == "arm64" else 32, cpu=row.cpu)
            part.rename(root)
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
    port = port or _free_port()
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


def _refuse_machine() -> None:
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Impossible(f"{platform.system()} on {platform.machine()} is not x86-64 Linux")
    if os.getuid() != 0:
        raise Impossible("namespaces and mounts need root")
    if missing := [tool for tool in ("apt-get", "dpkg-deb", "unshare") if not shutil.which(tool)]:
        raise Impossible(f"this machine has no {missing[0]}")
    if not KEYRING.is_file():
        raise Impossible("this machine has no keys of Debian's archive")
    if _run(["unshare", "--mount", "--pid", "--fork", "true"]).returncode:
        raise Impossible("this container may not make namespaces")


def _emulator(cache: Path, row: Architecture) -> Path:
    """QEMU's user mode as a file of our own, from Debian's package."""
    folder = cache / "qemu"
    with _only_one(cache / "qemu.lock"):
        if not folder.is_dir():
            part = cache / "part-qemu"
            shutil.rmtree(part, ignore_errors=True)
            _unpack(["qemu-user-static"], "amd64", cache, part, dependencies=False)
            part.rename(folder)
    return folder / "usr/bin" / row.qemu


def _unpack(
    packages: Sequence[str],
    architecture: str,
    cache: Path,
    root: Path,
    *,
    dependencies: bool = True,
) -> None:
    """Unpack packages without running any of their scripts: nothing of them runs here."""
    apt = cache / f"apt-{architecture}"
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n")
    options = {
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": "/dev/null",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": apt / "state",
        "Dir::State::Status": apt / "status",
    }
    command = ["apt-get", "-qq", "-y", *(f"-o{key}={value}" for key, value in options.items())]
    _need([*command, "update"])
    archives = apt / "cache/archives"
    if dependencies:
        _need([*command, "install", "--no-install-recommends", "--download-only", *packages])
    else:
        _need([*command, "download", *packages], cwd=archives)
    for folder in ("bin", "sbin", "lib"):
        (root / "usr" / folder).mkdir(parents=True, exist_ok=True)
        (root / folder).symlink_to(f"usr/{folder}")
    for file in sorted(archives.glob("*.deb")):
        _need(["bash", "-ec", _UNPACK, file, root])
    shutil.rmtree(apt)


def _install_wheels(row: Architecture, folder: Path) -> None:
    """Arm wheels into the system's Python, as pip of this machine picks them for that one."""
    options = "--no-compile --python-version 3.11 --implementation cp --only-binary=:all:".split()
    options += [f"--platform={name}" for name in row.platforms]
    options += ["--no-deps"] if row.name == "armhf" else []  # numpy comes from apt
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    _need([*pip, *options, "--target", folder, *row.wheels])
    if sys.version_info[:2] == (3, 11):  # emulated, every first import would take twice as long
        python = ["env", "-u", "PYTHONDONTWRITEBYTECODE", sys.executable]
        _run([*python, "-m", "compileall", "-q", folder, folder.parents[3] / "lib/python3.11"])


def _register(row: Architecture, qemu: Path) -> None:
    """Tell the kernel to run this architecture's programs with QEMU, which it opens now (flag
    F), so that they find it in any root folder."""
    entry = BINFMT / f"edge-effnet-{row.name}"
    if not (BINFMT / "register").exists():
        _need(["mount", "-t", "binfmt_misc", "binfmt_misc", BINFMT])
    with _only_one(Path(tempfile.gettempdir()) / f"edge-effnet-pi-{os.getuid()}" / "binfmt.lock"):
        if entry.exists() and str(qemu) in entry.read_text():
            return
        if entry.exists():
            entry.write_text("-1")
        magic, mask = (re.sub("..", r"\\x\g<0>", part) for part in row.elf)
        (BINFMT / "register").write_text(f":{entry.name}:M::{magic}:{mask}:{qemu}:PF")


def _mirror() -> str:
    done = _run(["apt-get", "indextargets", "--format", "$(SITE)"])
    sites = sorted({line for line in done.stdout.split() if "security" not in line})
    if not sites:
        raise Impossible("apt has no package sources to build a Debian from")
    return sites[0]


def _run(command: Sequence[object], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd
    )


def _need(command: Sequence[object], cwd: Path | None = None) -> None:
    done = _run(command, cwd)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        raise Impossible(f"{command[0]} failed: {said[-1]}")


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])


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
