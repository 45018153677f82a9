"""What is installed here, and whether another machine has the same."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version

from edge_effnet.errors import EdgeEffnetError


def own_versions(packages: Iterable[str]) -> dict[str, str]:
    """Versions by name: Python's, and those of distributions; ``missing`` is one too."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def other_versions(
    who: str, found: Mapping[str, str], than: str, wanted: Mapping[str, str], host: str
) -> EdgeEffnetError | None:
    """The error of a machine with other versions than are wanted; None where all are equal.

    Args:
        who, found: the machine in words, and its versions.
        than, wanted, host: the one that the others must be like, its versions and its name.
    """
    other = [name for name, expected in wanted.items() if found.get(name) != expected]
    if not other:
        return None
    return EdgeEffnetError(
        f"{who} has other versions than {than}",
        found=", ".join(f"{name} {found.get(name)}" for name in other),
        expected=", ".join(f"{name} {wanted[name]}" for name in other) + f", as on {host}",
        fix="install the same versions on all machines",
    )
