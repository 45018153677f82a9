"""What the tests' emulated machines are built from: Debian's packages, unpacked into folders that
are kept for the next run. Nothing is installed on this machine."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_KEPT_S = 24 * 3600
_TOOLS = ("apt-get", "dpkg-deb")
_UNPACK = 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"'


class Impossible(Exception):
    """Why there can be no emulated machine on this one."""


@dataclass(frozen=True)
class Release:
    """What packages are taken from.

    Attributes:
        preferred: from the release's backports, by patterns of their names.
    """

    suite: str
    architecture: str = "amd64"
    preferred: tuple[str, ...] = ()


def refuse_machine(*tools: str) -> None:
    """Raise Impossible where this is not Debian with these tools, on x86-64, and root."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise Impossible(f"{platform.system()} on {platform.machine()} is not x86-64 Linux")
    if os.getuid() != 0:
        raise Impossible("to build it needs root")
    if missing := [tool for tool in (*_TOOLS, *tools) if not shutil.which(tool)]:
        raise Impossible(f"this machine has no {missing[0]}")
    if not KEYRING.is_file():
        raise Impossible("this machine has no keys of Debian's archive")


def cache() -> Path:
    """The folder where machines are kept."""
    folder = Path(tempfile.gettempdir()) / f"edge-effnet-pi-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def built(name: str, recipe: str, make: Callable[[Path], None]) -> Path:
    """A folder that ``make`` filled, now or before; those of other recipes go, once nobody has
    asked for them for a day.

    Args:
        recipe: all that the content depends on.
        make: is given an empty folder, or one that does not exist yet.
    """
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:12]
    folder, part = cache() / f"{name}-{digest}", cache() / f"part-{name}"
    with only_one(name):
        if not folder.is_dir():
            others = [one for one in cache().glob(f"{name}-*") if _unused_s(one) > _KEPT_S]
            for old in (part, *others):
                shutil.rmtree(old, ignore_errors=True)
            make(part)
            part.rename(folder)
        os.utime(folder)
    return folder


def _unused_s(folder: Path) -> float:
    return time.time() - folder.stat().st_mtime


@contextmanager
def only_one(name: str) -> Iterator[None]:
    """Keep other processes out of the same block."""
    with (cache() / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def unpack(
    packages: Sequence[str], release: Release, root: Path, *, dependencies: bool = True
) -> None:
    """Unpack packages without running any of their scripts: nothing of them runs here.

    Raises:
        Impossible: no network, or no such package.
    """
    apt = root.with_name(f"{root.name}-apt")
    shutil.rmtree(apt, ignore_errors=True)
    command = ["apt-get", "-qq", "-y", *_apt_options(apt, release)]
    need([*command, "update"])
    archives = apt / "cache/archives"
    if dependencies:
        need([*command, "install", "--no-install-recommends", "--download-only", *packages])
    else:
        need([*command, "download", *packages], cwd=archives)
    for folder in ("bin", "sbin", "lib", *(["lib64"] if release.architecture == "amd64" else [])):
        (root / "usr" / folder).mkdir(parents=True, exist_ok=True)
        (root / folder).symlink_to(f"usr/{folder}")
    for file in sorted(archives.glob("*.deb")):
        need(["bash", "-ec", _UNPACK, file, root])
    shutil.rmtree(apt)


def _apt_options(apt: Path, release: Release) -> list[str]:
    """Of an apt that knows nothing of this machine's packages."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (apt / name).mkdir(parents=True, exist_ok=True)
    (apt / "status").touch()
    suites = [release.suite, *([f"{release.suite}-backports"] if release.preferred else [])]
    lines = [f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n" for suite in suites]
    (apt / "sources.list").write_text("".join(lines))
    pins = f"Package: {' '.join(release.preferred)}\nPin: release n={suites[-1]}\n"
    (apt / "preferences").write_text(f"{pins}Pin-Priority: 990\n" if release.preferred else "")
    options = {
        "APT::Architecture": release.architecture,
        "APT::Architectures": release.architecture,
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Dir::Cache": apt / "cache",
        "Dir::Etc::SourceList": apt / "sources.list",
        "Dir::Etc::SourceParts": "/dev/null",
        "Dir::Etc::Preferences": apt / "preferences",
        "Dir::Etc::PreferencesParts": "/dev/null",
        "Dir::State": apt / "state",
        "Dir::State::Status": apt / "status",
    }
    return [f"-o{key}={value}" for key, value in options.items()]


def _mirror() -> str:
    done = run(["apt-get", "indextargets", "--format", "$(SITE)"])
    sites = sorted({line for line in done.stdout.split() if "security" not in line})
    if not sites:
        raise Impossible("apt has no package sources to build a Debian from")
    return sites[0]


def run(command: Sequence[object], cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=cwd
    )


def need(command: Sequence[object], cwd: Path | None = None) -> None:
    """Run a command; raises Impossible, with its last line, where it fails."""
    done = run(command, cwd)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()
        raise Impossible(f"{command[0]} failed: {said[-1]}")


def free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        return int(tried.getsockname()[1])
