"""The agent's commands, and the one that was asked for."""

from __future__ import annotations

import json
import platform
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .arriving import look, make_folders, place
from .cache import FILES, ROOT
from .environment import environment
from .installing import install
from .jobs import clean, follow, forget, jobs, run, start
from .lines import Refused, tell


def describe(_request: dict[str, Any]) -> dict[str, Any]:
    """What this machine is; needs no folder of ours."""
    cpuinfo = Path("/proc/cpuinfo")
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "bits": 8 * struct.calcsize("P"),
        "cpuinfo": cpuinfo.read_text(errors="replace") if cpuinfo.exists() else "",
        "free_bytes": shutil.disk_usage(ROOT).free,
    }


def missing(request: dict[str, Any]) -> list[str]:
    """Which of ``{"files": {hash: size}}`` are not here."""
    found = []
    for key, size in request["files"].items():
        file = FILES / key
        if not file.is_file() or file.stat().st_size != size:
            found.append(key)
    return found


COMMANDS: dict[str, Callable[[dict[str, Any]], Any]] = {
    command.__name__: command
    for command in (
        *(describe, missing, environment, start, run, follow, jobs, forget, clean),
        *(look, make_folders, place, install),
    )
}


def main() -> None:
    try:
        answer = COMMANDS[sys.argv[1]](json.load(sys.stdin))
    except Refused as refused:
        tell(error=refused.line)
    except OSError as error:
        tell(
            error={
                "what": f"the Pi cannot {sys.argv[1]}",
                "found": str(error),
                "fix": "look at its disk: df -h, and at who owns ~/.cache",
            }
        )
    else:
        tell(answer=answer)
