"""A board by its name; ``this`` is the machine it runs on, read as ``doctor`` reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge_effnet.boards.table import BOARD_NAMES, BOARDS, THIS, Board
from edge_effnet.errors import UsageProblem
from edge_effnet.spelling import did_you_mean
from edge_effnet.system.cpu import ROOT

if TYPE_CHECKING:
    from edge_effnet.measure.environment import Environment


def find_board(name: str, root: Path = ROOT) -> Board:
    """A board of the table, or this machine.

    Args:
        root: where /proc and /sys are looked for.

    Raises:
        UsageProblem: there is none of that name.
    """
    if name == THIS:
        from edge_effnet.measure.environment import read_environment

        return board_of(read_environment(root))
    if name not in BOARDS:
        raise UsageProblem(
            f"no board is called {name!r}{did_you_mean(name, BOARD_NAMES)}",
            expected=f"one of {', '.join(BOARD_NAMES)}",
            fix="choose one of these",
        )
    return BOARDS[name]


def board_of(environment: Environment) -> Board:
    """This machine as a board; with figures where it is a Raspberry Pi of the table."""
    like = _same_board(environment)
    note = like.note if like else "Nobody has published latencies of this CPU that are known here."
    if environment.bits == 32:
        note = f"{note} This system is 32-bit, whose runtime has older kernels.".strip()
    return Board(
        THIS,
        environment.device or environment.machine,
        environment.cpu or environment.machine,
        environment.cores,
        like.clock_ghz if like else None,
        bool(environment.int8_features),
        (round(environment.memory_bytes / 2**30, 1),) if environment.memory_bytes else (),
        (environment.bits,),
        like.figures_of if like else None,
        slower=like.slower if like else 1.0,
        note=note,
    )


def _same_board(environment: Environment) -> Board | None:
    """The Raspberry Pi of the table that this is, or one with the same cores at its clock."""
    if not environment.raspberry_pi or environment.emulated:
        return None
    if "zero 2" in (environment.device or "").lower():
        return BOARDS["pizero2"]
    rows = (BOARDS[name] for name in ("pi3", "pi4", "pi5"))
    same = next((row for row in rows if row.cpu == environment.cpu), None)
    if same is None or same.cores == environment.cores:
        return same
    return replace(same, figures_of=None, note="The published figures are of all its cores.")
