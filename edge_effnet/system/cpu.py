"""The CPU by its name, from the text files in which Linux describes the machine."""

from __future__ import annotations

from pathlib import Path

ROOT = Path("/")

_ARM_PARTS = {
    "0xb76": "ARM1176",
    "0xc07": "Cortex-A7",
    "0xd03": "Cortex-A53",
    "0xd04": "Cortex-A35",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd09": "Cortex-A73",
    "0xd0a": "Cortex-A75",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd41": "Cortex-A78",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}


def read_text(path: Path) -> str | None:
    """A small file of /proc or /sys, stripped; None where it is not there or not readable."""
    try:
        return path.read_text(errors="replace").strip("\0\n\t ")
    except OSError:  # sensors that exist and answer with an I/O error, too
        return None


def cpu_name(cpuinfo: str) -> str | None:
    """The CPU's name by the text of /proc/cpuinfo; of Arm cores, by their part number."""
    if name := cpuinfo_field(cpuinfo, "model name"):
        return name
    parts = [line.partition(":")[2].strip() for line in cpuinfo.splitlines() if "CPU part" in line]
    names = dict.fromkeys(_ARM_PARTS.get(part, f"Arm part {part}") for part in parts)
    return " + ".join(names) or None


def cpuinfo_field(cpuinfo: str, name: str) -> str | None:
    """The first value that /proc/cpuinfo gives under a name."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None
