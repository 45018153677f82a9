"""What an emulated PC with cameras boots: Debian trixie, libcamera with its virtual camera, and the
real Picamera2. Packages' scripts do not run; what they would have made is made here."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests import debian
from tests.camera_machine.initramfs import initramfs
from tests.debian import Release, built, need, unpack

# trixie's own libcamera 0.4 fills no metadata, for which Picamera2 waits.
RELEASE = Release("trixie", preferred=("libcamera*", "python3-libcamera", "libpisp*"))
DISK_BYTES = 3 << 30
_HERE = Path(__file__).parent
_PACKAGES = (
    "base-files base-passwd libc-bin bash coreutils dash grep sed gawk findutils util-linux mount "
    "kmod udev systemd systemd-sysv iproute2 procps psmisc login passwd hostname "
    "busybox-static linux-image-amd64 v4l-utils python3 python3-prctl python3-libcamera "
    "libcamera-ipa openssh-server openssh-sftp-server libstdc++6"
).split()
_WHEELS = (
    *("click", "rich", "cattrs", "flatbuffers", "numpy", "opencv-python-headless"),
    "ai-edge-litert",
)
"""What edge-effnet itself needs, in the versions of ``constraints.txt``."""
_PICAMERA2 = (
    *("picamera2==0.3.38", "simplejpeg==1.9.0", "videodev2==0.0.4", "piexif==1.1.3"),
    *("pillow==13.0.0", "tqdm==4.70.1", "libarchive-c==5.3", "jsonschema==4.26.0"),
    *("jsonschema-specifications==2025.9.1", "referencing==0.37.0", "rpds-py==2026.9.1"),
    *("OpenEXR==3.5.3", "attrs==26.1.0"),
)
"""Picamera2 with its needs; PiDNG, which exists as source only, is left out."""
_PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")
_VIRTUAL_CAMERA = """%YAML 1.1
---
"Virtual0":
  supported_formats:
  - {width: 640, height: 480, frame_rates: [30, 60]}
  - {width: 1280, height: 720, frame_rates: [30, 60]}
  frames: {path: "/tmp/pictures/"}
  location: "CameraLocationFront"
  model: "Virtual Video Device"
...
"""
_COMMAND = """#!/bin/sh
PYTHONPATH=/code exec python3 /code/virtual_camera.py "$@"
"""
_SSHD = """HostKey /etc/ssh/ssh_host_ed25519_key
UsePAM no
PasswordAuthentication no
Subsystem sftp /usr/lib/openssh/sftp-server
"""


def build() -> Path:
    """Build the folder of ``disk.img``, ``vmlinuz``, ``initrd`` and ``host_key.pub``, or find it.

    Raises:
        Impossible: not root, not Debian, no network.
    """
    debian.refuse_machine("chroot", "setpriv", "ssh", "ssh-keygen")
    names = ("image.py", "initramfs.py", "start.sh")
    parts = [*(_HERE / name for name in names), Path(debian.__file__), _constraints()]
    return built("camera-machine", "".join(part.read_text() for part in parts), _make)


def emulator() -> Path:
    """A folder with QEMU's system emulator and mkfs.ext4, with all libraries they need."""
    packages = ["qemu-system-x86", "e2fsprogs"]
    return built("qemu-system", RELEASE.suite, lambda root: unpack(packages, RELEASE, root))


def with_its_libraries(root: Path, program: str) -> list[str]:
    """How a program of an unpacked folder is started on this machine."""
    folder = root / "usr/lib/x86_64-linux-gnu"
    libraries = ":".join(map(str, [folder, *folder.glob("*/")]))
    return [str(folder / "ld-linux-x86-64.so.2"), "--library-path", libraries, str(root / program)]


def _make(folder: Path) -> None:
    root = folder / "root"
    folder.mkdir()
    unpack(_PACKAGES, RELEASE, root)
    packages = root / "usr/local/lib/python3.13/dist-packages"
    _install_wheels(packages)
    _write_system(root)
    (kernel,) = [path.name for path in (root / "usr/lib/modules").iterdir()]
    for command in (
        ["ldconfig"],
        ["depmod", kernel],
        ["systemd-sysusers"],
        ["python3", "-m", "compileall", "-q", "/usr/lib/python3", "/usr/lib/python3.13",
         "/usr/local/lib/python3.13"],
    ):  # fmt: skip
        need(["chroot", root, *command])
    shutil.copy(root / f"boot/vmlinuz-{kernel}", folder / "vmlinuz")
    shutil.copy(root / "etc/ssh/ssh_host_ed25519_key.pub", folder / "host_key.pub")
    (folder / "initrd").write_bytes(initramfs(root, kernel))
    disk = folder / "disk.img"
    with disk.open("wb") as file:
        file.truncate(DISK_BYTES)
    need([*with_its_libraries(emulator(), "usr/sbin/mkfs.ext4"), "-q", "-d", root, disk])
    shutil.rmtree(root)


def _install_wheels(folder: Path) -> None:
    """Into the system's Python 3.13, as pip of this machine picks them for that one."""
    options = "--no-compile --python-version 3.13 --implementation cp --only-binary=:all:".split()
    options += [f"--platform={name}_x86_64" for name in _PLATFORMS]
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *options]
    need([*pip, "--target", folder, "--constraint", _constraints(), *_WHEELS])
    need([*pip, "--target", folder, "--no-deps", *_PICAMERA2])


def _constraints() -> Path:
    return _HERE.parents[1] / "constraints.txt"


def _write_system(root: Path) -> None:
    etc = root / "etc"
    base = root / "usr/share/base-passwd"
    nobody = "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
    (etc / "passwd").write_text((base / "passwd.master").read_text() + nobody)
    (etc / "group").write_text((base / "group.master").read_text())
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\n")
    (etc / "machine-id").write_text("c0ffee00c0ffee00c0ffee00c0ffee00\n")
    (etc / "hostname").write_text("camera-machine\n")
    (etc / "hosts").write_text("127.0.0.1 localhost camera-machine\n")
    (etc / "ssh/sshd_config").write_text(_SSHD)
    key = ["-f", etc / "ssh/ssh_host_ed25519_key", "-C", "camera-machine"]
    need(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", *key])
    (root / "usr/bin/sh").unlink(missing_ok=True)
    (root / "usr/bin/sh").symlink_to("dash")
    for name in ("proc", "sys", "dev", "run", "tmp", "share", "root", "usr/local/bin"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for place, text in {
        "start": (_HERE / "start.sh").read_text(),
        "usr/local/bin/edge-effnet": _COMMAND,
    }.items():
        (root / place).write_text(text)
        (root / place).chmod(0o755)
    pipeline = root / "usr/share/libcamera/pipeline/virtual"
    pipeline.mkdir(parents=True, exist_ok=True)
    (pipeline / "virtual.yaml").write_text(_VIRTUAL_CAMERA)
    shutil.rmtree(root / "usr/share/doc", ignore_errors=True)
