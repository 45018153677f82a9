"""The first root folder of a Linux kernel: what it needs to find its disk, and nothing else."""

from __future__ import annotations

import lzma
from collections.abc import Iterable
from pathlib import Path

_MODULES = ("virtio_pci", "virtio_blk", "crc32c_generic", "ext4")
_INIT = """#!/busybox sh
/busybox mount -t devtmpfs dev /dev
for module in /modules/*; do /busybox insmod $module; done
until [ -b /dev/vda ]; do /busybox usleep 20000; done
/busybox mount -t ext4 /dev/vda /root
exec /busybox switch_root /root /start
"""
_FILE, _FOLDER = 0o100755, 0o040755


def initramfs(root: Path, kernel: str) -> bytes:
    """An archive for a kernel's modules and the busybox of a root folder."""
    folder = root / "usr/lib/modules" / kernel
    entries = [(name, _FOLDER, b"") for name in ("dev", "root", "modules")]
    entries.append(("busybox", _FILE, (root / "usr/bin/busybox").read_bytes()))
    entries.append(("init", _FILE, _INIT.encode()))
    for position, file in enumerate(_in_order(folder / "modules.dep")):
        content = lzma.decompress((folder / file).read_bytes())
        entries.append((f"modules/{position:02d}", _FILE, content))
    return _archive(entries)


def _in_order(dependencies: Path) -> list[str]:
    """The modules, each behind those it needs: ``a: b c`` says that c goes before b."""
    needs: dict[str, list[str]] = {}
    for line in dependencies.read_text().splitlines():
        file, _, others = line.partition(": ")
        needs[file.rstrip(":")] = others.split()
    ordered: list[str] = []
    for name in _MODULES:
        for file in needs:
            if file.rsplit("/", 1)[1].partition(".")[0] == name:
                ordered += [*reversed(needs[file]), file]
    return list(dict.fromkeys(ordered))


def _archive(entries: Iterable[tuple[str, int, bytes]]) -> bytes:
    """Names, modes and contents as cpio's "newc", which the kernel unpacks
    (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    parts: list[bytes] = []
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")]):
        encoded = name.encode() + b"\0"
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(encoded), 0)
        head = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        parts += [head, bytes(-len(head) % 4), content, bytes(-len(content) % 4)]
    return b"".join(parts)
