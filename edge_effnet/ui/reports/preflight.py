"""What the Edge TPU preflight found, for people."""

from __future__ import annotations

from typing import Any

from edge_effnet.plurals import counted
from edge_effnet.ui.console import console, megabytes


def print_preflight(outcome: dict[str, Any]) -> None:
    """Print which operators of a model an Edge TPU would take, and what to change."""
    out = console()
    ops = outcome["ops"]
    out.print(f"{outcome['file']} on an Edge TPU", style="bold")
    pieces = f", in {counted(outcome['subgraphs'], 'piece')}" if outcome["mapped"] else ""
    out.print(f"{outcome['mapped']} of {counted(len(ops), 'operator')} map{pieces}")
    if outcome["weight_bytes"]:
        room = "fit on" if outcome["fits_on_chip"] else "exceed"
        out.print(f"{megabytes(outcome['weight_bytes'])} of weights {room} the chip's 8 MB")
    groups: dict[tuple[str, str], int] = {}
    for entry in ops:
        if not entry["mapped"]:
            op = "operators" if entry["code"] in ("behind", "answer") else f"× {entry['op']}"
            key = (op, entry["reason"])
            groups[key] = groups.get(key, 0) + 1
    for (op, reason), count in groups.items():
        out.print(f"  on the CPU: {count} {op}: {reason}")
    for line in outcome["changes"]:
        out.print(f"to change: {line}")
    for line in outcome["warnings"]:
        out.print(f"warning: {line}", style="yellow")
