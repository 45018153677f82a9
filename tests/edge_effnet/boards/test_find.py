"""Boards by name, and the machine this runs on as a board."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge_effnet.boards.find import board_of, find_board
from edge_effnet.boards.table import BOARD_NAMES, BOARDS
from edge_effnet.errors import UsageProblem
from edge_effnet.measure.environment import Environment, read_environment
from tests.edge_effnet.measure import machines


def test_dot_products_came_with_the_pi_5() -> None:
    assert {name: board.dot_products for name, board in BOARDS.items()} == {
        "pi3": False, "pi4": False, "pi5": True, "pizero2": False, "coral": None
    }  # fmt: skip
    assert find_board("pi4") is BOARDS["pi4"]
    assert BOARD_NAMES[-1] == "this"


def test_a_slip_is_one_line() -> None:
    with pytest.raises(UsageProblem, match="no board is called 'corral'; did you mean coral"):
        find_board("corral")


def test_this_machine_is_read_as_doctor_reads_it(tmp_path: Path) -> None:
    environment = read_environment(machines.pi4(tmp_path), machine="aarch64")
    board = board_of(_with_cores(environment, 4))
    assert (board.name, board.title) == ("this", "Raspberry Pi 4 Model B Rev 1.4")
    assert (board.cpu, board.dot_products, board.memory_gb) == ("Cortex-A72", False, (3.7,))
    assert board.figures_of == "pi4"
    # A container that leaves it two cores is no Pi 4 any more.
    assert board_of(_with_cores(environment, 2)).figures_of is None


def test_a_pi_5_has_dot_products(tmp_path: Path) -> None:
    root = machines.make(tmp_path, {"proc/cpuinfo": machines.PI5_CPUINFO})
    board = board_of(_with_cores(read_environment(root, machine="aarch64"), 4))
    assert (board.dot_products, board.figures_of) == (True, "pi5")


def test_a_zero_2_is_told_from_a_pi_3_by_its_name(tmp_path: Path) -> None:
    text = machines.PI4_CPUINFO.replace("0xd08", "0xd03")
    text = text.replace("Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi Zero 2 W Rev 1.0")
    root = machines.make(tmp_path, {"proc/cpuinfo": text})
    board = board_of(_with_cores(read_environment(root, machine="aarch64"), 4))
    assert (board.figures_of, board.slower) == ("pi3", 1.4)


def test_nobody_knows_a_server(tmp_path: Path) -> None:
    root = machines.make(tmp_path, {"proc/cpuinfo": machines.SERVER_CPUINFO})
    board = board_of(read_environment(root, machine="x86_64"))
    assert (board.cpu, board.dot_products, board.figures_of) == ("Some Xeon", True, None)
    assert "Nobody has published" in board.note


def _with_cores(environment: Environment, cores: int) -> Environment:
    return replace(environment, cores=cores, emulated=None)
