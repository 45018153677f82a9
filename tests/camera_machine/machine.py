"""An emulated PC with cameras: ``/dev/video0`` is the kernel's virtual V4L2 device (vivid), and
libcamera's virtual camera gives Picamera2 the JPEG files of ``/tmp/pictures``.

    python -m tests.camera_machine.machine --port 2222 --key ~/.ssh/id_ed25519.pub

builds it (a minute; the second time it is there) and runs it until Ctrl-C; then
``ssh -p 2222 root@127.0.0.1``, where ``edge-effnet`` is this checkout's, as it was at the start.
``--systemd`` boots systemd in it. It needs root, apt and Debian's archive, and installs nothing on
this machine. Only answers can be believed: its speed says nothing about a Pi.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import edge_effnet
from tests.camera_machine import image
from tests.debian import Impossible, free_port

START_SECONDS = 300
_HERE = Path(__file__).parent
# With five levels of page tables (la57) it takes three times as long to start.
_QEMU = (
    "-M pc -cpu max,la57=off -smp 2 -m 1536 -display none -vga none -no-reboot -nodefaults "
    "-monitor none -serial stdio"
).split()
_KERNEL = "console=ttyS0 loglevel=3 panic=-1 mitigations=off net.ifnames=0"


@dataclass(frozen=True)
class Machine:
    """One that runs.

    Attributes:
        share: a folder of this machine that is ``/share`` there.
        ssh: the command that runs another one there.
    """

    share: Path
    ssh: tuple[str, ...]

    def run(self, command: str, *, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a command of the shell as root."""
        return subprocess.run(
            [*self.ssh, command],
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
            check=False,
        )

    def start(self, command: str) -> subprocess.Popen[str]:
        """The same, and go on meanwhile."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [*self.ssh, command], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True
        )

    def need(self, command: str) -> str:
        """What a command that must not fail prints."""
        done = self.run(command)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout


@contextmanager
def running(
    folder: Path, key: str | None = None, *, port: int | None = None, systemd: bool = False
) -> Iterator[Machine]:
    """The machine of a built folder while the block runs; what it writes is gone with it, except
    below ``share``.

    Args:
        key: another public key that root accepts.
        systemd: leave the machine to systemd once it is up.

    Raises:
        Impossible: it does not start.
    """
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="edge-effnet-camera-") as name:
        own, share = Path(name), Path(name) / "share"
        _fill_share(share, own, key)
        known = f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}"
        (own / "known_hosts").write_text(known)
        console = own / "console.log"
        with console.open("wb") as log:
            process = subprocess.Popen(
                [*_emulator(folder, share, port), "-append", _kernel_line(systemd)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(own),
            )
        try:
            _wait(lambda: (share / "ready").exists(), process, console)
            with _link(_ssh(own, port), own / "link", process, console) as ssh:
                yield Machine(share, ssh)
        finally:
            process.kill()
            process.wait()


def _fill_share(share: Path, own: Path, key: str | None) -> None:
    share.mkdir()
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(own / "key")]
    subprocess.run(make, check=True)
    (share / "authorized_keys").write_text((own / "key.pub").read_text() + (key or ""))
    code = Path(edge_effnet.__file__).parent
    hidden = shutil.ignore_patterns("__pycache__")
    shutil.copytree(code, share / "code" / code.name, ignore=hidden)
    for file in (_HERE / "inside").glob("*.py"):
        shutil.copy(file, share / "code")


def _emulator(folder: Path, share: Path, port: int) -> list[str]:
    root = image.emulator()
    firmware = [f"-L{root / 'usr/share' / name}" for name in ("seabios", "qemu")]
    forwarded = f"user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
    return [
        *("setpriv", "--pdeathsig", "KILL"),  # it ends with this process, however that ends
        *image.with_its_libraries(root, "usr/bin/qemu-system-x86_64"),
        *(word for option in firmware for word in (option[:2], option[2:])),
        *("-accel", "tcg,thread=multi"),
        *_QEMU,
        *("-kernel", str(folder / "vmlinuz"), "-initrd", str(folder / "initrd")),
        *("-drive", f"file={folder / 'disk.img'},if=virtio,format=raw,snapshot=on"),
        *("-nic", forwarded),
        *("-virtfs", f"local,path={share},mount_tag=share,security_model=none"),
    ]


def _kernel_line(systemd: bool) -> str:
    return f"{_KERNEL} systemd" if systemd else _KERNEL


def _environment(own: Path) -> dict[str, str]:
    modules = image.emulator() / "usr/lib/x86_64-linux-gnu/qemu"
    return {**os.environ, "QEMU_MODULE_DIR": str(modules), "TMPDIR": str(own)}


def _ssh(own: Path, port: int) -> tuple[str, ...]:
    options = {
        "BatchMode": "yes",
        "ControlPath": own / "link",
        "IdentityFile": own / "key",
        "Port": port,
        "UserKnownHostsFile": own / "known_hosts",
    }
    words = [f"-o{name}={value}" for name, value in options.items()]
    return ("ssh", "-F", "none", *words, "-T", "root@127.0.0.1")


@contextmanager
def _link(
    ssh: tuple[str, ...], socket: Path, process: subprocess.Popen[bytes], console: Path
) -> Iterator[tuple[str, ...]]:
    """One connection for all commands: each of its own would take a second."""
    with (socket.with_name("ssh.log")).open("wb") as log:
        master = subprocess.Popen([*ssh, "-M", "-N"], stdin=subprocess.DEVNULL, stderr=log)
    try:
        _wait(socket.exists, process, console)
        yield ssh
    finally:
        master.terminate()
        master.wait()


def _wait(there: Callable[[], bool], process: subprocess.Popen[bytes], console: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not there():
        if process.poll() is not None or time.monotonic() > deadline:
            said = console.read_text(errors="replace")[-300:]
            raise Impossible(f"the machine does not start: {said}")
        time.sleep(0.1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0] if __doc__ else "")
    parser.add_argument("--port", type=int, default=2222)
    parser.add_argument("--key", type=Path, default=Path("~/.ssh/id_ed25519.pub"))
    parser.add_argument("--systemd", action="store_true")
    chosen = parser.parse_args()
    key = chosen.key.expanduser().read_text()
    with running(image.build(), key, port=chosen.port, systemd=chosen.systemd) as machine:
        print(f"ssh -p {chosen.port} root@127.0.0.1    # Ctrl-C here ends it")
        print(f"{machine.share} is /share there")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
