"""This very version as a wheel, and the agent as an archive that Python runs, both made from the
files of the running package.

Installed from an index, from a checkout or editable: what runs here is what will run there. No
build tool and no network is needed, and the same files give the same bytes, so that the device
sees by the hash that it has them already.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import zipfile
from contextlib import suppress
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from edge_effnet import __version__
from edge_effnet.errors import EdgeEffnetError

DISTRIBUTION = "edge-effnet"
PACKAGES = ("edge_effnet", "converters", "benchmarks")
_NEVER = {"__pycache__"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first moment a zip file can tell


def wheel_name() -> str:
    return f"edge_effnet-{__version__}-py3-none-any.whl"


def build_wheel() -> bytes:
    """The wheel's bytes, by the binary distribution format (PyPA specification, version 1.0).

    Raises:
        EdgeEffnetError: the package's own metadata are not installed.
    """
    about = f"edge_effnet-{__version__}.dist-info"
    files = {name: path.read_bytes() for name, path in sorted(_sources().items())}
    files[f"{about}/METADATA"] = _metadata().encode()
    files[f"{about}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: edge-effnet\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{about}/entry_points.txt"] = b"[console_scripts]\nedge-effnet = edge_effnet.cli:main\n"
    files[f"{about}/RECORD"] = _record(files, f"{about}/RECORD")
    return _packed(files)


def build_agent() -> bytes:
    """``agent`` as one file for ``python3`` (the archives of the standard library's zipapp)."""
    folder = Path(__file__).parent / "agent"
    files = {f"agent/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.py"))}
    return _packed({"__main__.py": b"from agent.verbs import main\n\nmain()\n", **files})


def _packed(files: dict[str, bytes]) -> bytes:
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
    """What the base install needs, without markers: ``{"click": "click>=8.1.3", …}``."""
    found = {}
    for line in metadata.requires(DISTRIBUTION) or ():
        requirement, _, marker = line.partition(";")
        if "extra ==" not in marker:
            name = requirement.strip()
            for sign in "<>=!~ ":
                name = name.partition(sign)[0]
            found[name] = requirement.strip()
    return found


def _sources() -> dict[str, Path]:
    found = {}
    for package in PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        root = Path(spec.origin).parent
        for path in root.rglob("*"):
            if path.is_file() and _NEVER.isdisjoint(path.parts) and path.suffix != ".pyc":
                found[f"{package}/{path.relative_to(root).as_posix()}"] = path
    return found


def _metadata() -> str:
    text = None
    with suppress(metadata.PackageNotFoundError):
        text = metadata.distribution(DISTRIBUTION).read_text("METADATA")
    if text is None:
        raise EdgeEffnetError(
            "this copy of edge-effnet cannot be sent to a device",
            found="a package without its metadata",
            expected="an installed one",
            fix="install it: pip install edge-effnet, or pip install -e . in a checkout",
        )
    return text


def _record(files: dict[str, bytes], own: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([name, f"sha256={digest}", len(data)])
    rows.writerow([own, "", ""])
    return text.getvalue().encode()
