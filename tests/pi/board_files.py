"""What packages' scripts, and a Raspberry Pi's kernel, would have written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

# Of a Raspberry Pi 4: /proc/cpuinfo per core, and what stands below them all. LiteRT decides by
# these, and dies where they contradict /sys.
_CORE = {
    64: """processor\t: {core}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
""",
    32: """processor\t: {core}
model name\t: ARMv7 Processor rev 3 (v7l)
BogoMIPS\t: 108.00
Features\t: half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae evtstrm crc32
CPU implementer\t: 0x41
CPU architecture: 7
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
""",
}
MODEL = "Raspberry Pi 4 Model B Rev 1.4"
_BOARD = f"Revision\t: c03114\nSerial\t\t: 10000000deadbeef\nModel\t\t: {MODEL}\n"
_SSHD = """HostKey /etc/ssh/ssh_host_ed25519_key
ListenAddress 127.0.0.1
UsePAM no
PasswordAuthentication no
Subsystem sftp /usr/lib/openssh/sftp-server
SetEnv QEMU_CPU={cpu}
"""
_USERS = "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\npi:x:1000:1000:Pi:/home/pi:/bin/bash\n"


def write_system(root: Path, *, bits: int, cpu: str) -> None:
    """Turn unpacked packages into a system that runs sshd and looks like a Pi 4."""
    etc = root / "etc"
    users = (root / "usr/share/base-passwd/passwd.master").read_text() + _USERS
    groups = (root / "usr/share/base-passwd/group.master").read_text() + "pi:x:1000:\n"
    names = [line.partition(":")[0] for line in users.splitlines()]
    (etc / "passwd").write_text(users)
    (etc / "group").write_text(groups)
    (etc / "shadow").write_text("".join(f"{name}:*:19000:0:99999:7:::\n" for name in names))
    (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files\n")
    (etc / "hostname").write_text("raspberrypi\n")
    (etc / "hosts").write_text("127.0.0.1 localhost raspberrypi\n")
    (etc / "ssh/sshd_config").write_text(_SSHD.format(cpu=cpu))
    _link(root / "usr/bin/sh", "dash")
    _link(root / "usr/bin/awk", "gawk")
    for name in ("proc", "sys", "dev", "tmp", "run/sshd", "home/pi"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "tmp").chmod(0o1777)
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "raspberrypi",
         "-f", str(etc / "ssh/ssh_host_ed25519_key")],
        check=True,
    )  # fmt: skip
    sensors = root / "sys/class/thermal/thermal_zone0"
    cores, board = root / "sys/devices/system/cpu", root / "sys/firmware/devicetree/base"
    for folder in (sensors, cores, board):
        folder.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (cores / name).write_text("0-3\n")
    (sensors / "temp").write_text("48312\n")
    (board / "model").write_text(MODEL + "\0")
    cpus = [_CORE[bits].format(core=number) for number in range(4)]
    (etc / "cpuinfo.pi").write_text("\n".join([*cpus, _BOARD]))
    for library in ("blas", "lapack"):  # what update-alternatives would have linked
        for folder in (root / "usr/lib").glob(f"*/{library}"):
            _link(folder.parent / f"lib{library}.so.3", f"{library}/lib{library}.so.3")
    shutil.rmtree(root / "usr/share/doc", ignore_errors=True)


def _link(place: Path, target: str) -> None:
    place.unlink(missing_ok=True)
    place.symlink_to(target)
