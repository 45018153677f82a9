"""This very version as an archive, and the agent as one that Python runs, both made from the
files of the running package.

Installed from an index, from a checkout or editable: what runs here is what will run there, on
its ``PYTHONPATH``. A wheel by the build backend would need a source tree, which an installed
package has not. The same files give the same bytes, so that the device sees by the hash that it
has them already.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zipfile
from collections.abc import Mapping
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from edge_effnet.errors import EdgeEffnetError

DISTRIBUTION = "edge-effnet"
PACKAGES = ("edge_effnet", "converters", "benchmarks")
_NEVER = {"__pycache__", "studies"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file can tell


def build_package() -> bytes:
    """All packages of this installation, as an archive."""
    return _packed(_files())


def build_wheel() -> tuple[str, bytes]:
    """The same files as a wheel, which pip installs: its name and its bytes.

    Raises:
        EdgeEffnetError: the package's own metadata are not installed.
    """
    try:
        told = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError as error:
        raise _without_metadata() from error
    name = f"{DISTRIBUTION.replace('-', '_')}-{told.version}"
    about = f"{name}.dist-info"
    files = {
        **_files(),
        f"{about}/METADATA": (told.read_text("METADATA") or "").encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: edge-effnet push\n"
        b"Root-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": (told.read_text("entry_points.txt") or "").encode(),
    }
    lines = [f"{path},{_digest(data)},{len(data)}\n" for path, data in files.items()]
    files[f"{about}/RECORD"] = "".join([*lines, f"{about}/RECORD,,\n"]).encode()
    return f"{name}-py3-none-any.whl", _packed(files)


def _digest(data: bytes) -> str:
    """As a wheel's RECORD has it."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return "sha256=" + digest.rstrip(b"=").decode()


def _files() -> dict[str, bytes]:
    found = {}
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            root = Path(spec.origin).parent
            for path in root.rglob("*"):
                if path.is_file() and _NEVER.isdisjoint(path.relative_to(root).parts):
                    found[f"{package}/{path.relative_to(root).as_posix()}"] = path
    return {name: path.read_bytes() for name, path in sorted(found.items())}


def build_agent() -> bytes:
    """``agent`` as one file for ``python3`` (the archives of the standard library's zipapp)."""
    folder = Path(__file__).parent / "agent"
    files = {f"agent/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.py"))}
    return _packed({"__main__.py": b"from agent.commands import main\n\nmain()\n", **files})


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A zip file; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            pack.writestr(entry, data)
    return packed.getvalue()


def requirements() -> dict[str, str]:
    """What the base install needs, without markers: ``{"click": "click>=8.1.3", …}``.

    Raises:
        EdgeEffnetError: the package's own metadata are not installed.
    """
    try:
        lines = metadata.requires(DISTRIBUTION) or ()
    except metadata.PackageNotFoundError as error:
        raise _without_metadata() from error
    base = [line.partition(";")[0].strip() for line in lines if "extra ==" not in line]
    return {re.split(r"[<>=!~ \[]", line, maxsplit=1)[0]: line for line in base}


def _without_metadata() -> EdgeEffnetError:
    return EdgeEffnetError(
        "this copy of edge-effnet cannot be sent to a device",
        found="a package without its metadata",
        expected="an installed one",
        fix="install it: pip install edge-effnet, or pip install -e . in a checkout",
    )
