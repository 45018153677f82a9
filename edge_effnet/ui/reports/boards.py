"""Networks on a board: the table of ``variants --for``, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console

from edge_effnet.architecture.cost import Cost, cost
from edge_effnet.architecture.spec import VariantSpec
from edge_effnet.architecture.variants import VARIANTS
from edge_effnet.boards.estimate import LONGEST, SHORTEST, Latency, latency
from edge_effnet.boards.published import PRECISIONS, reference
from edge_effnet.boards.recommend import CANDIDATES, Recommendation
from edge_effnet.boards.table import Board
from edge_effnet.boards.taught import taught_cost
from edge_effnet.plurals import counted
from edge_effnet.ui.console import megabytes, millions
from edge_effnet.ui.shown_commands import commands_as_called
from edge_effnet.ui.tables import say, table

FORMAT = "edge-effnet/boards"
VERSION = 1
TAUGHT_CLASSES = 10


@dataclass(frozen=True)
class Row:
    """A network on a board, by itself or taught ``classes`` of one's own."""

    spec: VariantSpec
    taught: bool
    classes: int
    total: Cost
    on_float: Latency | None
    on_int8: Latency | None

    @property
    def name(self) -> str:
        return f"{self.spec.name} taught" if self.taught else self.spec.name

    @property
    def origin(self) -> str:
        """Of its latencies: published, or estimated."""
        found = self.on_int8 or self.on_float
        return "–" if found is None else found.kind.removesuffix(" at most")


def board_rows(
    board: Board, specs: Sequence[VariantSpec], classes: int, taught_classes: int
) -> list[Row]:
    """The rows of the table: networks, then the files that ``teach`` makes of some of them."""
    rows = [_row(board, spec, classes, cost(spec, classes=classes), taught=False) for spec in specs]
    names = [spec.name for spec in specs]
    for name in (name for name in CANDIDATES if name in names):
        total = taught_cost(VARIANTS[name], taught_classes)
        rows.append(_row(board, VARIANTS[name], taught_classes, total, taught=True))
    return rows


def _row(board: Board, spec: VariantSpec, classes: int, total: Cost, *, taught: bool) -> Row:
    of_int8 = latency(board, spec, "int8", total)
    # A taught file is the int8 network; there is no float one.
    of_float = None if taught else latency(board, spec, "float", total)
    return Row(spec, taught, classes, total, of_float, of_int8)


def print_board(out: Console, board: Board, rows: Sequence[Row], chosen: Recommendation) -> None:
    """The board in words, its table, where the figures come from, and the recommendation."""
    say(out, f"{board.title}: {_described(board)}", "bold")
    lines = table(
        "network", "parameters", "mult-adds", "int8 file", "float", "int8", "origin", words={6}
    )
    for row in rows:
        lines.add_row(
            row.name,
            millions(row.total.parameters),
            millions(row.total.macs),
            megabytes(row.total.int8_bytes),
            _milliseconds(row.on_float),
            _milliseconds(row.on_int8),
            row.origin,
        )
    out.print(lines)
    for line in (*_legend(rows), _int8_share(board), board.note):
        if line:
            say(out, line, "dim")
    rate = "" if chosen.fps is None else f", about {_frames(chosen.fps)} a second"
    say(out, f"recommended: {chosen.variant}{rate}", "bold")
    say(out, f"because: {commands_as_called(chosen.reason)}")
    if chosen.base:
        say(out, f"its file: {commands_as_called(chosen.base)}")


def board_json(board: Board, rows: Sequence[Row], chosen: Recommendation) -> dict[str, Any]:
    """The same for machines."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "board": asdict(board),
        "networks": [
            {
                "name": row.spec.name,
                "taught": row.taught,
                "classes": row.classes,
                "parameters": row.total.parameters,
                "macs": row.total.macs,
                "int8_bytes": row.total.int8_bytes,
                "float": asdict(row.on_float) if row.on_float else None,
                "int8": asdict(row.on_int8) if row.on_int8 else None,
            }
            for row in rows
        ],
        "recommended": {
            "variant": chosen.variant,
            "fps": chosen.fps,
            "latency": asdict(chosen.latency) if chosen.latency else None,
            "reason": chosen.reason,
            "base": chosen.base,
        },
    }


def _described(board: Board) -> str:
    parts = [board.cpu if board.cores is None else f"{counted(board.cores, 'core')} {board.cpu}"]
    if board.clock_ghz is not None:
        parts[0] += f" at {board.clock_ghz:g} GHz"
    if board.memory_gb:
        parts.append(f"{_one_of(board.memory_gb)} GB")
    parts.append(f"{_one_of(board.bits)} bits")
    if board.dot_products is None:
        parts.append("int8 alone")
    else:
        parts.append("int8 dot products" if board.dot_products else "no int8 dot products")
    return ", ".join(parts)


def _one_of(numbers: Sequence[float]) -> str:
    """``1, 2 or 4``."""
    *others, last = (f"{number:g}" for number in numbers)
    return f"{', '.join(others)} or {last}" if others else last


def _milliseconds(found: Latency | None) -> str:
    if found is None:
        return "–"
    if found.kind == "published":
        return f"{found.latency_ms:g} ms"
    return f"{'< ' if found.kind == 'estimate at most' else ''}{_rounded(found.latency_ms)} ms"


def _frames(fps: float) -> str:
    number = _rounded(fps)
    return f"{number} {'frame' if number == '1' else 'frames'}"


def _rounded(value: float) -> str:
    """Two digits: an estimate has no more."""
    return f"{float(f'{value:.2g}'):,g}"


def _int8_share(board: Board) -> str:
    """Int8 against float, by the figures that were published for the board."""
    if board.figures_of is None or board.accelerator:
        return ""
    of_float, of_int8 = (reference(board.figures_of, precision) for precision in PRECISIONS)
    if of_float is None or of_int8 is None:
        return ""
    share = of_int8.latency_ms / of_float.latency_ms
    return f"int8 against float: {share:.2f} of its time, of {of_int8.network} there"


def _legend(rows: Sequence[Row]) -> list[str]:
    found = [one for row in rows for one in (row.on_float, row.on_int8) if one is not None]
    kinds = {one.kind for one in found}
    lines = []
    if taught := [row for row in rows if row.taught]:
        lines.append(
            "taught: what teach makes of the int8 file, "
            f"{counted(taught[0].classes, 'class', 'classes')}"
        )
    if not found:
        return [*lines, "no latency: none is published for this. Measure it: edge-effnet bench"]
    lines.append("float, int8: one inference on all cores, without the camera's own work")
    if kinds - {"published"}:
        lines.append(
            "estimate: MobileNetV2's time there, times multiply-adds, divided by MobileNetV2's; "
            f"elsewhere {SHORTEST:g} to {LONGEST:g} times that was measured"
        )
    if "estimate at most" in kinds:
        lines.append("<: such convolutions took as little as a third of the estimate")
    for word, of_kind in (
        ("published", [one for one in found if one.kind == "published"]),
        ("estimated from", [one for one in found if one.kind != "published"]),
    ):
        sources = dict.fromkeys(one.source for one in of_kind)
        lines += [f"{word}: {source.url} ({source.conditions})" for source in sources]
    return lines
